package deploy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/diag"
)

// scene is one run and everything that is to be true at its end. Texts are patterns: pieces that stand in this
// order, separated by " … ".
type scene struct {
	name  string
	args  string       // of the command line, besides the app's name and the commit
	given func(*stage) // what is there, and what happens meanwhile
	also  func(*stage, ended)

	result  diag.Result
	exit    int
	reason  string
	hint    string   // "" : not looked at
	log     []string // lines that are there, in this order, among others
	silent  []string // no line has any of these
	writes  []string // all of them
	history []string // all deployments there are, besides the first one, 1001
	took    string   // "4s" or "4s-5s"
}

// firstDeployment is the one that the app had before everything; it stays as it is.
const firstDeployment = "1001 somebody-else "

func playAll(t *testing.T, scenes []scene) {
	t.Helper()
	for _, sc := range scenes {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T) { play(t, sc) })
		})
	}
}

func play(t *testing.T, sc scene) {
	t.Helper()
	s := newStage(t, sc.args)
	if sc.given != nil {
		sc.given(s)
	}
	e := s.run()
	checkResult(t, e)
	if e.Result.Result != sc.result || e.ExitCode != sc.exit {
		t.Errorf("result: got %s with exit code %d, want %s with %d", e.Result.Result, e.ExitCode, sc.result, sc.exit)
	}
	if !like(e.Reason, sc.reason) {
		t.Errorf("reason:\n got %q\nwant %q", e.Reason, sc.reason)
	}
	if !like(e.Hint, sc.hint) {
		t.Errorf("hint:\n got %q\nwant %q", e.Hint, sc.hint)
	}
	checkLog(t, e.log, sc)
	if diff := cmp.Diff(append([]string{}, sc.writes...), anyNumber(e.writes, sc.writes)); diff != "" {
		t.Errorf("writes (-want, +got):\n%s", diff)
	}
	history := e.history
	if len(history) > 0 && strings.HasPrefix(history[0], firstDeployment) {
		history = history[1:]
	}
	if diff := cmp.Diff(append([]string{}, sc.history...), history); diff != "" {
		t.Errorf("history (-want, +got):\n%s", diff)
	}
	if !inRange(t, e.took, sc.took) {
		t.Errorf("took %s, want %s", e.took, sc.took)
	}
	if sc.also != nil {
		sc.also(s, e)
	}
	if t.Failed() {
		t.Logf("result: %s (%d)\nreason: %s\nhint:   %s\nlog:\n  %s", e.Result.Result, e.ExitCode, e.Reason, e.Hint, strings.Join(e.log, "\n  "))
	}
}

// anyNumber writes ×* for the number of a line where that is what is wanted.
func anyNumber(got, want []string) []string {
	got = slices.Clone(got)
	for i := range min(len(got), len(want)) {
		if what, ok := strings.CutSuffix(want[i], "×*"); ok && strings.HasPrefix(got[i], what+"×") {
			got[i] = want[i]
		}
	}
	return got
}

func checkLog(t *testing.T, log []string, sc scene) {
	t.Helper()
	rest := log
	for _, want := range sc.log {
		for len(rest) > 0 && !like(rest[0], want) {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			t.Errorf("log: %q is missing, or not in its place", want)
			break
		}
		rest = rest[1:]
	}
	for _, line := range log {
		for _, never := range sc.silent {
			if strings.Contains(line, never) {
				t.Errorf("log: %q is not to be said", line)
			}
		}
	}
}

// inRange reads "4s", or "4s-5s".
func inRange(t *testing.T, took time.Duration, want string) bool {
	t.Helper()
	from, to, ok := strings.Cut(want, "-")
	if !ok {
		to = from
	}
	least, err := time.ParseDuration(from)
	if err != nil {
		t.Fatal(err)
	}
	most, err := time.ParseDuration(to)
	if err != nil {
		t.Fatal(err)
	}
	return least <= took && took <= most
}
