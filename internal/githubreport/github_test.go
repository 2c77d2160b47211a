package githubreport_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/spicedeploy/spice-deploy/internal/githubreport"
	"github.com/spicedeploy/spice-deploy/internal/redact"
)

const (
	token     = "ghs_0123456789"
	userAgent = "spice-deploy/1.2.3"
	commit    = "3f2c1ab9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3"

	githubActions = 41898282 // the id of github-actions[bot]
	somebody      = 1001
)

// comment is one on pull request 12.
type comment struct {
	id, author int64
	body       string
}

// gitHub behaves like the API of GitHub as far as this package asks it, for the repository acme/shop. What it checks of
// requests is what GitHub refuses.
type gitHub struct {
	*httptest.Server

	prefix  string   // /api/v3 on GitHub Enterprise Server
	granted []string // the permissions of the token
	private bool     // a repository that the token may not read is not there

	before func(http.ResponseWriter, *http.Request) bool // answers instead, where it returns true

	heads    map[string]string // branches
	compared map[string]string // base...head
	messages map[string]string // commits

	mu          sync.Mutex
	asked       []string // METHOD /path
	comments    []comment
	deployments []map[string]any
	statuses    []map[string]any
	told        []string // ID STATE
}

// allPermissions is what the README's workflow grants.
func allPermissions() []string {
	return []string{githubreport.DeploymentsWrite, githubreport.PullRequestsWrite, githubreport.ContentsRead}
}

// start serves until the test ends. Fields are set before it.
func (g *gitHub) start(t *testing.T) *gitHub {
	t.Helper()
	g.Server = httptest.NewServer(g.handler(t))
	t.Cleanup(g.Close)
	return g
}

// transport answers within the process, for tests in fake time.
func (g *gitHub) transport(t *testing.T) http.RoundTripper {
	t.Helper()
	handler := g.handler(t)
	return inMemory(func(req *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, req)
		return w.Result(), req.Context().Err()
	})
}

func (g *gitHub) handler(t *testing.T) http.Handler {
	t.Helper()
	mux := http.NewServeMux()
	repo := g.prefix + "/repos/acme/shop"
	mux.HandleFunc("POST "+repo+"/deployments", g.needs(githubreport.DeploymentsWrite, g.createDeployment))
	mux.HandleFunc("GET "+repo+"/deployments", g.needs(githubreport.DeploymentsWrite, g.listDeployments))
	mux.HandleFunc("POST "+repo+"/deployments/{id}/statuses", g.needs(githubreport.DeploymentsWrite, g.createStatus))
	mux.HandleFunc("GET "+repo+"/issues/12/comments", g.needs(githubreport.PullRequestsWrite, g.listComments))
	mux.HandleFunc("POST "+repo+"/issues/12/comments", g.needs(githubreport.PullRequestsWrite, g.createComment))
	mux.HandleFunc("PATCH "+repo+"/issues/comments/{id}", g.needs(githubreport.PullRequestsWrite, g.editComment))
	mux.HandleFunc("GET "+repo+"/git/ref/heads/{branch...}", g.needs(githubreport.ContentsRead, g.getRef))
	mux.HandleFunc("GET "+repo+"/compare/{range}", g.needs(githubreport.ContentsRead, g.compare))
	mux.HandleFunc("GET "+repo+"/git/commits/{sha}", g.needs(githubreport.ContentsRead, g.getCommit))
	graphQL := strings.TrimSuffix(g.prefix, "/v3") + "/graphql"
	mux.HandleFunc("POST "+graphQL, g.viewer)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("GitHub was asked for %s %s", r.Method, r.URL)
		refuse(w, http.StatusNotFound, "Not Found")
	})
	return g.checked(mux)
}

// client speaks to the server.
func (g *gitHub) client(t *testing.T) *githubreport.Client {
	t.Helper()
	return newClient(t, g.URL+g.prefix, http.DefaultTransport)
}

func newClient(t *testing.T, apiURL string, transport http.RoundTripper) *githubreport.Client {
	t.Helper()
	c, err := githubreport.New(githubreport.Config{
		APIURL: apiURL, Repository: "acme/shop", Token: redact.New(token), UserAgent: userAgent, Transport: transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// requests is what the server was asked, in order.
func (g *gitHub) requests() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.asked)
}

func (g *gitHub) checked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		g.asked = append(g.asked, r.Method+" "+r.URL.Path)
		g.mu.Unlock()
		switch {
		case r.Header.Get("User-Agent") != userAgent:
			refuse(w, http.StatusForbidden, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header")
		case r.Header.Get("Authorization") != "Bearer "+token:
			refuse(w, http.StatusUnauthorized, "Bad credentials")
		case g.before != nil && g.before(w, r):
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// needs answers as GitHub does where the token lacks a permission.
func (g *gitHub) needs(permission string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case slices.Contains(g.granted, permission):
			g.mu.Lock()
			defer g.mu.Unlock()
			next(w, r)
		case g.private:
			refuse(w, http.StatusNotFound, "Not Found")
		default:
			refuse(w, http.StatusForbidden, "Resource not accessible by integration")
		}
	}
}

func (g *gitHub) createDeployment(w http.ResponseWriter, r *http.Request) {
	body := readJSON(r)
	contexts, given := body["required_contexts"].([]any)
	switch {
	case !given || len(contexts) > 0:
		refuse(w, http.StatusConflict, "Conflict: Commit status checks failed for "+commit)
	case body["auto_merge"] != false:
		refuse(w, http.StatusConflict, "Conflict merging main into "+commit)
	case body["ref"] != commit:
		refuse(w, http.StatusUnprocessableEntity, fmt.Sprintf("No ref found for: %s", body["ref"]))
	case tooLong(body["description"], 140):
		refuse(w, http.StatusUnprocessableEntity, "Validation Failed", "description is too long (maximum is 140 characters)")
	default:
		g.deployments = append(g.deployments, body)
		reply(w, http.StatusCreated, map[string]any{"id": 500 + len(g.deployments)})
	}
}

func (g *gitHub) createStatus(w http.ResponseWriter, r *http.Request) {
	body := readJSON(r)
	states := []any{"error", "failure", "inactive", "in_progress", "queued", "pending", "success"}
	switch {
	case !g.knows(r.PathValue("id")):
		refuse(w, http.StatusNotFound, "Not Found")
	case !slices.Contains(states, body["state"]):
		refuse(w, http.StatusUnprocessableEntity, "Validation Failed", "state is not included in the list")
	case tooLong(body["description"], 140):
		refuse(w, http.StatusUnprocessableEntity, "Validation Failed", "description is too long (maximum is 140 characters)")
	default:
		g.statuses = append(g.statuses, body)
		g.told = append(g.told, fmt.Sprint(r.PathValue("id"), " ", body["state"]))
		reply(w, http.StatusCreated, map[string]any{"id": len(g.statuses)})
	}
}

func (g *gitHub) knows(id string) bool {
	n, err := strconv.Atoi(id)
	return err == nil && n > 500 && n <= 500+len(g.deployments)
}

// listDeployments gives the newest first.
func (g *gitHub) listDeployments(w http.ResponseWriter, r *http.Request) {
	list := []map[string]any{}
	for i, d := range g.deployments {
		if task := r.FormValue("task"); task == "" || task == d["task"] {
			list = append(list, map[string]any{"id": 501 + i, "task": d["task"]})
		}
	}
	slices.Reverse(list)
	reply(w, http.StatusOK, list[:min(len(list), number(r, "per_page", 30))])
}

// listComments gives pages of at most 100, oldest first, and says in a header where the next one is.
func (g *gitHub) listComments(w http.ResponseWriter, r *http.Request) {
	page, size := number(r, "page", 1), min(number(r, "per_page", 30), 100)
	from := min((page-1)*size, len(g.comments))
	to := min(from+size, len(g.comments))
	if to < len(g.comments) {
		link := func(n int, rel string) string {
			return fmt.Sprintf(`<%s%s?page=%d&per_page=%d>; rel="%s"`, g.URL, r.URL.Path, n, size, rel)
		}
		w.Header().Set("Link", link(page+1, "next")+", "+link((len(g.comments)+size-1)/size, "last"))
	}
	list := []map[string]any{}
	for _, c := range g.comments[from:to] {
		list = append(list, map[string]any{"id": c.id, "body": c.body, "user": map[string]any{"id": c.author}})
	}
	reply(w, http.StatusOK, list)
}

func (g *gitHub) createComment(w http.ResponseWriter, r *http.Request) {
	body, _ := readJSON(r)["body"].(string)
	if tooLong(body, 65536) {
		refuse(w, http.StatusUnprocessableEntity, "Validation Failed", "Body is too long (maximum is 65536 characters)")
		return
	}
	g.comments = append(g.comments, comment{int64(1 + len(g.comments)), githubActions, body})
	reply(w, http.StatusCreated, map[string]any{"id": len(g.comments)})
}

// editComment lets the token change what others wrote, as GitHub does where it may write to the repository.
func (g *gitHub) editComment(w http.ResponseWriter, r *http.Request) {
	for i := range g.comments {
		if r.PathValue("id") == strconv.FormatInt(g.comments[i].id, 10) {
			g.comments[i].body, _ = readJSON(r)["body"].(string)
			reply(w, http.StatusOK, map[string]any{"id": g.comments[i].id})
			return
		}
	}
	refuse(w, http.StatusNotFound, "Not Found")
}

func (g *gitHub) viewer(w http.ResponseWriter, r *http.Request) {
	if readJSON(r)["query"] != "query { viewer { databaseId } }" {
		reply(w, http.StatusOK, map[string]any{"errors": []any{map[string]any{"message": "A query attribute must be specified"}}})
		return
	}
	reply(w, http.StatusOK, map[string]any{"data": map[string]any{"viewer": map[string]any{"databaseId": githubActions}}})
}

func (g *gitHub) getRef(w http.ResponseWriter, r *http.Request) {
	branch := r.PathValue("branch")
	head, ok := g.heads[branch]
	if !ok {
		refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	reply(w, http.StatusOK, map[string]any{"ref": "refs/heads/" + branch, "object": map[string]any{"type": "commit", "sha": head}})
}

func (g *gitHub) compare(w http.ResponseWriter, r *http.Request) {
	status, ok := g.compared[r.PathValue("range")]
	if !ok {
		refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	reply(w, http.StatusOK, map[string]any{"status": status, "ahead_by": 2, "behind_by": 1})
}

func (g *gitHub) getCommit(w http.ResponseWriter, r *http.Request) {
	message, ok := g.messages[r.PathValue("sha")]
	if !ok {
		refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	reply(w, http.StatusOK, map[string]any{"sha": r.PathValue("sha"), "message": message})
}

func readJSON(r *http.Request) map[string]any {
	body := map[string]any{}
	data, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(data, &body)
	return body
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, status int, message string, details ...string) {
	errs := []any{}
	for _, d := range details {
		errs = append(errs, map[string]any{"resource": "X", "field": "data", "code": "custom", "message": d})
	}
	reply(w, status, map[string]any{"message": message, "errors": errs, "documentation_url": "https://docs.github.com/rest"})
}

func tooLong(text any, most int) bool {
	s, _ := text.(string)
	return utf8.RuneCountInString(s) > most
}

func number(r *http.Request, name string, otherwise int) int {
	if n, err := strconv.Atoi(r.URL.Query().Get(name)); err == nil {
		return n
	}
	return otherwise
}
