package simulation_test

import (
	"flag"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	seeds   = flag.Int("seeds", 2000, "how many seeds to run")
	oneSeed = flag.Int64("seed", -1, "run this seed alone and print its history")
)

// TestSimulation runs seed after seed and holds every promise after each.
func TestSimulation(t *testing.T) {
	if *oneSeed >= 0 {
		e := simulate(t, checkout(t), draw(uint64(*oneSeed)), bend{})
		t.Log(e.history())
		for _, wrong := range e.broken() {
			t.Error(wrong)
		}
		return
	}
	results := map[string]int{}
	var mu sync.Mutex
	each(t, *seeds, func(t *testing.T, dir string, seed uint64) {
		e := simulate(t, dir, draw(seed), bend{})
		for _, wrong := range e.broken() {
			t.Errorf("seed %d: %s\n%s\nrun it again: go test ./internal/simulation -run TestSimulation -seed %d -v", seed, wrong, e.history(), seed)
		}
		mu.Lock()
		results[e.outputs["result"]]++
		if end := e.rollback(); end != "" {
			results[end]++
		}
		mu.Unlock()
	})
	t.Logf("%d seeds: %v", *seeds, results)
	// A simulation that never gets anywhere proves nothing.
	for _, result := range []string{"succeeded", "failed", "superseded", "timed-out", "unavailable", "conflict", "cancelled", "planned", "skipped", "submitted", "invalid-input", "verification-failed", "rolled back", "rollback failed", "not rolled back"} {
		if *seeds >= 1000 && results[result] == 0 {
			t.Errorf("no seed ended as %s", result)
		}
	}
}

// TestSimulation_isRepeatable: the same seed, the same run, whatever the scheduler does.
func TestSimulation_isRepeatable(t *testing.T) {
	dir := checkout(t)
	for seed := range uint64(50) {
		first, second := simulate(t, dir, draw(seed), bend{}), simulate(t, dir, draw(seed), bend{})
		if diff := cmp.Diff(inOrder(first.history()), inOrder(second.history())); diff != "" {
			t.Fatalf("seed %d differs:\n%s", seed, diff)
		}
	}
}

// inOrder sorts the lines, since those of parallel requests at the same instant come in any order, and leaves out
// the signs of life, which may come just before or just after a line of the same instant.
func inOrder(history string) []string {
	lines := slices.DeleteFunc(strings.Split(history, "\n"), func(line string) bool { return strings.HasPrefix(line, "waiting ") })
	slices.Sort(lines)
	return lines
}

// each runs do for the seeds on all cores until the test has failed.
func each(t *testing.T, n int, do func(t *testing.T, dir string, seed uint64)) {
	t.Helper()
	var next atomic.Int64
	t.Run("seeds", func(t *testing.T) {
		for worker := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint(worker), func(t *testing.T) {
				t.Parallel()
				dir := checkout(t)
				for seed := next.Add(1) - 1; seed < int64(n) && !t.Failed(); seed = next.Add(1) - 1 {
					do(t, dir, uint64(seed))
				}
			})
		}
	})
}

// history is the story of a run: its inputs, what it said, what the service was asked and what it has.
func (e *ending) history() string {
	var b strings.Builder
	fmt.Fprintf(&b, "-- inputs --\n")
	for name, value := range e.world.inputs {
		if value != "" && name != "secrets" {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	lines := strings.Split(b.String(), "\n")
	slices.Sort(lines)
	b.Reset()
	b.WriteString(strings.Join(lines, "\n"))
	fmt.Fprintf(&b, "\nfaults %.2f, cancelled after %s\n-- log --\n", e.world.faultRate, e.world.cancel)
	for line := range strings.Lines(e.log) {
		if !strings.HasPrefix(line, "::") {
			b.WriteString(line)
		}
	}
	fmt.Fprintf(&b, "-- exit %d after %s --\n-- requests --\n", e.exit, e.took)
	var requests []string
	for _, r := range e.cloud.Requests() {
		requests = append(requests, fmt.Sprintf("%s %s %s %d %s", r.ReceivedAt.UTC().Format("15:04:05.000"), r.Method, r.Path, r.Status, r.Fault))
	}
	slices.Sort(requests) // parallel ones arrive in any order
	b.WriteString(strings.Join(requests, "\n"))
	b.WriteString("\n-- deployments --\n")
	for _, d := range e.deployments() {
		fmt.Fprintf(&b, "%d %s by %s, commit %s, created %s\n", d.ID, d.Status, d.Actor, d.CommitSHA, d.CreatedAt.UTC().Format("15:04:05.000"))
	}
	return b.String()
}
