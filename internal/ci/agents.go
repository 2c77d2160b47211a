package ci

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// The hosts that take results through a program of theirs.

// buildkite is a job of Buildkite. Values go to its agent's standard input: a command line can be read by others.
func buildkite(s step) Host {
	var known ledger
	var unmasked atomic.Pointer[error] // why the agent takes no masks; a token may be masked in the middle of it all
	said := false                      // that it takes none
	style := "success"                 // as the worst that was annotated
	return host{
		facts: s.facts,
		mask: func(value string) {
			if unmasked.Load() != nil {
				return // it might let the run wait for each secret
			}
			if err := s.run(s.helper, []string{"redactor", "add", "--format", "json"}, numbered(maskedForms(value))); err != nil {
				err = fmt.Errorf("mask secrets in the log of other commands: %w", err)
				unmasked.Store(&err)
			}
		},
		group: func(title string) func() {
			fmt.Fprintf(s.stdout, "--- %s\n", title)
			return func() { fmt.Fprint(s.stdout, "+++ spice-deploy\n") } // or the rest would be folded too
		},
		annotate: func(a Annotation) {
			switch {
			case a.Level == Error:
				style = "error"
			case a.Level == Warning && style != "error":
				style = "warning"
			}
		},
		outputs: func(outs []Output) error {
			err := each(known.add(outs), func(out Output) error {
				return s.run(s.helper, []string{"meta-data", "set", dotenvName(out.Name)}, out.Value)
			})
			if mask := unmasked.Load(); mask != nil && !said {
				said = true
				return errors.Join(err, *mask)
			}
			return err
		},
		summary: func(markdown string) error {
			markdown, err := cutSummary(markdown, maxSummary, "Buildkite takes at most 1 MiB")
			if err != nil {
				return err
			}
			// One annotation for each job: two jobs of a build may deploy two apps.
			context := "spice-deploy-" + s.getenv("BUILDKITE_JOB_ID")
			return s.run(s.helper, []string{"annotate", "--style", style, "--context", context, "--append"}, markdown)
		},
	}
}

// numbered is texts as the values of a JSON object.
func numbered(texts []string) string {
	object := make(map[string]string, len(texts))
	for i, text := range texts {
		object[strconv.Itoa(i)] = text
	}
	data, _ := json.Marshal(object) // strings always have a JSON form
	return string(data)
}

// each runs a program for each output that is not empty, all at once: a run that is cancelled has seconds left, and
// each call is a request to a server.
func each(outs []Output, set func(Output) error) error {
	errs := make([]error, len(outs))
	var wg sync.WaitGroup
	for i, out := range outs {
		if strings.TrimSpace(out.Value) == "" {
			continue
		}
		wg.Go(func() { errs[i] = set(out) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// semaphore is a job of Semaphore: values go to the context of the workflow, the summary is the job's report.
func semaphore(s step) Host {
	var known ledger
	return host{
		facts: s.facts,
		outputs: func(outs []Output) error {
			return each(known.add(outs), func(out Output) error {
				return s.run(s.helper, []string{"put", dotenvName(out.Name) + "=" + oneLine(out.Value), "--force"}, "")
			})
		},
		summary: func(markdown string) error {
			artifact := onPath(s.getenv, "artifact")
			if artifact == "" {
				return errors.New("the program artifact is not on the PATH of this step")
			}
			dir, err := os.MkdirTemp("", "spice-deploy-")
			if err != nil {
				return fmt.Errorf("write the report: %w", err)
			}
			defer os.RemoveAll(dir) //nolint:errcheck // a file left in the temporary folder hurts nobody
			report := filepath.Join(dir, "REPORT.md")
			if err := replaceFile(report, []byte(markdown)); err != nil {
				return err
			}
			return s.run(artifact, []string{"push", "job", "--force", "--destination", ".semaphore/REPORT.md", report}, "")
		},
	}
}

// appveyor is a build of AppVeyor: variables of the steps that follow, and messages on the build's page.
func appveyor(s step) Host {
	var known ledger
	return host{
		facts: s.facts,
		annotate: func(a Annotation) {
			category := map[Level]string{Notice: "Information", Warning: "Warning"}[a.Level]
			if category == "" {
				category = "Error"
			}
			title, details, _ := strings.Cut(messageOf(a), "\n")
			_ = s.run(s.helper, []string{"AddMessage", title, "-Category", category, "-Details", details}, "") // the log has it
		},
		outputs: func(outs []Output) error {
			return each(known.add(outs), func(out Output) error {
				return s.run(s.helper, []string{"SetVariable", "-Name", dotenvName(out.Name), "-Value", oneLine(out.Value)}, "")
			})
		},
	}
}

// isProgram tells whether a path is a file that can be run.
func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
