// Package ci knows the CI system that a run is part of: what it tells of the commit, and how it takes masks,
// groups, annotations, outputs and summaries. One table has a row for each system. Where there is none of them, on a
// laptop, git is asked instead, and what only a CI system could take is dropped.
//
// It needs no git binary, and runs no program itself: where a system takes results through one, it hands that to the
// function that it is given. It does not decide what is deployed: it tells facts, and leaves empty what it does not
// know. It does not redact: what is annotated, written as an output or into the summary must have been redacted
// before.
package ci

import (
	"cmp"
	"io"
	"os"
	"path/filepath"
)

// Facts is what is known of the run and of the commit that it deploys. What is not known is empty.
type Facts struct {
	System string // "GitHub Actions"; "" on a laptop
	Event  string // the system's own word for what started the run, such as "push"

	// Branch, Commit and Message are those of the commit that is deployed: of the head for a pull request, never
	// of a merge commit made for it. For a tag, Branch is the tag's name. Message is whole, with all its lines.
	Branch, Commit, Message string

	Repository    string // owner/name
	Owner         string
	PullRequest   string // its number
	BuildURL      string // the page of this run
	Tag           string
	DefaultBranch string

	// ForkOf is not empty where the commit is the head of a fork: the fork's owner/name, or
	// [DeletedFork] or [UnnamedFork]. Empty where the system does not tell, too; see docs/ci-systems.md.
	ForkOf string
	// ForkUnknown tells that the run is about a change that may be a fork's, and that the event does not say.
	ForkUnknown bool
	// UntrustedPullRequest tells that CI secrets are empty, since the run is for a pull request from a fork or was
	// started by Dependabot.
	UntrustedPullRequest bool

	// Workspace is the folder that the repository was checked out into. Where no system names one that is there, it is
	// the top of the checkout that the current folder lies in, or the current folder where there is none. Folder, which
	// relative names begin in, is the current folder, or the workspace where that is elsewhere; it is empty on GitHub
	// and what is like it, where names begin in the workspace.
	Workspace, Folder string

	TempDir string // the CI system's folder for temporary files

	Warnings []string // what could not be found out, and what to do about it
}

// What stands for the name of a fork that is not told.
const (
	DeletedFork = "a deleted fork" // GitHub does not tell it any more
	UnnamedFork = "an unnamed fork"
)

// Level is how bad an annotation is.
type Level string

// The levels.
const (
	Notice  Level = "notice"
	Warning Level = "warning"
	Error   Level = "error"
)

// Annotation is a message that the CI system shows outside the log, at a line of a file where it is about one.
type Annotation struct {
	Level          Level
	Title, Message string
	File           string // relative to the workspace, "" where it is about none
	Line, Column   int    // from 1, 0 where unknown
}

// Output is a value for the steps and jobs that come after.
type Output struct{ Name, Value string }

// Host is the CI system, as the run talks to it.
type Host interface {
	Facts() Facts
	// Mask asks the system to cover a value in its log from now on. It prints nothing where the system has no such
	// thing, for that would show the value.
	Mask(value string)
	// Group folds the log lines up to the call of end, which may come more than once; only the first counts.
	Group(title string) (end func())
	// Annotate shows a message outside the log. The log line itself is the caller's to print.
	Annotate(a Annotation)
	// WriteOutputs appends outputs, so that it can be called for each as it becomes known; the last value of a name
	// counts.
	WriteOutputs(outs []Output) error
	// WriteSummary appends to the summary, which it cuts at the system's limit.
	WriteSummary(markdown string) error
}

// Detect finds the CI system by the environment. Commands to the system go to stdout, which must be the stream
// itself and not one that redacts, for a mask names what it masks. A stream that fails is no error here. The programs
// of the system are run by run.
func Detect(getenv func(string) string, stdout io.Writer, run Run) Host {
	if s := detect(getenv); s != nil {
		return s.open(getenv, stdout, run)
	}
	return host{facts: FactsAt(getenv, "")}
}

// FactsAt is the facts for a run that deploys what is in the folder dir, which is absolute or relative to
// [Facts.Folder], on GitHub and what is like it to the workspace; "" is that folder itself. It differs from
// [Host.Facts] where a workflow checks out more than one commit: what counts is the checkout that dir lies in, which
// for a pull_request_target may be the head of a fork.
func FactsAt(getenv func(string) string, dir string) Facts {
	if s := detect(getenv); s != nil {
		return s.factsAt(getenv, dir)
	}
	folder, err := os.Getwd()
	if err != nil {
		return Facts{Warnings: []string{"the current folder is not known (" + err.Error() + "); give absolute paths"}}
	}
	return localFacts(folder, dir)
}

// localFacts is what git tells of a folder on a laptop.
func localFacts(folder, dir string) Facts {
	co := findCheckout(below(folder, dir), "")
	branch, commit := co.head()
	_, message := co.commit(commit)
	owner, name := co.origin()
	f := Facts{Branch: branch, Commit: commit, Message: message}
	f.Workspace, f.Folder = workspaceAround(folder)
	if owner != "" {
		f.Owner, f.Repository = owner, owner+"/"+name
	}
	return f
}

// workspaceAround is the top of the checkout that a folder lies in, and the folder, both by names that begin alike:
// the folder's own where it has one for the top, else with links resolved. Outside of a checkout both are the folder.
func workspaceAround(folder string) (workspace, same string) {
	top := findCheckout(folder, "").top
	if top == "" {
		return folder, folder
	}
	for dir := folder; ; dir = filepath.Dir(dir) {
		if resolved(dir) == top {
			return dir, folder
		}
		if dir == filepath.Dir(dir) {
			return top, resolved(folder)
		}
	}
}

// below is dir, which is relative to workspace or absolute.
func below(workspace, dir string) string {
	if filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(workspace, cmp.Or(dir, "."))
}
