package cli_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// gitHub answers for api.github.com and passes everything else on to a local Spice Cloud.
type gitHub struct {
	cloud  *emulator.Emulator
	denied bool   // the token has no permission
	head   string // of the branch main

	mu    sync.Mutex
	asked []string
	told  []string // states of GitHub Deployments, and comments
}

func (g *gitHub) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host != "api.github.com" {
		return g.cloud.Transport().RoundTrip(req)
	}
	if req.Header.Get("Authorization") != "Bearer ghs_of_the_job" {
		return nil, fmt.Errorf("GitHub was sent %q", req.Header.Get("Authorization"))
	}
	w := httptest.NewRecorder()
	g.answer(w, req)
	return w.Result(), nil
}

func (g *gitHub) answer(w http.ResponseWriter, req *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	path := strings.TrimPrefix(req.URL.Path, "/repos/acme/shop")
	g.asked = append(g.asked, req.Method+" "+path)
	w.Header().Set("Content-Type", "application/json")
	var sent struct{ State, Body string }
	if req.Body != nil {
		data, _ := io.ReadAll(req.Body)
		_ = json.Unmarshal(data, &sent)
	}
	switch {
	case g.denied:
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"message": "Resource not accessible by integration"}`)
	case strings.HasSuffix(path, "/statuses"):
		g.told = append(g.told, sent.State)
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id": 2}`)
	case path == "/deployments" && req.Method == http.MethodGet:
		_, _ = io.WriteString(w, `[{"id": 1}]`)
	case path == "/deployments":
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id": 1}`)
	case path == "/issues/12/comments" && req.Method == http.MethodPost:
		g.told = append(g.told, sent.Body)
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id": 3}`)
	case path == "/issues/12/comments":
		_, _ = io.WriteString(w, `[]`)
	case path == "/git/ref/heads/main":
		_, _ = fmt.Fprintf(w, `{"ref": "refs/heads/main", "object": {"sha": %q, "type": "commit"}}`, g.head)
	case strings.HasPrefix(path, "/compare/"):
		_, _ = io.WriteString(w, `{"status": "ahead", "ahead_by": 1, "behind_by": 0}`)
	case strings.HasPrefix(path, "/git/commits/"):
		_, _ = io.WriteString(w, `{"message": "Named by GitHub\n\nwith a body"}`)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

const newerCommit = "beef000000000000000000000000000000000000"

func TestMain_gitHub(t *testing.T) {
	t.Parallel()
	ours := "c0ffee0000000000000000000000000000000000"
	pullRequest := `{"number": 12, "pull_request": {"head": {"sha": "` + ours + `", "ref": "topic", "repo": {"full_name": "acme/shop"}}, "base": {"repo": {"full_name": "acme/shop"}}}}`
	cases := []struct {
		name   string
		args   []string
		env    map[string]string
		event  string // of a pull request, "" for the push
		denied bool
		head   string

		code    int
		asked   []string
		log     []string // pieces of it
		summary string   // a piece of it
		created bool     // a deployment of ours
	}{
		{
			name: "nothing_is_asked_that_nobody_asked_for", head: ours,
			log: []string{"result      succeeded"}, created: true,
		},
		{
			name: "deployment_with_statuses", head: ours, env: map[string]string{"INPUT_GITHUB-DEPLOYMENT": "true"},
			asked: []string{"POST /deployments", "POST /deployments/1/statuses", "POST /deployments/1/statuses", "POST /deployments/1/statuses"},
			log:   []string{"github      https://api.github.com with github-token: github-deployment", "result      succeeded"}, created: true,
		},
		{
			name: "a_refusal_is_one_warning", head: ours, denied: true,
			env:     map[string]string{"INPUT_GITHUB-DEPLOYMENT": "true"},
			asked:   []string{"POST /deployments"},
			log:     []string{"github      warning: github-deployment: ", "deployments: write", "result      succeeded"},
			summary: "deployments: write", created: true,
		},
		{
			name: "stale", head: newerCommit, env: map[string]string{"INPUT_SKIP-IF-STALE": "true"},
			asked: []string{"GET /git/ref/heads/main", "GET /compare/" + ours + "..." + newerCommit},
			log:   []string{"result      skipped: branch main has moved on to commit beef000"},
		},
		{
			name: "not_stale", head: ours, env: map[string]string{"INPUT_SKIP-IF-STALE": "true"},
			asked: []string{"GET /git/ref/heads/main"}, log: []string{"result      succeeded"}, created: true,
		},
		{
			name: "comment", event: pullRequest, env: map[string]string{"INPUT_PR-COMMENT": "true", "INPUT_DRY-RUN": "true"},
			asked: []string{"GET /git/commits/" + ours, "GET /issues/12/comments", "POST /issues/12/comments"}, log: []string{"result      planned"},
		},
		{
			name: "comment_on_wrong_input", event: pullRequest, code: 2,
			env:   map[string]string{"INPUT_PR-COMMENT": "true", "INPUT_REPLICAS": "many"},
			asked: []string{"GET /issues/12/comments", "POST /issues/12/comments"}, log: []string{"result      invalid-input"},
		},
		{
			name: "delete", args: []string{"delete", "--yes"}, event: pullRequest,
			env:   map[string]string{"INPUT_GITHUB-DEPLOYMENT": "true", "INPUT_PR-COMMENT": "true"},
			asked: []string{"GET /deployments", "POST /deployments/1/statuses", "GET /issues/12/comments", "POST /issues/12/comments"},
			log:   []string{"github      https://api.github.com with github-token: github-deployment, pr-comment", "result      succeeded: app \"shop-app\" (id 101) was deleted"}, summary: "## 🗑️ Deleted: shop-app\n",
		},
		{
			name: "delete_where_nothing_is_there", args: []string{"delete", "--yes"}, event: pullRequest,
			env:   map[string]string{"INPUT_GITHUB-DEPLOYMENT": "true", "INPUT_PR-COMMENT": "true", "INPUT_APP-NAME": "other-app"},
			asked: []string{"GET /deployments", "POST /deployments/1/statuses"},
			log:   []string{"result      skipped: there is no app \"other-app\""},
		},
		{
			name: "comment_without_a_pull_request", head: ours, env: map[string]string{"INPUT_PR-COMMENT": "true"},
			log: []string{"github      pr-comment: this run is for no pull request", "result      succeeded"}, created: true,
		},
		{
			name: "no_token", head: ours, env: map[string]string{"INPUT_GITHUB-DEPLOYMENT": "true", "INPUT_GITHUB-TOKEN": ""},
			log: []string{"github      github-deployment skipped: github-token is empty", "result      succeeded"}, created: true,
		},
		{
			name: "name_of_the_commit", head: ours, env: map[string]string{"GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_EVENT_PATH": ""},
			asked: []string{"GET /git/commits/" + ours}, log: []string{": Named by GitHub\n", "result      succeeded"}, created: true,
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			g := &gitHub{cloud: emulator.New(emulator.Options{Seed: 1}), denied: tc.denied, head: tc.head}
			if _, err := g.cloud.AddApp(emulator.App{Name: "shop-app"}); err != nil {
				t.Fatal(err)
			}
			s := newStep(t, g.cloud.Token())
			s.transport = g
			s.env["INPUT_GITHUB-TOKEN"] = "ghs_of_the_job"
			s.env["GITHUB_API_URL"] = "https://api.github.com"
			if tc.event != "" {
				s.put(t, "event.json", tc.event)
				s.env["GITHUB_EVENT_NAME"], s.env["GITHUB_HEAD_REF"] = "pull_request", "topic"
			}
			maps.Copy(s.env, tc.env)
			if tc.args != nil {
				s.args = tc.args
			}
			l := s.run(t.Context(), t)
			if l.code != tc.code {
				t.Errorf("got exit code %d, want %d", l.code, tc.code)
			}
			if diff := cmp.Diff(tc.asked, g.asked); diff != "" {
				t.Errorf("asked of GitHub (-want, +got):\n%s", diff)
			}
			for _, piece := range tc.log {
				if !strings.Contains(l.stdout, piece) {
					t.Errorf("the log lacks %q", piece)
				}
			}
			if !strings.Contains(l.summary, tc.summary) {
				t.Errorf("the summary lacks %q:\n%s", tc.summary, l.summary)
			}
			created := slices.ContainsFunc(g.cloud.Apps()[0].Deployments, func(d emulator.DeploymentState) bool { return d.CommitSHA == ours })
			if created != tc.created {
				t.Errorf("a deployment of ours: got %t, want %t", created, tc.created)
			}
			for _, text := range append(slices.Clone(g.told), l.stdout, l.summary) {
				if plain := strings.ReplaceAll(text, "::add-mask::"+aSecret, ""); strings.Contains(plain, aSecret) {
					t.Errorf("a secret is shown:\n%s", text)
				}
			}
			if t.Failed() {
				t.Log(l.stdout)
			}
		})
	}
}

// TestMain_gitHubIsTold holds what GitHub shows in the end.
func TestMain_gitHubIsTold(t *testing.T) {
	t.Parallel()
	g := &gitHub{cloud: emulator.New(emulator.Options{Seed: 1})}
	if _, err := g.cloud.AddApp(emulator.App{Name: "shop-app"}); err != nil {
		t.Fatal(err)
	}
	s := newStep(t, g.cloud.Token())
	s.transport = g
	s.env["INPUT_GITHUB-TOKEN"], s.env["INPUT_GITHUB-DEPLOYMENT"] = "ghs_of_the_job", "true"
	s.run(t.Context(), t)
	if len(g.told) == 0 || g.told[len(g.told)-1] != "success" {
		t.Errorf("got the states %q, want success at the end", g.told)
	}
}
