package ci

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the tables of docs/ci-systems.md")

// The tables of the page are those of the code: run go test ./internal/ci -run TestDocumentation -update.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "ci-systems.md")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := string(data)
	want := region(t, region(t, got, "results", resultsTable()), "facts", factsTable())
	if got == want {
		return
	}
	if !*update {
		t.Fatal("docs/ci-systems.md differs from the table of systems; run: go test ./internal/ci -run TestDocumentation -update")
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// region puts a table between its markers.
func region(t *testing.T, text, name, table string) string {
	t.Helper()
	begin, end := "<!-- "+name+":begin -->\n", "<!-- "+name+":end -->"
	before, rest, found := strings.Cut(text, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("docs/ci-systems.md lacks %s and %s", begin, end)
	}
	return before + begin + "\n" + table + "\n" + end + after
}

func resultsTable() string {
	var b strings.Builder
	b.WriteString("| system | recognized by | outputs | summary | annotations | groups in the log | masks |\n")
	b.WriteString("| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, s := range systems() {
		r := s.results
		outputs := r.outputs
		if outputs == "" {
			outputs = "`output-file`"
		}
		summary := r.summary
		if summary == "" {
			summary = "`summary-file`"
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %s | %s | %s |\n",
			s.name, strings.Join(s.marks, "`, `"), outputs, summary, r.annotations, r.groups, r.masks)
	}
	return b.String()
}

func factsTable() string {
	var b strings.Builder
	b.WriteString("| system | branch | commit | message | pull request | tells forks |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, s := range systems() {
		v := s.vars
		if s.facts != nil {
			fmt.Fprintf(&b, "| %s | event, `GITHUB_REF_NAME` | event, `GITHUB_SHA` | event, `.git` | event | yes |\n", s.name)
			continue
		}
		forks := ""
		if s.forks || v.headRepository != "" {
			forks = "yes"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", s.name,
			names(v.headBranch+" "+v.branch, ".git"), names(v.headCommit+" "+v.commit, ".git"), names(v.message, ".git", v.headMessage),
			names(v.pullRequest, ""), forks)
	}
	return b.String()
}

// names is the variables of a fact, and what counts after them.
func names(variables, then string, last ...string) string {
	var all []string
	for name := range strings.FieldsSeq(variables + " " + then + " " + strings.Join(last, " ")) {
		all = append(all, "`"+name+"`")
	}
	return strings.Join(all, ", ")
}
