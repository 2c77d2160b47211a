package ci

import (
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// system is a CI system: how it is recognized, where it tells its facts and how it takes results. All of them are
// in the table that [systems] returns. Adding one is adding a row, a host if it takes results, and a test with its
// environment; docs/ci-systems.md comes from the rows.
type system struct {
	name  string
	marks []string // variables that are set there, as NAME or NAME=value; one of them suffices
	vars  variables
	// more tells what none of the variables does. The lookup is the one that the facts come from.
	more func(getenv func(string) string, co checkout, f *Facts)
	// lookup is where the facts come from, nil for the environment itself.
	lookup func(getenv func(string) string) func(string) string
	// facts replaces all of the above but the marks where a system tells its facts in another way.
	facts func(getenv func(string) string, dir string) Facts

	forks  bool   // that more tells forks
	helper string // the program that takes results, which the system gives its steps; "" where it needs none
	host   func(s step) Host

	results results
}

// variables names where a fact is, each as names separated by blanks, of which the first that is not empty counts.
type variables struct {
	event, branch, commit, message, repository, pullRequest, buildURL, tag, defaultBranch, workspace, tempDir string

	// Those of the head, which count on a pull request only. Without them the ones above are the head's.
	headBranch, headCommit, headMessage, headRepository string
	// baseRepository is where repository is not what a fork is to be compared with.
	baseRepository string
}

// results says for the documentation how a system takes results, in Markdown; what is empty it does not take.
type results struct{ outputs, summary, annotations, groups, masks string }

// step is what a host is made of.
type step struct {
	facts  Facts
	getenv func(string) string
	stdout io.Writer // never fails
	run    Run
	helper string // the path of the helper program, "" where there is none
}

// Run runs a program that the CI system gives its steps and waits for its end, for a limited time. The path is
// absolute. What the program prints belongs into the error only: it must not reach the log unseen.
type Run func(path string, args []string, stdin string) error

// detect is the first row that the environment fits, nil on a laptop.
func detect(getenv func(string) string) *system {
	for _, s := range systems() {
		if slices.ContainsFunc(s.marks, func(mark string) bool {
			name, value, exact := strings.Cut(mark, "=")
			got := getenv(name)
			return got != "" && (!exact || got == value)
		}) {
			return &s
		}
	}
	return nil
}

// open makes the host of a system.
func (s *system) open(getenv func(string) string, stdout io.Writer, run Run) Host {
	st := step{facts: s.factsAt(getenv, ""), getenv: getenv, stdout: unfailing{stdout}, run: run}
	if s.helper != "" {
		st.helper = onPath(getenv, s.helper)
	}
	if s.host == nil || s.helper != "" && st.helper == "" {
		return host{facts: st.facts}
	}
	return s.host(st)
}

// onPath finds a program as a shell does. Folders that are relative are left out, for what lies in the checkout is
// not the CI system's.
func onPath(getenv func(string) string, program string) string {
	for _, dir := range filepath.SplitList(getenv("PATH")) {
		if path := filepath.Join(dir, program); filepath.IsAbs(dir) && isProgram(path) {
			return path
		}
	}
	return ""
}

// host is a CI system of which each part may be missing.
type host struct {
	facts    Facts
	mask     func(value string)
	group    func(title string) (end func())
	annotate func(a Annotation)
	outputs  func(outs []Output) error
	summary  func(markdown string) error
}

var _ Host = host{}

func (h host) Facts() Facts { return h.facts }

func (h host) Mask(value string) {
	if h.mask != nil {
		h.mask(value)
	}
}

func (h host) Group(title string) func() {
	if h.group == nil {
		return func() {}
	}
	end := h.group(Defuse(title))
	ended := false
	return func() {
		if !ended {
			ended = true
			end()
		}
	}
}

func (h host) Annotate(a Annotation) {
	if h.annotate == nil {
		return
	}
	a.Title, a.Message = Defuse(a.Title), defusedLines(a.Message)
	h.annotate(a)
}

func (h host) WriteOutputs(outs []Output) error {
	if h.outputs == nil || len(outs) == 0 {
		return nil
	}
	valid := slices.Clone(outs)
	for i, out := range outs {
		if err := checkName(out); err != nil {
			return err
		}
		valid[i].Value = strings.ToValidUTF8(out.Value, "\uFFFD")
	}
	return h.outputs(valid)
}

func (h host) WriteSummary(markdown string) error {
	if h.summary == nil || markdown == "" {
		return nil
	}
	return h.summary(markdown)
}
