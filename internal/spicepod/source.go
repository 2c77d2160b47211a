package spicepod

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spicedeploy/spice-deploy/internal/diag"
)

const (
	maxProblems = 100 // that are listed; a file of garbage has as many problems as lines
	maxText     = 120 // columns of a line of the file that a message shows
	// maxLine is how long a line, in bytes, may be for columns to be counted in it: a file of one line would
	// be gone through again for every column.
	maxLine = 4096
)

// source is the file as it was read, and what was found in it so far.
type source struct {
	name  string
	text  string // without a byte order mark, which counts for no column
	lines []int  // the offset at which each line begins

	problems []diag.Problem
	left     int // problems beyond maxProblems
	warnings []diag.Problem
}

func newSource(name string, data []byte) *source {
	s := &source{name: name, text: strings.TrimPrefix(string(data), "\uFEFF"), lines: []int{0}}
	for i := 0; i < len(s.text); i++ {
		switch {
		case s.text[i] == '\n', s.text[i] == '\r' && !strings.HasPrefix(s.text[i+1:], "\n"):
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// problem notes what is wrong at a position.
func (s *source) problem(at position, format string, args ...any) {
	if len(s.problems) == maxProblems {
		s.left++
		return
	}
	s.problems = append(s.problems, s.describe(at, format, args...))
}

// warn notes what works but may surprise.
func (s *source) warn(at position, format string, args ...any) {
	if len(s.warnings) < maxProblems {
		s.warnings = append(s.warnings, s.describe(at, format, args...))
	}
}

func (s *source) describe(at position, format string, args ...any) diag.Problem {
	return diag.Problem{
		Option: "spicepod", Message: fmt.Sprintf(format, args...),
		File: s.name, Line: at.line, Column: at.column, Text: s.show(at),
	}
}

// err is every problem so far as one error, in the order of the file; nil where there is none.
func (s *source) err() error {
	sortByPlace(s.problems)
	if s.left > 0 {
		s.problems = append(s.problems, s.describe(position{}, "%d more problems are not listed", s.left))
		s.left = 0
	}
	return diag.Problems(s.problems).Err()
}

func sortByPlace(ps []diag.Problem) {
	slices.SortStableFunc(ps, func(a, b diag.Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// line is a line of the file without its line break, "" where there is no such line.
func (s *source) line(n int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	end := len(s.text)
	if n < len(s.lines) {
		end = s.lines[n]
	}
	return strings.TrimRight(s.text[s.lines[n-1]:end], "\r\n")
}

// offset is where a position is in the text.
func (s *source) offset(at position) int {
	if at.line < 1 || at.line > len(s.lines) {
		return len(s.text)
	}
	i := s.lines[at.line-1]
	for column := 1; column < at.column && i < len(s.text); column++ {
		_, size := utf8.DecodeRuneInString(s.text[i:])
		i += size
	}
	return i
}

// position is the line and column of an offset; columns count characters, as the YAML library does. The
// column is 0 on a line that is too long.
func (s *source) position(offset int) position {
	n, found := slices.BinarySearch(s.lines, offset)
	if !found {
		n--
	}
	if len(s.line(n+1)) > maxLine {
		return position{n + 1, 0}
	}
	return position{n + 1, utf8.RuneCountInString(s.text[s.lines[n]:offset]) + 1}
}

// keyPattern finds "key:" at the beginning of a line, behind the dashes of a list. What does not look like
// that may be the middle of a long value and thereby of a secret.
var keyPattern = regexp.MustCompile(`^\s*(?:-\s+)*["']?([\w.<-]+)["']?\s*:(?:\s|$)`)

// show is the line as a message may show it: literal secrets hidden, short, free of what moves a cursor.
// It is empty where the line may be the inside of a secret, or where the column would point past or beside
// what is shown.
func (s *source) show(at position) string {
	line := s.line(at.line)
	if len(line) > maxLine || !keyPattern.MatchString(line) || s.insideSecret(at.line) {
		return ""
	}
	before, shown := []rune(line), []rune(hideInLine(line))
	if at.column-1 > min(len(shown), maxText) || !slices.Equal(before[:max(0, at.column-1)], shown[:max(0, at.column-1)]) {
		return ""
	}
	if len(shown) > maxText {
		shown = append(shown[:maxText-1], '…')
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return unicode.ReplacementChar
		}
		return r
	}, string(shown))
}

// insideSecret tells whether a key that looks like a credential encloses the line, by the indentation of
// the lines above it: the file need not be valid YAML.
func (s *source) insideSecret(n int) bool {
	inner := s.line(n)
	start := indentation(inner)
	for n--; n >= 1 && (start > 0 || isItem(inner)); n-- {
		outer := s.line(n)
		column := keyColumn(outer)
		// The dashes of a list may stand right below its key.
		if column > start || column == start && !isItem(inner) {
			continue
		}
		key := keyPattern.FindStringSubmatch(outer)
		if key == nil {
			continue
		}
		if looksSecret(key[1]) && !isSecretsSection(outer) {
			return true
		}
		inner, start = outer, indentation(outer)
	}
	return false
}

func indentation(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// keyColumn is where the key of a line begins, behind the dashes of a list.
func keyColumn(line string) int {
	rest := strings.TrimLeft(line, " ")
	for strings.HasPrefix(rest, "- ") {
		rest = strings.TrimLeft(rest[2:], " ")
	}
	return len(line) - len(rest)
}

func isItem(line string) bool {
	line = strings.TrimLeft(line, " ")
	return line == "-" || strings.HasPrefix(line, "- ")
}

// isSecretsSection tells whether the line begins the manifest's section of secret stores, whose entries
// are names of stores.
func isSecretsSection(line string) bool { return strings.HasPrefix(line, "secrets:") }
