package githubreport_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const marker = "<!-- spice-deploy:shop -->"

// chatter is comments that are of no interest.
func chatter(n int) []comment {
	list := make([]comment, n)
	for i := range list {
		list[i] = comment{int64(10_000 + i), somebody, fmt.Sprintf("remark %d", i)}
	}
	return list
}

func TestComment(t *testing.T) {
	t.Parallel()

	const body = marker + "\nnew"
	ours, theirs := comment{1, githubActions, marker + "\nold"}, comment{2, somebody, marker + "\ntheirs"}
	created := func(n int) comment { return comment{int64(n), githubActions, body} }
	updated := comment{1, githubActions, body}
	cases := []struct {
		name   string
		prefix string
		before []comment
		want   []comment
		asked  []string
	}{
		{
			name: "none_yet", want: []comment{created(1)},
			asked: []string{"GET /repos/acme/shop/issues/12/comments", "POST /repos/acme/shop/issues/12/comments"},
		},
		{
			name: "ours_is_updated_in_place", before: []comment{ours}, want: []comment{updated},
			asked: []string{"GET /repos/acme/shop/issues/12/comments", "POST /graphql", "PATCH /repos/acme/shop/issues/comments/1"},
		},
		{
			name: "another_author_with_our_marker", before: []comment{theirs}, want: []comment{theirs, created(2)},
			asked: []string{"GET /repos/acme/shop/issues/12/comments", "POST /graphql", "POST /repos/acme/shop/issues/12/comments"},
		},
		{
			name: "another_author_before_ours", before: []comment{theirs, ours}, want: []comment{theirs, updated},
			asked: []string{"GET /repos/acme/shop/issues/12/comments", "POST /graphql", "PATCH /repos/acme/shop/issues/comments/1"},
		},
		{
			name:   "two_of_ours",
			before: []comment{ours, {3, githubActions, marker + "\nof a run at the same time"}},
			want:   []comment{updated, {3, githubActions, marker + "\nof a run at the same time"}},
			asked:  []string{"GET /repos/acme/shop/issues/12/comments", "POST /graphql", "PATCH /repos/acme/shop/issues/comments/1"},
		},
		{
			name:   "another_app_and_a_quote",
			before: []comment{{1, githubActions, "<!-- spice-deploy:shop-eu -->\nx"}, {2, githubActions, "> " + marker}},
			want:   []comment{{1, githubActions, "<!-- spice-deploy:shop-eu -->\nx"}, {2, githubActions, "> " + marker}, created(3)},
			asked:  []string{"GET /repos/acme/shop/issues/12/comments", "POST /repos/acme/shop/issues/12/comments"},
		},
		{
			name: "beyond_the_first_hundred", before: append(chatter(250), ours), want: append(chatter(250), updated),
			asked: []string{
				"GET /repos/acme/shop/issues/12/comments", "GET /repos/acme/shop/issues/12/comments", "GET /repos/acme/shop/issues/12/comments",
				"POST /graphql", "PATCH /repos/acme/shop/issues/comments/1",
			},
		},
		{
			name: "a_full_page_and_no_other", before: append(chatter(99), ours), want: append(chatter(99), updated),
			asked: []string{"GET /repos/acme/shop/issues/12/comments", "POST /graphql", "PATCH /repos/acme/shop/issues/comments/1"},
		},
		{
			name: "enterprise", prefix: "/api/v3", before: append(chatter(100), theirs, ours), want: append(chatter(100), theirs, updated),
			asked: []string{
				"GET /api/v3/repos/acme/shop/issues/12/comments", "GET /api/v3/repos/acme/shop/issues/12/comments",
				"POST /api/graphql", "PATCH /api/v3/repos/acme/shop/issues/comments/1",
			},
		},
		{
			name: "behind_a_gateway", prefix: "/github", before: []comment{ours}, want: []comment{updated},
			asked: []string{"GET /github/repos/acme/shop/issues/12/comments", "POST /github/graphql", "PATCH /github/repos/acme/shop/issues/comments/1"},
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			g := (&gitHub{prefix: tc.prefix, granted: allPermissions(), comments: tc.before}).start(t)
			if err := g.client(t).Comment(t.Context(), 12, marker, body); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, g.comments, cmp.AllowUnexported(comment{})); diff != "" {
				t.Errorf("comments (-want, +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.asked, g.requests()); diff != "" {
				t.Errorf("requests (-want, +got):\n%s", diff)
			}
		})
	}
}

func TestComment_refused(t *testing.T) {
	t.Parallel()

	ours := comment{1, githubActions, marker + "\nold"}
	at := func(method, path string, answer func(http.ResponseWriter)) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != method || !strings.HasSuffix(r.URL.Path, path) {
				return false
			}
			answer(w)
			return true
		}
	}
	cases := []struct {
		name   string
		before func(http.ResponseWriter, *http.Request) bool
		want   string
	}{
		{
			"graphql_refuses", at("POST", "/graphql", func(w http.ResponseWriter) { refuse(w, http.StatusForbidden, "Forbidden") }),
			"comment on pull request 12 of acme/shop: whose comment it is cannot be told: 403 Forbidden; the token needs pull-requests: write",
		},
		{
			"graphql_answers_with_an_error", at("POST", "/graphql", func(w http.ResponseWriter) {
				reply(w, http.StatusOK, map[string]any{"errors": []any{map[string]string{"message": "Resource not\naccessible"}}})
			}),
			"comment on pull request 12 of acme/shop: whose comment it is cannot be told: Resource not accessible",
		},
		{
			"graphql_tells_nothing", at("POST", "/graphql", func(w http.ResponseWriter) { reply(w, http.StatusOK, map[string]any{}) }),
			"comment on pull request 12 of acme/shop: whose comment it is cannot be told: GitHub does not tell whose the token is",
		},
		{
			"conversation_locked", at("PATCH", "/comments/1", func(w http.ResponseWriter) {
				refuse(w, http.StatusForbidden, "Unable to create comment because issue is locked.")
			}),
			"comment on pull request 12 of acme/shop: 403 Unable to create comment because issue is locked; the token needs pull-requests: write",
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			g := (&gitHub{granted: allPermissions(), comments: []comment{ours}, before: tc.before}).start(t)
			err := g.client(t).Comment(t.Context(), 12, marker, "x")
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("expected %v to begin with %q", err, tc.want)
			}
			if got, want := g.comments[0].body, ours.body; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
		})
	}
}

// TestComment_listWithoutAnEnd gives a next page for ever.
func TestComment_listWithoutAnEnd(t *testing.T) {
	t.Parallel()

	g := (&gitHub{granted: allPermissions(), before: func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Link", fmt.Sprintf(`<http://localhost/?page=%d>; rel="next"`, number(r, "page", 1)+1))
		reply(w, http.StatusOK, []any{})
		return true
	}}).start(t)
	err := g.client(t).Comment(t.Context(), 12, marker, "x")
	if want := "the list of comments goes on after 30 pages"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("expected %v to contain %q", err, want)
	}
	if got, want := len(g.requests()), 30; got != want {
		t.Errorf("expected %d requests to be %d", got, want)
	}
}

// TestComment_listThatGoesInACircle gives the same next page for ever, and comments that are not there.
func TestComment_listThatGoesInACircle(t *testing.T) {
	t.Parallel()

	g := (&gitHub{granted: allPermissions(), before: func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Link", `<http://localhost/?page=2>; rel="next"`)
		if r.Method == http.MethodGet {
			reply(w, http.StatusOK, []any{map[string]any{}, nil})
		}
		return r.Method == http.MethodGet
	}}).start(t)
	if err := g.client(t).Comment(t.Context(), 12, marker, "x"); err != nil {
		t.Fatal(err)
	}
	if got, want := len(g.requests()), 3; got != want {
		t.Errorf("expected %d requests to be %d: %q", got, want, g.requests())
	}
}
