package report_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/report"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
	"github.com/spicedeploy/spice-deploy/internal/spicepod"
	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
	"github.com/spicedeploy/spice-deploy/secretsync"
)

// saying is a result in which every text that can come from elsewhere is s.
func saying(s string) deploy.Result {
	app := spicecloud.App{ID: 7, Name: s, Region: s}
	return deploy.Result{
		Result: diag.Failed, ExitCode: 1, Reason: s, Hint: "look at " + s, Org: s, App: app,
		Request:    spicecloud.NewDeployment{Branch: s, CommitSHA: "c0ffee0", CommitMessage: s},
		Deployment: spicecloud.Deployment{ID: 86, RawStatus: s, ImageTag: s, ErrorCode: s, ErrorMessage: s},
		Plan:       &deploy.Plan{App: app, TagChanges: []string{s, s}, Spicepod: spicepod.Difference{Changes: []spicepod.Change{{Kind: "dataset", Name: s, Path: s, What: s}}, Unified: "+" + s + "\n"}},
		Secrets:    []secretsync.Outcome{{Name: s, Action: secretsync.Created}, {Name: s, Action: secretsync.NotWritten, Err: errors.New(s)}},
		Warnings:   []string{s},

		Datasets:        []spiceruntime.Dataset{{Name: s, From: s, Status: s, Error: s, ErrorMessage: s}},
		MissingDatasets: []string{s},
		Probes: []deploy.ProbeResult{
			{Probe: s, Outcome: spiceruntime.Outcome{Name: "sql", OK: true, Detail: s}},
			{Probe: s, Outcome: spiceruntime.Outcome{Name: "mcp", Error: s, Hint: "look at " + strings.ReplaceAll(s, "`", "")}},
		},
		RuntimeLog: []string{s, s},
	}
}

// FuzzSummary: remote text adds nothing to a summary but text. What is left of it without its text, which is our
// own markup, is the same as for a harmless word.
func FuzzSummary(f *testing.F) {
	for _, s := range []string{
		hostile, "`", "``` \n```", "a`b``c", "|", "a\n\n# b", "\r\n- x", "- x", "1. x", "===", "<details>", "</details>", "<!--", "&lt;", "&#60;img>",
		"@everyone", "#12", "https://evil.example", "www.evil.example", "a@b.example", "[a](b)", "![a](b)", "\\", "\\`", "$x$", "~~x~~", "> x",
		"\u202ex", "@\u200beveryone", "www\u200b.evil.example", "\xff<", "{{x}}", "``x", "x`", "::error::x", "\u2028# x", "`look` at `this",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf) }) == "" {
			return // a text that is empty has no row of its own
		}
		// Backticks in a hint mark code, and are the writer's: only what is filled into one is remote.
		harmless, hurtful := saying("word"), saying(s)
		hurtful.Hint = strings.ReplaceAll(hurtful.Hint, "`", "")
		got, want := skeleton(report.Summary(hurtful, logURL, asItIs)), skeleton(report.Summary(harmless, logURL, asItIs))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the markup (-of a word, +of %q):\n%s\n%s", s, diff, report.Summary(hurtful, logURL, asItIs))
		}
	})
}

var (
	entity  = regexp.MustCompile(`&(#[0-9]+|[a-z]+);`)
	escaped = regexp.MustCompile("\\\\[!-/:-@\\[-`{-~]")
	target  = regexp.MustCompile(`\]\(https://spice\.ai/[A-Za-z0-9%/._~:@!$&'*+,;=-]*\)`)
	address = regexp.MustCompile(`://|(?i)www\.|(?m)^(?:[-=]|[0-9]+\.)`)
)

// skeleton is the markup of a text: without the content of its code, without entities and escaped characters, and
// of the rest only what Markdown, HTML or GitHub may see something in.
func skeleton(markdown string) string {
	var b strings.Builder
	lines := strings.Split(markdown, "\n")
	for i := 0; i < len(lines); i++ {
		if strings.HasPrefix(lines[i], "```") {
			fence := lines[i][:len(lines[i])-len(strings.TrimLeft(lines[i], "`"))]
			for i++; i < len(lines) && lines[i] != fence; i++ {
			}
			b.WriteString("(block)\n")
			continue
		}
		line := escaped.ReplaceAllString(spans(lines[i]), "x")
		// GitHub finds a mention behind an entity too, unless something without width follows.
		line = strings.NewReplacer("&#64;&#8203;", "x", "&#64;", "@").Replace(line)
		line = target.ReplaceAllString(entity.ReplaceAllString(line, "x"), "](link)")
		b.WriteString(strings.Join(address.FindAllString(line, -1), ""))
		for _, r := range line {
			if strings.ContainsRune("*_[]()#!|~<>`@$\\", r) || unicode.In(r, unicode.Cc, unicode.Cf) {
				b.WriteRune(r)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// spans replaces code spans: a run of backticks that is not escaped, up to the next run of that length.
func spans(line string) string {
	var b strings.Builder
	for i := 0; i < len(line); {
		switch {
		case line[i] == '\\' && i+1 < len(line):
			b.WriteString(line[i : i+2])
			i += 2
		case line[i] == '`':
			n := len(line[i:]) - len(strings.TrimLeft(line[i:], "`"))
			end := closing(line[i+n:], n)
			if end < 0 {
				b.WriteString(line[i : i+n])
				i += n
				continue
			}
			b.WriteString("(code)")
			i += n + end + n
		default:
			b.WriteByte(line[i])
			i++
		}
	}
	return b.String()
}

// closing is where a run of exactly n backticks begins, -1 where there is none.
func closing(s string, n int) int {
	for i := 0; i < len(s); {
		run := len(s[i:]) - len(strings.TrimLeft(s[i:], "`"))
		if run == n {
			return i
		}
		i += max(1, run)
	}
	return -1
}
