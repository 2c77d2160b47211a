package main

import (
	"regexp"
	"strings"
	"testing"
)

// screen is a terminal without an end below, as far as the log needs one: what it does not know fails the test.
type screen struct {
	columns  int
	rows     [][]rune
	broken   map[int]bool // rows that go on in the next one, since they were too long
	row, col int
	noWrap   bool
	widest   int // the most columns that were used while lines were not broken
}

// sequence is one control sequence at the beginning of a text.
var sequence = regexp.MustCompile(`^\x1b\[(\??[0-9;]*)([A-Za-z])`)

// shownOn is what a terminal of so many columns shows in the end.
func shownOn(t *testing.T, columns int, output string) *screen {
	t.Helper()
	s := &screen{columns: columns, broken: map[int]bool{}}
	for output != "" {
		if match := sequence.FindStringSubmatch(output); match != nil {
			s.control(t, match[1]+match[2])
			output = output[len(match[0]):]
			continue
		}
		r := []rune(output[:min(len(output), 4)])[0]
		output = output[len(string(r)):]
		s.put(t, r)
	}
	return s
}

func (s *screen) control(t *testing.T, what string) {
	t.Helper()
	switch {
	case what == "J": // to the end of the screen
		s.at(s.row)
		s.rows = s.rows[:s.row+1]
		s.rows[s.row] = s.rows[s.row][:min(s.col, len(s.rows[s.row]))]
		for row := range s.broken {
			if row >= s.row {
				delete(s.broken, row)
			}
		}
	case what == "?7l":
		s.noWrap = true
	case what == "?7h":
		s.noWrap = false
	case strings.HasSuffix(what, "m"): // a colour
	default:
		t.Fatalf("an unknown control sequence: %q", what)
	}
}

// put shows one character, all of which are one column wide here.
func (s *screen) put(t *testing.T, r rune) {
	t.Helper()
	switch {
	case r == '\r':
		s.col = 0
		return
	case r == '\n':
		s.row++
		return
	case r < ' ' || r == 0x7f:
		t.Fatalf("an unknown control character: %q", r)
	}
	if s.col == s.columns && s.noWrap {
		s.col--
	} else if s.col == s.columns {
		s.broken[s.row] = true
		s.row, s.col = s.row+1, 0
	}
	line := s.at(s.row)
	for len(*line) <= s.col {
		*line = append(*line, ' ')
	}
	(*line)[s.col] = r
	s.col++
	if s.noWrap {
		s.widest = max(s.widest, s.col)
	}
}

func (s *screen) at(row int) *[]rune {
	for len(s.rows) <= row {
		s.rows = append(s.rows, nil)
	}
	return &s.rows[row]
}

// text is the lines, those that were broken in one piece.
func (s *screen) text() string {
	var b strings.Builder
	for i, row := range s.rows {
		b.WriteString(string(row))
		if !s.broken[i] {
			b.WriteString("\n")
		}
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}
