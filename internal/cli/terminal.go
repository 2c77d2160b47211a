package cli

import (
	"bytes"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/spicedeploy/spice-deploy/internal/diag"
)

// terminal shows the log to a person: whole lines, in colour, above one live line that is drawn again and again. What
// it is given is covered and defused already, so colours cannot come between the parts of a secret.
//
// Between two writes the cursor stands at the beginning of the live line, or below the log where there is none. So
// erasing from the cursor on takes away all of the live line, also after a terminal that became narrower has broken it.
type terminal struct {
	to    io.Writer
	width func() int // in columns
	rest  []byte     // the beginning of a line whose end has not come
	live  string     // "" where there is no live line
}

// The control sequences of https://invisible-island.net/xterm/ctlseqs/ctlseqs.html that are used. A line that is
// wider than the terminal is cut and not broken while wrap is off.
const (
	erase   = "\r\x1b[J"
	wrapOff = "\x1b[?7l"
	wrapOn  = "\x1b[?7h"

	bold   = "\x1b[1m"
	dim    = "\x1b[2m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	plain  = "\x1b[0m"
)

// terminalOf is the terminal that w is, or nil where lines are to be plain: there is none, a CI system reads them, or
// the user wants no colours (https://no-color.org).
func terminalOf(w io.Writer, system string, getenv func(string) string) *terminal {
	f, ok := w.(*os.File)
	if !ok || system != "" || getenv("CI") != "" || getenv("NO_COLOR") != "" || getenv("TERM") == "dumb" {
		return nil
	}
	if !term.IsTerminal(int(f.Fd())) || !understandsSequences(f) {
		return nil
	}
	return &terminal{to: f, width: func() int {
		const usual = 80
		columns, _, err := term.GetSize(int(f.Fd()))
		if err != nil || columns <= 0 {
			return usual
		}
		return columns
	}}
}

// Write prints the lines that are whole by now.
func (t *terminal) Write(p []byte) (int, error) {
	t.rest = append(t.rest, p...)
	end := bytes.LastIndexByte(t.rest, '\n') + 1
	lines := string(t.rest[:end])
	t.rest = append([]byte(nil), t.rest[end:]...)
	return len(p), t.print(lines)
}

// print puts lines above the live line.
func (t *terminal) print(lines string) error {
	if lines == "" {
		return nil
	}
	var b strings.Builder
	if t.live != "" {
		b.WriteString(erase)
	}
	for line := range strings.Lines(lines) {
		b.WriteString(paint(line))
	}
	if t.live != "" {
		b.WriteString(drawn(t.live))
	}
	_, err := io.WriteString(t.to, b.String())
	return err
}

// show replaces the live line, "" by nothing.
func (t *terminal) show(live string) error {
	if live == t.live {
		return nil
	}
	t.live = live
	_, err := io.WriteString(t.to, drawn(live))
	return err
}

// drawn is what draws a live line in the place of the one before. It is erased only behind the text, so that it
// does not flicker.
func drawn(live string) string {
	if live == "" {
		return erase
	}
	return "\r" + wrapOff + live + "\x1b[J" + wrapOn + "\r"
}

// finish prints what there is of a line whose end never came.
func (t *terminal) finish() error {
	rest := string(t.rest)
	t.rest = nil
	return t.print(rest)
}

// paint colours a line of the log by its label, and a line without one, of a difference, by its first character.
func paint(line string) string {
	text, end := strings.CutSuffix(line, "\n")
	label, said := parts(text)
	switch {
	case strings.HasPrefix(text, " "): // goes on from the line before
	case strings.HasPrefix(text, "+"):
		text = green + text + plain
	case strings.HasPrefix(text, "-"):
		text = red + text + plain
	case strings.HasPrefix(text, "@@"):
		text = dim + text + plain
	case strings.HasPrefix(said, "warning: "):
		text = dim + label + plain + yellow + said + plain
	case strings.HasPrefix(label, "result "):
		word, _, _ := strings.Cut(said, ":")
		text = bold + label + plain + colourOf(diag.Result(word)) + word + plain + said[len(word):]
	case strings.HasPrefix(label, "what to do "):
		text = bold + label + plain + said
	case strings.HasPrefix(label, "network "), strings.HasPrefix(label, "http "):
		text = dim + text + plain
	case label != "":
		text = dim + label + plain + said
	}
	if end {
		text += "\n"
	}
	return text
}

// parts splits a line behind its label, which is padded to 11 columns or longer, and a blank.
func parts(line string) (label, said string) {
	const column = 11
	if len(line) > column {
		if blank := strings.IndexByte(line[column:], ' '); blank >= 0 {
			end := column + blank + 1
			return line[:end], line[end:]
		}
	}
	return "", line
}

func colourOf(result diag.Result) string {
	if result.ExitCode() == 0 {
		return bold + green
	}
	return bold + red
}
