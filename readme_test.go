package main_test

import (
	"errors"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestREADME_commands runs each command that the README shows with what it prints, and compares, but for what is
// different each time.
func TestREADME_commands(t *testing.T) {
	t.Parallel()

	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(readme), "```console\n$ ")[1:]
	if len(blocks) == 0 {
		t.Fatal("README.md has no console block")
	}
	for _, block := range blocks {
		block, _, _ = strings.Cut(block, "```")
		// A command goes on behind a backslash at the end of its line.
		lines := strings.SplitAfter(block, "\n")
		n := 1 + slices.IndexFunc(lines, func(line string) bool { return !strings.HasSuffix(line, "\\\n") })
		command, want := strings.Join(lines[:n], ""), strings.Join(lines[n:], "")
		t.Run(lines[0], func(t *testing.T) {
			t.Parallel()

			got, err := exec.CommandContext(t.Context(), "sh", "-c", command).CombinedOutput()
			if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed { // how it ended is a line of its own
				t.Fatal(err)
			}
			if diff := cmp.Diff(timeless(want), timeless(string(got))); diff != "" {
				t.Errorf("%s (-README.md, +now):\n%s", command, diff)
			}
		})
	}
}

var (
	commitLine = regexp.MustCompile(`(?m)^commit .*\n`)
	changing   = regexp.MustCompile(`127\.0\.0\.1:\d+|\d+(\.\d+)?s\b`)
)

// timeless takes the commit (a copy without .git has none), the port and durations out of a log.
func timeless(log string) string {
	return changing.ReplaceAllString(commitLine.ReplaceAllString(log, ""), "…")
}
