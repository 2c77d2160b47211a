package diag_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/diag"
)

func TestProblem_Error(t *testing.T) {
	t.Parallel()

	cases := []struct {
		name    string
		problem diag.Problem
		want    string
	}{
		{
			name:    "of_an_option",
			problem: diag.Problem{Option: "replicas", Message: "11 is too many; expected 1 to 10"},
			want:    "replicas: 11 is too many; expected 1 to 10",
		},
		{
			name:    "in_a_file_with_the_line",
			problem: diag.Problem{Option: "spicepod", File: "spicepod.yaml", Line: 3, Column: 3, Text: "  name: a", Message: "duplicate"},
			want:    "spicepod: spicepod.yaml:3:3: duplicate\n    name: a\n    ^",
		},
		{
			name:    "at_a_line_that_may_hold_a_secret",
			problem: diag.Problem{Option: "secrets", File: "secrets.env", Line: 7, Message: "no name"},
			want:    "secrets: secrets.env:7: no name",
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()

			if diff := cmp.Diff(tc.want, tc.problem.Error()); diff != "" {
				t.Errorf("message (-want, +got):\n%s", diff)
			}
		})
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()

	if err := (diag.Problems{}).Err(); err != nil {
		t.Errorf("expected no problems to be no error, got %v", err)
	}
	err := diag.Problems{{Option: "a", Message: "one"}, {Option: "b", Message: "two"}}.Err()
	if got, want := err.Error(), "a: one\nb: two"; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
	if problem, ok := errors.AsType[diag.Problem](err); !ok || problem.Option != "a" {
		t.Errorf("expected to find the first problem in the error, got %v", problem)
	}
}

func TestResult_ExitCode(t *testing.T) {
	t.Parallel()

	want := map[diag.Result]int{
		"succeeded": 0, "submitted": 0, "planned": 0, "skipped": 0, "failed": 1, "superseded": 1, "invalid-input": 2,
		"auth-error": 3, "timed-out": 4, "unavailable": 5, "conflict": 6, "verification-failed": 7, "rejected": 8,
		"internal-error": 70, "cancelled": 130, "a word nobody knows": 70,
	}
	got := map[diag.Result]int{}
	for result := range want {
		got[result] = result.ExitCode()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("exit codes (-want, +got):\n%s", diff)
	}
}

func TestHint(t *testing.T) {
	t.Parallel()

	if got := diag.Hint(diag.ScopeMissing, "scope", "secrets:write"); !strings.Contains(got, "the scope secrets:write;") {
		t.Errorf("expected the scope to be named in %q", got)
	}
	for _, remedy := range diag.Remedies() {
		hint := diag.Hint(remedy.Cause)
		if hint == "" || strings.ContainsAny(hint, "{}") || strings.Contains(hint, "  ") {
			t.Errorf("%s: expected a sentence without blanks to fill, got %q", remedy.Cause, hint)
		}
		if remedy.When == "" {
			t.Errorf("%s: nothing says when it happens", remedy.Cause)
		}
	}
	if got := diag.Hint("no such cause"); got != "" {
		t.Errorf("expected no hint, got %q", got)
	}
}
