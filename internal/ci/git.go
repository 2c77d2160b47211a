package ci

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spicedeploy/spice-deploy/internal/gitobject"
)

// Limits for what is read below .git, far above what git itself writes there.
const (
	maxGitFile    = 1 << 20  // HEAD, a ref, config
	maxPackedRefs = 64 << 20 // about half a million refs; read line by line
	maxRefHops    = 5        // refs that name refs, git's own limit
)

// checkout is a git working tree, read without a git binary: a static image has none, and git refuses a tree that
// belongs to another user, as it does in a container, since its config could make git run programs. Here none is run.
// The zero value is no checkout.
type checkout struct {
	top       string // the folder that was checked out into, with links resolved
	gitDir    string // holds HEAD
	commonDir string // holds refs, objects and config; another folder only for a linked worktree
}

// findCheckout looks for the checkout that dir lies in, as git does: in dir and the folders above it, up to and
// including top, or to the end where top is "".
func findCheckout(dir, top string) checkout {
	dir = resolved(dir)
	if top != "" {
		top = resolved(top)
		if rel, err := filepath.Rel(top, dir); err != nil || !filepath.IsLocal(rel) {
			dir = top
		}
	}
	for {
		dotGit := filepath.Join(dir, ".git")
		if info, err := os.Stat(dotGit); err == nil {
			co := openCheckout(dotGit, info.IsDir())
			co.top = dir
			return co
		}
		parent := filepath.Dir(dir)
		if dir == top || dir == parent {
			return checkout{}
		}
		dir = parent
	}
}

// resolved is the path with links resolved; where that cannot be, nothing will be found there either.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return filepath.Clean(path)
}

// openCheckout follows a .git file, as worktrees and submodules have it, to the folder that it names.
func openCheckout(dotGit string, isDir bool) checkout {
	gitDir := dotGit
	if !isDir {
		target, ok := strings.CutPrefix(gitLine(dotGit), "gitdir: ")
		if !ok {
			return checkout{}
		}
		gitDir = below(filepath.Dir(dotGit), target)
	}
	co := checkout{gitDir: gitDir, commonDir: gitDir}
	if common := gitLine(filepath.Join(gitDir, "commondir")); common != "" {
		co.commonDir = below(gitDir, common)
	}
	return co
}

// gitLine is the content of a file that holds one line, "" where there is no such file.
func gitLine(path string) string {
	data, err := readFile(path, maxGitFile)
	if err != nil {
		return ""
	}
	return strings.TrimRight(string(data), "\r\n")
}

var (
	objectID = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`) // SHA-1 or SHA-256
	symbolic = regexp.MustCompile(`^ref: *(refs/.+)$`)
)

// head is the branch and the commit that HEAD names. The branch is empty where HEAD is detached, the commit where
// the branch has none yet; both are where the refs are kept in a form not known here (reftable).
func (co checkout) head() (branch, commit string) {
	if co.gitDir == "" {
		return "", ""
	}
	value := gitLine(filepath.Join(co.gitDir, "HEAD"))
	for range maxRefHops {
		if objectID.MatchString(value) {
			return branch, value
		}
		match := symbolic.FindStringSubmatch(value)
		// What HEAD says becomes a path here, so it must not lead elsewhere.
		if match == nil || !filepath.IsLocal(match[1]) || strings.HasSuffix(match[1], "/.invalid") {
			return "", ""
		}
		ref := match[1]
		if name, ok := strings.CutPrefix(ref, "refs/heads/"); ok {
			branch = name
		}
		if value = gitLine(filepath.Join(co.commonDir, filepath.FromSlash(ref))); value == "" {
			value = co.packed(ref)
		}
		if value == "" {
			break
		}
	}
	return branch, ""
}

// packed looks a ref up in packed-refs.
func (co checkout) packed(ref string) string {
	f, err := openRegular(filepath.Join(co.commonDir, "packed-refs"))
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(io.LimitReader(f, maxPackedRefs)); lines.Scan(); {
		if id, name, ok := strings.Cut(lines.Text(), " "); ok && name == ref && objectID.MatchString(id) {
			return id
		}
	}
	return ""
}

// commit is the parents and the message of a commit; both are empty where it cannot be read. The parents of the last
// commit that a shallow clone has are told as well.
func (co checkout) commit(id string) (parents []string, message string) {
	if co.commonDir == "" || id == "" {
		return nil, ""
	}
	commit, err := gitobject.ReadCommit(filepath.Join(co.commonDir, "objects"), id)
	if err != nil {
		return nil, ""
	}
	return commit.Parents, commit.Message
}

// remote takes owner and name from the usual forms of a hosted repository's address:
// https://host/owner/name.git, ssh://git@host/owner/name.git, git@host:owner/name.git.
var remote = regexp.MustCompile(`^(?:(?:https?|ssh|git)://(?:[^@/]*@)?[^@/]+/|(?:[\w.-]+@)?[\w.-]+:)(\w[\w.-]*)/(\w[\w.-]*?)(?:\.git)?/?$`)

// origin is the owner and name of the repository that the remote "origin" names, empty where its address has
// another form.
func (co checkout) origin() (owner, name string) {
	if co.commonDir == "" {
		return "", ""
	}
	config, err := readFile(filepath.Join(co.commonDir, "config"), maxGitFile)
	if err != nil {
		return "", ""
	}
	inOrigin := false
	for line := range strings.Lines(string(config)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			inOrigin = line == `[remote "origin"]`
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		if !inOrigin || strings.TrimSpace(key) != "url" {
			continue
		}
		if match := remote.FindStringSubmatch(strings.TrimSpace(value)); match != nil {
			return match[1], match[2]
		}
		return "", ""
	}
	return "", ""
}

// openRegular opens a file for reading that is known not to be a pipe, which would make the run wait for ever.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("open %s: not a regular file", path)
	}
	return os.Open(path)
}

// readFile reads a regular file of at most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("read %s: more than %d MiB", path, limit>>20)
	}
	return data, err
}
