package emulator

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

var secretReference = regexp.MustCompile(`\$\{\s*(secrets|env):\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}`)

// missingSecrets is the references of the spicepod that its instances could not resolve. The runtime looks
// secrets up in upper case.
func (d *deployment) missingSecrets() []string {
	var missing []string
	for _, m := range secretReference.FindAllStringSubmatch(string(encode(d.spicepod)), -1) {
		reference := "${ " + m[1] + ":" + m[2] + " }"
		if !slices.Contains(d.secretNames, strings.ToUpper(m[2])) && !slices.Contains(missing, reference) {
			missing = append(missing, reference)
		}
	}
	return missing
}

// logLines is what the runtime says at its start: which secrets it missed, what it could not load, and whether
// everything was loaded.
func (s *state) logLines(a *app, d *deployment, sp span, now time.Time) []string {
	lines := []string{"Starting runtime"}
	missing := d.missingSecrets()
	if len(missing) == 0 {
		lines = append(lines, "secrets_preflight: all secret references resolved")
	} else {
		lines = append(lines, fmt.Sprintf("secrets_preflight: %d secret references could not be resolved", len(missing)))
	}
	for _, reference := range missing {
		lines = append(lines, "✗ "+reference+" could not be resolved")
	}
	run := s.runningAs(a, d, sp, now)
	lines = append(lines, run.failures()...)
	lines = append(lines, d.outcome.Logs...)
	if d.succeededBy(sp, now) && !s.hangs(a, d, sp, now) && s.loaded(run) {
		lines = append(lines, "All components are loaded. Spice runtime is ready!")
	}
	return lines
}

// failures is what could not be loaded, also where it could later: a log keeps its lines.
func (run *running) failures() []string {
	var lines []string
	for _, kind := range []struct{ section, word string }{{"datasets", "dataset"}, {"models", "LLM"}, {"embeddings", "embedding"}} {
		scripts := run.script.Models
		if kind.section == "datasets" {
			scripts = run.script.Datasets
		}
		for _, m := range run.entries(kind.section) {
			name := text(m, "name")
			script := scripts[name]
			if script.failed() {
				lines = append(lines, fmt.Sprintf("Failed to load %s %s: %s", kind.word, name, script.message()))
			}
		}
	}
	return lines
}

// loaded tells whether nothing is missing or in error any more.
func (s *state) loaded(run *running) bool {
	return len(s.waitsFor(run)) == 0 && !slices.ContainsFunc(run.datasets(), func(d dataset) bool { return d.state.failed() })
}
