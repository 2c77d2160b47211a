package ci

import (
	"encoding/base64"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/sethvargo/go-githubactions"
)

// github is a step of GitHub Actions, or of what runs its actions.
type github struct {
	facts   Facts
	getenv  func(string) string
	actions *githubactions.Action
}

var _ Host = (*github)(nil)

func newGitHub(s step) *github {
	return &github{
		facts:  s.facts,
		getenv: s.getenv,
		actions: githubactions.New(
			githubactions.WithWriter(s.stdout),
			githubactions.WithGetenv(s.getenv),
		),
	}
}

// unfailing hides errors of the stream from go-githubactions, which panics on one. A log that nobody can read any
// more must not end a deployment.
type unfailing struct{ w io.Writer }

func (u unfailing) Write(p []byte) (int, error) {
	_, _ = u.w.Write(p)
	return len(p), nil
}

func (g *github) Facts() Facts { return g.facts }

// Mask has the runner cover the value's lines and the forms that other programs give it.
func (g *github) Mask(value string) {
	for _, form := range maskedForms(value) {
		g.actions.AddMask(form)
	}
}

// minMask is the fewest characters that are masked. A shorter mask, such as the line "{" of a JSON key file, would
// cover that text all over the log, and GitHub drops every output that holds it.
const minMask = 4

// maskedForms is each line of the value by itself, since a log shows a value of several lines that way, and the
// whole as base64 and as the inside of a JSON string.
func maskedForms(value string) []string {
	var forms []string
	add := func(form string) {
		if utf8.RuneCountInString(form) >= minMask && !slices.Contains(forms, form) {
			forms = append(forms, form)
		}
	}
	whole := strings.TrimSpace(value)
	for _, line := range strings.FieldsFunc(whole, func(r rune) bool { return r == '\n' || r == '\r' }) {
		add(strings.TrimSpace(line))
	}
	if utf8.RuneCountInString(whole) >= minMask {
		add(base64.StdEncoding.EncodeToString([]byte(value)))
		inside := quoteJSON(whole)
		add(inside[1 : len(inside)-1])
	}
	return forms
}

func (g *github) Group(title string) func() {
	g.actions.Group(Defuse(title))
	var ended atomic.Bool
	return func() {
		if ended.CompareAndSwap(false, true) {
			g.actions.EndGroup()
		}
	}
}

// maxAnnotation is where the runner cuts a message, in UTF-16 units (ExecutionContext.cs); counted in bytes here,
// of which there are never fewer.
const maxAnnotation = 4096

func (g *github) Annotate(a Annotation) {
	fields := make(map[string]string)
	if a.Title != "" {
		fields["title"] = Defuse(a.Title)
	}
	if a.File != "" {
		fields["file"] = a.File
		if a.Line > 0 {
			fields["line"] = strconv.Itoa(a.Line)
		}
		if a.Line > 0 && a.Column > 0 {
			fields["col"] = strconv.Itoa(a.Column)
		}
	}
	message := shortened(defusedLines(a.Message), maxAnnotation)

	actions := g.actions.WithFieldsMap(fields)
	switch a.Level {
	case Notice:
		actions.Noticef("%s", message)
	case Warning:
		actions.Warningf("%s", message)
	default:
		actions.Errorf("%s", message)
	}
}

// shortened cuts a text to at most limit bytes, between two runes, and shows that it did.
func shortened(text string, limit int) string {
	const mark = "…"
	if len(text) <= limit {
		return text
	}
	end := limit - len(mark)
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + mark
}
