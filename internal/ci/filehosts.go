package ci

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf16"
)

// The hosts that take results as files.

// GitLab's limits (parse_dotenv_artifact_service.rb): less than 5 KiB, and 20 variables unless the instance says
// otherwise.
const (
	gitlabReport    = "spice-deploy.env"
	maxGitlabReport = 5<<10 - 1
	maxGitlabNumber = 20
)

// gitlab writes a dotenv report, which a job names under artifacts:reports:dotenv. GitLab takes what stands behind
// "=" as it is, quotes included, so there are none.
func gitlab(s step) Host {
	plain := func(name, value string) string { return name + "=" + strings.TrimSpace(oneLine(value)) }
	limits := room{maxGitlabReport, maxGitlabNumber, func(o Output) int { return len(plain(o.Name, o.Value)) + 1 }, "a dotenv report of GitLab"}
	sections := 0
	var known ledger
	return host{
		facts: s.facts,
		group: func(title string) func() {
			sections++
			name := fmt.Sprintf("spice_deploy_%d", sections)
			fmt.Fprintf(s.stdout, "\x1b[0Ksection_start:%d:%s[collapsed=true]\r\x1b[0K%s\n", time.Now().Unix(), name, title)
			return func() { fmt.Fprintf(s.stdout, "\x1b[0Ksection_end:%d:%s\r\x1b[0K\n", time.Now().Unix(), name) }
		},
		outputs: func(outs []Output) error {
			known.add(outs)
			kept, left := limits.fit(known)
			return errors.Join(replaceFile(filepath.Join(s.facts.Workspace, gitlabReport), []byte(lines(kept, plain))), left)
		},
	}
}

// jenkins writes a Java properties file, which readProperties of a pipeline reads. What is not ASCII is escaped, as
// Java before 9 read such files as Latin-1.
func jenkins(s step) Host {
	var known ledger
	return host{facts: s.facts, outputs: func(outs []Output) error {
		known.add(outs)
		text := lines(known, func(name, value string) string { return name + "=" + propertyValue(value) })
		return replaceFile(filepath.Join(s.facts.Workspace, "spice-deploy.properties"), []byte(text))
	}}
}

// propertyValue is a value as java.util.Properties reads it.
func propertyValue(value string) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(value, "\uFFFD") {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\\':
			b.WriteString(`\\`)
		case r == ' ' && b.Len() == 0:
			b.WriteString(`\ `) // else it would belong to the "="
		case r < ' ' || r > '~':
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// circle appends to the file that the shells of the next steps read first. It is a script, so every value is quoted.
func circle(s step) Host {
	return appending(s, "BASH_ENV", func(name, value string) string { return "export " + name + "=" + dotenvValue(value) })
}

// harness appends to the file of the step's output variables, which is read by github.com/joho/godotenv: in single
// quotes, where it knows no escape but one of the quote itself.
func harness(s step) Host {
	h := appending(s, "DRONE_OUTPUT HARNESS_OUTPUT", func(name, value string) string {
		value = strings.ReplaceAll(oneLine(value), "'", "’")
		if strings.HasSuffix(value, `\`) {
			value += " "
		}
		if !bare.MatchString(value) {
			value = "'" + value + "'"
		}
		return name + "=" + value
	})
	card := drones(s).(host)
	appended := h.outputs
	h.outputs = func(outs []Output) error { return errors.Join(appended(outs), card.outputs(outs)) }
	h.summary = card.summary
	return h
}

// bitbucket appends to the file of the step's output variables. Atlassian does not say how it reads more than one
// word, so what is more is left to output-file.
func bitbucket(s step) Host {
	h := appending(s, "BITBUCKET_PIPELINES_VARIABLES_PATH", func(name, value string) string { return name + "=" + value })
	appended := h.outputs
	h.outputs = func(outs []Output) error {
		var words []Output
		for _, out := range outs {
			if bare.MatchString(out.Value) {
				words = append(words, out)
			}
		}
		return appended(words)
	}
	return h
}

// appending is a host that appends outputs to the file that the first of the variables names. Where none is set,
// the step has no outputs, and nothing is said about it: plugins and shells other than bash have none.
func appending(s step, variables string, format func(name, value string) string) host {
	var known ledger
	return host{facts: s.facts, outputs: func(outs []Output) error {
		path := first(s.getenv, variables)
		if path == "" {
			return nil
		}
		variable, _, _ := strings.Cut(variables, " ")
		return appendLines(variable, path, lines(known.add(outs), format))
	}}
}

// tektonResults is the folder of a task's results; a task sets it, for Tekton sets no variable that tells it.
const tektonResults = "TEKTON_RESULTS_DIR"

// maxTekton is what all results together may cost. Kubernetes takes 4096 bytes of them from a container, as JSON and
// with words of Tekton's own, and a task with more fails although its step did not.
const maxTekton = 3 << 10

// tekton writes each output to a file of its name; Tekton takes those that the task declares.
func tekton(s step) Host {
	limits := room{cost: maxTekton, taker: "Tekton", of: func(o Output) int {
		return len(`{"key":"","value":"","type":1},`) + len(o.Name) + 2*len(quoteJSON(o.Value)) // it may be escaped twice
	}}
	var known ledger
	return host{facts: s.facts, outputs: func(outs []Output) error {
		known.add(outs)
		kept, left := limits.fit(known)
		errs := []error{left}
		for _, out := range kept {
			errs = append(errs, replaceFile(filepath.Join(s.getenv(tektonResults), dotenvName(out.Name)), []byte(out.Value)))
		}
		return errors.Join(errs...)
	}}
}

// maxCloudBuild is what Cloud Build keeps of a step's output, in bytes (its API's buildStepOutputs).
const maxCloudBuild = 4 << 10

// cloudBuild writes the outputs as dotenv to the one file that a step has for them.
func cloudBuild(s step) Host {
	format := func(name, value string) string { return name + "=" + dotenvValue(value) }
	limits := room{cost: maxCloudBuild, taker: "Cloud Build", of: func(o Output) int { return len(format(o.Name, o.Value)) + 1 }}
	var known ledger
	return host{facts: s.facts, outputs: func(outs []Output) error {
		known.add(outs)
		kept, left := limits.fit(known)
		return errors.Join(replaceFile(filepath.Join(s.getenv("BUILDER_OUTPUT"), "output"), []byte(lines(kept, format))), left)
	}}
}

// travis folds lines of its log, and takes nothing else.
func travis(s step) Host {
	folds := 0
	return host{facts: s.facts, group: func(title string) func() {
		folds++
		name := fmt.Sprintf("spice_deploy.%d", folds)
		fmt.Fprintf(s.stdout, "travis_fold:start:%s\r\x1b[0K%s\n", name, cmp.Or(title, name))
		return func() { _, _ = io.WriteString(s.stdout, "travis_fold:end:"+name+"\r\x1b[0K\n") }
	}}
}
