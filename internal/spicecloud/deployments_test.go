package spicecloud_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
)

func TestDeployment_fields(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, body string
		want       spicecloud.Deployment
	}{
		{
			"all",
			`{"id":9,"status":"in_progress","created_at":"2026-11-02T10:00:00.123Z","started_at":"2026-11-02T12:00:05+02:00",
			  "finished_at":"2026-11-02T10:01:00Z","image_tag":"2.3.2-models","channel":"stable","replicas":2,"branch":"main",
			  "commit_sha":"abc","commit_message":"Fix it","error_code":"insufficient_memory","error_message":"waiting","error":"old",
			  "creation_source":"api","created_by":"me@example.com"}`,
			spicecloud.Deployment{
				ID: 9, Status: spicecloud.InProgress, RawStatus: "in_progress",
				CreatedAt:  time.Date(2026, 11, 2, 10, 0, 0, 123e6, time.UTC),
				StartedAt:  time.Date(2026, 11, 2, 10, 0, 5, 0, time.UTC),
				FinishedAt: time.Date(2026, 11, 2, 10, 1, 0, 0, time.UTC),
				ImageTag:   "2.3.2-models", Channel: "stable", Replicas: 2, Branch: "main", CommitSHA: "abc", CommitMessage: "Fix it",
				ErrorCode: "insufficient_memory", ErrorMessage: "waiting", CreationSource: "api",
			},
		},
		{
			"nulls",
			`{"id":"9","status":null,"created_at":null,"replicas":null,"branch":null,"error_code":null,"error_message":null,"created_by":null}`,
			spicecloud.Deployment{ID: 9, Status: spicecloud.Unknown},
		},
		{
			"other_types",
			`{"id":9,"status":{"x":1},"created_at":"yesterday","finished_at":17,"replicas":"3","commit_sha":1234567,"created_by":{"id":1},"error":"broken"}`,
			spicecloud.Deployment{ID: 9, Status: spicecloud.Unknown, Replicas: 3, CommitSHA: "1234567", ErrorMessage: "broken"},
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := client(t, plays(reply(200, tc.body)), nil).Deployment(ctx(t), 7, 9)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("deployment (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDeployment_statuses(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]spicecloud.Status{
		"queued": spicecloud.Queued, "in_progress": spicecloud.InProgress, "IN_PROGRESS": spicecloud.InProgress,
		"succeeded": spicecloud.Succeeded, "Success": spicecloud.Succeeded, "completed": spicecloud.Succeeded,
		"failed": spicecloud.Failed, "error": spicecloud.Failed, "cancelled": spicecloud.Failed, "canceled": spicecloud.Failed,
		"created": spicecloud.Created, "provisioning": spicecloud.Unknown, "": spicecloud.Unknown,
	} {
		got, err := client(t, plays(reply(200, fmt.Sprintf(`{"id":9,"status":%q}`, word))), nil).Deployment(ctx(t), 7, 9)
		if err != nil {
			t.Fatal(err)
		}
		if got.Status != want || got.RawStatus != word {
			t.Errorf("%q: expected %q, got %q from %q", word, want, got.Status, got.RawStatus)
		}
	}
}

func TestDeployments_query_and_server_time(t *testing.T) {
	t.Parallel()
	network := plays(
		reply(200, `{"deployments":[{"id":9,"status":"queued"}]}`, "Date", "Mon, 02 Nov 2026 10:00:00 GMT"),
		reply(200, `{"deployments":[]}`),
	)
	c := client(t, network, nil)
	got, err := c.Deployments(ctx(t), 7, spicecloud.DeploymentQuery{Limit: 20, Status: "queued", Offset: 40})
	if err != nil {
		t.Fatal(err)
	}
	want := spicecloud.DeploymentList{
		Deployments: []spicecloud.Deployment{{ID: 9, Status: spicecloud.Queued, RawStatus: "queued"}},
		ServerTime:  time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	got, err = c.Deployments(ctx(t), 7, spicecloud.DeploymentQuery{})
	if err != nil || !got.ServerTime.IsZero() || len(got.Deployments) != 0 {
		t.Errorf("expected nothing and no time, got %v, %v", got, err)
	}
	lines := []string{"GET /v1/projects/7/deployments?limit=20&offset=40&status=queued", "GET /v1/projects/7/deployments"}
	if got, want := network.lines(), lines; !slices.Equal(got, want) {
		t.Errorf("expected %q to be %q", got, want)
	}
}

func TestDeployments_without_their_key(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		network := plays(reply(200, `{"items":[]}`))
		_, err := client(t, network, nil).Deployments(spicecloud.WithPatience(ctx(t), time.Second), 7, spicecloud.DeploymentQuery{})
		if bad := as[*spicecloud.BadResponseError](t, err); !strings.Contains(bad.Error(), `it has no "deployments"`) {
			t.Errorf("expected the missing key in %q", bad)
		}
	})
}

// history serves an app with deployments 1 to n, newest first. byID is the status of the route to a single one
// where it is not 200.
type history struct {
	n, byID int
	hidden  int // the newest ones that the list does not show yet
	seen    []string
}

func (h *history) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.seen = append(h.seen, r.URL.RequestURI())
	const list = "/v1/projects/7/deployments"
	switch rest, _ := strings.CutPrefix(r.URL.Path, list); {
	case r.URL.Path == "/v1/projects":
		fmt.Fprint(w, `{"projects":[]}`)
	case rest == "":
		offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		var items []string
		for id := h.n - h.hidden - offset; id > max(0, h.n-h.hidden-offset-limit); id-- {
			items = append(items, fmt.Sprintf(`{"id":%d,"status":"queued"}`, id))
		}
		fmt.Fprintf(w, `{"deployments":[%s]}`, strings.Join(items, ","))
	case h.byID != 0:
		w.WriteHeader(h.byID)
	default:
		fmt.Fprintf(w, `{"id":%s,"status":"queued"}`, rest[1:])
	}
}

func TestDeployment_by_its_own_route(t *testing.T) {
	t.Parallel()
	h := &history{n: 500}
	c := client(t, inMemory{h}, nil)
	for range 2 {
		if got, err := c.Deployment(ctx(t), 7, 3); err != nil || got.ID != 3 {
			t.Fatalf("expected deployment 3, got %v, %v", got, err)
		}
	}
	if got, want := h.seen, []string{"/v1/projects/7/deployments/3", "/v1/projects/7/deployments/3"}; !slices.Equal(got, want) {
		t.Errorf("expected %q to be %q", got, want)
	}
}

func TestDeployment_by_the_list_where_there_is_no_route(t *testing.T) {
	t.Parallel()
	for _, status := range []int{404, 405} {
		h := &history{n: 500, byID: status}
		c := client(t, inMemory{h}, nil)
		if _, err := c.Apps(ctx(t)); err != nil {
			t.Fatal(err)
		}
		h.seen = nil
		for range 2 {
			if got, err := c.Deployment(ctx(t), 7, 350); err != nil || got.ID != 350 {
				t.Fatalf("expected deployment 350, got %v, %v", got, err)
			}
		}
		want := []string{
			"/v1/projects/7/deployments/350",
			"/v1/projects/7/deployments?limit=100", "/v1/projects/7/deployments?limit=100&offset=100",
			"/v1/projects/7/deployments?limit=100", "/v1/projects/7/deployments?limit=100&offset=100",
		}
		if diff := cmp.Diff(want, h.seen); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	}
}

func TestDeployment_not_listed(t *testing.T) {
	t.Parallel()
	h := &history{n: 2000, byID: 404}
	c := client(t, inMemory{h}, nil)
	_, err := c.Deployment(ctx(t), 7, 3)
	if !errors.Is(err, spicecloud.ErrNotListed) {
		t.Errorf("expected ErrNotListed, got %v", err)
	}
	if got, want := err.Error(), "deployment 3 of app 7: not listed"; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
	if got, want := len(h.seen), 12; got != want { // its own route, the look at the routes, ten pages
		t.Errorf("expected %d requests, got %d: %q", want, got, h.seen)
	}
}

func TestDeployment_that_shows_late(t *testing.T) {
	t.Parallel()
	h := &history{n: 5, hidden: 1, byID: 404}
	c := client(t, inMemory{h}, nil)
	if _, err := c.Deployment(ctx(t), 7, 5); !errors.Is(err, spicecloud.ErrNotListed) {
		t.Fatalf("expected ErrNotListed, got %v", err)
	}
	h.byID = 0 // it was a delay, and the route is there
	if _, err := c.Deployment(ctx(t), 7, 5); err != nil {
		t.Errorf("expected its own route to be asked again, got %v", err)
	}
}

func TestDeployment_route_that_was_there_is_asked_again(t *testing.T) {
	t.Parallel()
	h := &history{n: 5}
	c := client(t, inMemory{h}, nil)
	for _, status := range []int{0, 404, 0} { // in the middle the list knows more than the route
		h.byID, h.seen = status, nil
		if _, err := c.Deployment(ctx(t), 7, 5); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := h.seen, []string{"/v1/projects/7/deployments/5"}; !slices.Equal(got, want) {
		t.Errorf("expected %q to be %q", got, want)
	}
}

func TestDeployment_other_errors_are_errors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		patient := spicecloud.WithPatience(ctx(t), time.Second)
		_, err := client(t, plays(reply(403, `{"code":"insufficient_scope"}`)), nil).Deployment(patient, 7, 9)
		if got, want := as[*spicecloud.APIError](t, err).Code, "insufficient_scope"; got != want {
			t.Errorf("expected %q to be %q", got, want)
		}
		_, err = client(t, plays(reply(200, `{"id":8,"status":"succeeded"}`)), nil).Deployment(patient, 7, 9)
		if got, want := as[*spicecloud.BadResponseError](t, err).Err.Error(), "it is about another deployment, 8"; got != want {
			t.Errorf("expected %q to be %q", got, want)
		}
	})
}

func TestDeployment_of_a_missing_app(t *testing.T) {
	t.Parallel()
	network := inMemory{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/projects" {
			fmt.Fprint(w, `{"projects":[]}`)
			return
		}
		http.Error(w, `{"error":"Project not found"}`, http.StatusNotFound)
	})}
	_, err := client(t, network, nil).Deployment(ctx(t), 7, 9)
	if got, want := as[*spicecloud.APIError](t, err).Path, "/v1/projects/7/deployments"; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
}
