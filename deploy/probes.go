package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
)

// checkProbes runs every probe, whatever became of those before.
func (v *verification) checkProbes(ctx context.Context) error {
	defer v.span(SpanProbes)()
	var failed []ProbeResult
	for _, probe := range v.Probes {
		outcome := v.attempt(ctx, probe)
		result := ProbeResult{Probe: probe.Text, Outcome: outcome}
		v.result.Probes = append(v.result.Probes, result)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		v.answered = v.answered || outcome.Kind != spiceruntime.Refused && outcome.Kind != spiceruntime.BadAnswer
		took := outcome.Duration.Round(time.Millisecond)
		if outcome.OK {
			v.info(PhaseVerify, "%s passed in %s: %s", probe, took, outcome.Detail)
			continue
		}
		failed = append(failed, result)
		v.info(PhaseVerify, "%s failed after %s: %s", probe, took, outcome.Error)
	}
	if len(failed) == 0 {
		return nil
	}
	reasons := make([]string, len(failed))
	for i, f := range failed {
		reasons[i] = fmt.Sprintf("%s (%s): %s", f.Name, f.Probe, f.Error)
	}
	err := fmt.Errorf("%d of %s failed: %s", len(failed), counted(len(v.Probes), "probe"), some(reasons))
	if !v.answered {
		return v.unproven(diag.RuntimeRefused, false, err)
	}
	orElse := ""
	if v.Options.FailOnTestError {
		orElse = ". Where that is no failure, set fail-on-test-error: false"
	}
	return v.unproven(diag.ProbeFailed, false, err, "hint", hintOf(failed), "else", orElse)
}

// attempt runs a probe. While the runtime may still be starting, one that was not answered well is made again; one
// that took all of its time is not, since it may have cost something.
func (v *verification) attempt(ctx context.Context, probe spiceruntime.Probe) spiceruntime.Outcome {
	const again = 2 * time.Second
	for {
		limited, cancel := context.WithTimeout(ctx, v.Options.TestTimeout)
		outcome := v.runtime.Run(limited, probe)
		cancel()
		if outcome.Kind != spiceruntime.Unavailable || outcome.Duration >= v.Options.TestTimeout || time.Until(v.warm) <= again || ctx.Err() != nil {
			return outcome
		}
		v.notice(PhaseVerify, "%s was not answered well (%s): trying again until test-warmup-seconds have passed", probe, outcome.Error)
		if pause(ctx, again) != nil {
			return outcome
		}
	}
}

// passOver notes of the probes that were not made that they were not: they were asked for, and have not passed.
func (v *verification) passOver() {
	for _, probe := range v.Probes[len(v.result.Probes):] {
		v.result.Probes = append(v.result.Probes, ProbeResult{
			Probe: probe.Text, Outcome: spiceruntime.Outcome{Name: probe.Kind, Error: "it was not run: the verification had ended before"},
		})
	}
}

// hintOf is the advice about the probes that failed, each once.
func hintOf(failed []ProbeResult) string {
	var hints []string
	for _, f := range failed {
		if hint := "; " + f.Hint; f.Hint != "" && !slices.Contains(hints, hint) {
			hints = append(hints, hint)
		}
	}
	return strings.Join(hints, "")
}
