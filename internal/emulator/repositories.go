package emulator

import (
	"cmp"
	"net/http"
	"path"
	"regexp"
	"strings"
)

// Repository is a GitHub repository that the organization's connection can see.
type Repository struct {
	Name          string          `yaml:"name"`           // owner/name
	DefaultBranch string          `yaml:"default_branch"` // "main" when empty
	Branches      map[string]Head `yaml:"branches"`
	Unavailable   bool            `yaml:"unavailable"` // GitHub does not answer
}

// Head is the newest commit of a branch.
type Head struct {
	CommitSHA     string `yaml:"commit_sha"`
	CommitMessage string `yaml:"commit_message"`
	Spicepod      any    `yaml:"spicepod"` // YAML text or a mapping; none: the file is missing
}

var repositoryPattern = regexp.MustCompile(`^([A-Za-z0-9_.-]+/)?[A-Za-z0-9_.-]+$`)

// head reads the newest commit of a branch, as the service does when it deploys a connected app.
func (s *state) head(repository, branch string) (Head, *reply) {
	repo, ok := s.repos[strings.ToLower(repository)]
	if !ok {
		return Head{}, refuse(http.StatusNotFound, "repository_not_found", "Repository not found")
	}
	if repo.Unavailable {
		return Head{}, refuse(http.StatusServiceUnavailable, "github_unavailable", "GitHub is not available")
	}
	head, ok := repo.Branches[branch]
	switch {
	case !ok:
		return Head{}, refuse(http.StatusUnprocessableEntity, "branch_not_found", "Branch not found: "+branch)
	case head.Spicepod == nil:
		return Head{}, refuse(http.StatusUnprocessableEntity, "spicepod_missing", "The repository holds no spicepod")
	}
	return head, nil
}

// connectRepository connects the app; has_spicepod tells whether the branch holds a spicepod.
func connectRepository(s *state, c *call, a *app) reply {
	f, refused := parseForm(c.body)
	if refused != nil {
		return *refused
	}
	if !f.given("repository") {
		f.fail("repository", "Required")
	}
	name, root, branch := deref(f.text("repository")), deref(f.text("root_directory")), deref(f.text("production_branch"))
	if refused := f.refusal(); refused != nil {
		return *refused
	}
	if !repositoryPattern.MatchString(name) {
		return *refuse(http.StatusBadRequest, "invalid_repository", "Expected name or owner/name")
	}
	if path.IsAbs(root) || strings.Contains("/"+root+"/", "/../") {
		return *refuse(http.StatusBadRequest, "invalid_root_directory", "The root directory must lie inside the repository")
	}
	if len(s.repos) == 0 {
		return *refuse(http.StatusConflict, "github_not_connected", "The organization is not connected to GitHub")
	}
	if !strings.Contains(name, "/") {
		name = c.org + "/" + name
	}
	repo, ok := s.repos[strings.ToLower(name)]
	if !ok {
		return *refuse(http.StatusNotFound, "repository_not_found", "Repository not found")
	}
	branch = cmp.Or(branch, repo.DefaultBranch, "main")
	root = path.Clean("/" + root)
	for _, other := range s.apps {
		if other != a && !other.deleted && other.repository == repo.Name && other.rootDirectory == root {
			return *refuse(http.StatusConflict, "root_directory_conflict", "Another project uses this directory of the repository")
		}
	}
	head, refused := s.head(repo.Name, branch)
	hasSpicepod := refused == nil
	if _, known := repo.Branches[branch]; refused != nil && (!known || repo.Unavailable) {
		return *refused
	}
	a.repository, a.rootDirectory, a.productionBranch = repo.Name, root, branch
	if hasSpicepod {
		a.spicepod = head.Spicepod
	}
	return replyJSON(http.StatusOK, struct {
		wireApp
		HasSpicepod bool `json:"has_spicepod"`
	}{s.wire(c, a, true), hasSpicepod})
}
