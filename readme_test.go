package main_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestREADME_firstCommand runs the first command of the README and compares what it prints with what the README
// shows, but for what is different each time.
func TestREADME_firstCommand(t *testing.T) {
	t.Parallel()

	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(readme), "```console\n$ ")
	block, _, _ = strings.Cut(block, "```")
	command, want, found := strings.Cut(block, "\n")
	if !found {
		t.Fatal("README.md has no console block")
	}
	got, err := exec.CommandContext(t.Context(), "sh", "-c", command).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, got)
	}
	if diff := cmp.Diff(timeless(want), timeless(string(got))); diff != "" {
		t.Errorf("%s (-README.md, +now):\n%s", command, diff)
	}
}

var changing = regexp.MustCompile(`(?m)^commit .*\n|127\.0\.0\.1:\d+|\d+(\.\d+)?s\b`)

// timeless takes the commit (a copy without .git has none), the port and durations out of a log.
func timeless(log string) string { return changing.ReplaceAllString(log, "…") }
