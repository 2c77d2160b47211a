package ci

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// factsAt is what the system tells of a run that deploys what is in dir, see [FactsAt].
func (s *system) factsAt(getenv func(string) string, dir string) Facts {
	if s.facts != nil {
		f := s.facts(getenv, dir)
		f.System = s.name
		return f
	}
	source := getenv
	if s.lookup != nil {
		source = s.lookup(getenv)
	}
	v, get := s.vars, func(names string) string { return first(source, names) }
	f := Facts{
		System: s.name, Event: get(v.event),
		Branch: get(v.branch), Commit: get(v.commit), Message: get(v.message), Tag: get(v.tag),
		Repository: repositoryIn(get(v.repository)), PullRequest: requestNumber(get(v.pullRequest)),
		BuildURL: get(v.buildURL), DefaultBranch: get(v.defaultBranch), TempDir: get(v.tempDir),
	}
	f.Workspace, f.Folder = checkedOut(get(v.workspace))
	co := findCheckout(below(f.Folder, dir), f.Workspace)
	title := "" // of the pull request
	if f.PullRequest != "" {
		f.ofHead(v, get)
		title = get(v.headMessage)
	}
	if s.more != nil {
		s.more(source, co, &f)
	}
	f.tidy()
	f.complete(co)
	f.Message = cmp.Or(f.Message, title)
	if s.helper != "" && onPath(getenv, s.helper) == "" {
		f.Warnings = append(f.Warnings, s.helper+" is not on the PATH of this step, so "+s.name+
			" gets no results from it; use output-file and summary-file, or run the step where "+s.helper+" is")
	}
	return f
}

// first is the first variable that is not empty.
func first(getenv func(string) string, names string) string {
	for name := range strings.FieldsSeq(names) {
		if value := strings.TrimSpace(getenv(name)); value != "" {
			return value
		}
	}
	return ""
}

// checkedOut is the workspace, and the current folder below it. A container may have neither variable nor folder of
// the machine around it: then the current folder is both, or the top of the checkout that it lies in.
func checkedOut(workspace string) (top, folder string) {
	folder, err := os.Getwd()
	if err != nil {
		return workspace, workspace
	}
	if info, err := os.Stat(workspace); workspace == "" || err != nil || !info.IsDir() {
		return workspaceAround(folder)
	}
	rel, err := filepath.Rel(resolved(workspace), resolved(folder))
	if err != nil || !filepath.IsLocal(rel) {
		return workspace, workspace
	}
	return workspace, filepath.Join(workspace, rel)
}

// ofHead takes from the system what it tells of the pull request's head.
func (f *Facts) ofHead(v variables, get func(string) string) {
	f.Branch = cmp.Or(get(v.headBranch), f.Branch)
	if head := get(v.headCommit); head != "" && head != f.Commit {
		f.Commit, f.Message = head, "" // the message was that of a merge
	}
	base := cmp.Or(repositoryIn(get(v.baseRepository)), f.Repository)
	if head := repositoryIn(get(v.headRepository)); head != "" && !strings.EqualFold(head, base) {
		f.fromFork(head)
	}
}

// fromFork notes that the commit is a fork's. No system but those with an opinion of their own gives such a run its
// secrets by itself.
func (f *Facts) fromFork(name string) {
	f.ForkOf, f.UntrustedPullRequest = cmp.Or(name, UnnamedFork), true
}

var commitID = regexp.MustCompile(`^[0-9a-f]{7,64}$`)

// tidy takes out what is no branch and no commit: systems give refs, "HEAD" and words of their own in their place.
func (f *Facts) tidy() {
	if tag, ok := strings.CutPrefix(f.Branch, "refs/tags/"); ok {
		f.Tag = cmp.Or(f.Tag, tag)
	}
	f.Branch = strings.TrimPrefix(f.Branch, "refs/heads/")
	f.Tag = strings.TrimPrefix(f.Tag, "refs/tags/")
	if f.Tag != "" {
		f.Branch = f.Tag
	}
	if f.Branch == "HEAD" || strings.HasPrefix(f.Branch, "refs/") || strings.HasPrefix(f.Branch, "(") {
		f.Branch = ""
	}
	if f.Commit = strings.ToLower(f.Commit); !commitID.MatchString(f.Commit) {
		f.Commit = ""
	}
	f.Owner, _, _ = strings.Cut(f.Repository, "/")
	if f.Owner == f.Repository {
		f.Owner = "" // a name without an owner
	}
}

// complete takes from the checkout what the system did not tell.
func (f *Facts) complete(co checkout) {
	branch, commit := co.head()
	parents, _ := co.commit(commit)
	switch {
	case f.Commit != "" && strings.HasPrefix(commit, f.Commit):
		f.Commit = commit // it was short
	case f.Commit == "" && f.PullRequest != "" && len(parents) > 1:
		f.Warnings = append(f.Warnings, "the head commit of the pull request is not known, and what is checked out is a merge: give commit-sha")
	case f.Commit == "":
		f.Commit = commit
	}
	if f.Branch == "" && f.Commit == commit {
		f.Branch = branch
	}
	if f.Message == "" {
		_, f.Message = co.commit(f.Commit)
	}
	if owner, name := co.origin(); f.Repository == "" && owner != "" {
		f.Owner, f.Repository = owner, owner+"/"+name
	}
}

// repositoryIn is owner/name, with all groups between, of a repository that a system names so or by its address.
func repositoryIn(value string) string {
	if _, rest, ok := strings.Cut(value, "://"); ok {
		_, value, _ = strings.Cut(rest, "/")
		value = strings.TrimPrefix(value, "v1/repos/") // AWS CodeCommit
	} else if host, rest, ok := strings.Cut(value, ":"); ok && !strings.Contains(host, "/") {
		value = rest // git@host:owner/name.git
	}
	value, _, _ = strings.Cut(value, "?")
	return strings.TrimSuffix(strings.Trim(value, "/"), ".git")
}

// requestNumber is the number of a pull request that a system gives as such or at the end of its address; systems
// say "false" where there is none.
func requestNumber(value string) string {
	number := value[strings.LastIndexByte(value, '/')+1:]
	if !digits.MatchString(number) {
		return ""
	}
	return number
}

var digits = regexp.MustCompile(`^[0-9]+$`)
