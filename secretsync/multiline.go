package secretsync

import (
	"fmt"
	"regexp"
	"strings"
)

// otherIndicator is a YAML block scalar that is not taken: what it makes of line breaks surprises too many.
var otherIndicator = regexp.MustCompile(`^[|>][-+0-9]{0,2}$`)

// readValue reads what stands after a name, and reports where nothing can be made of it.
func (r *blockReader) readValue(raw string, at place, name, separator, rest string) (entry, bool) {
	e := entry{name: name, at: at}
	switch {
	case separator == "<<":
		return r.readHeredoc(raw, e, rest)
	case separator == ":" && (rest == "|" || rest == "|-"):
		return r.readIndented(raw, e, rest == "|")
	case separator == ":" && otherIndicator.MatchString(rest):
		r.skipIndented(raw)
		r.report(at, "of YAML's block forms only | and |- are taken", "write KEY: |, or KEY<<WORD to get every byte as it is")
		return e, false
	default:
		e.value, e.quoted = unquote(rest)
		return e, true
	}
}

// unquote removes one pair of matching quotes around the whole.
func unquote(text string) (value string, quoted bool) {
	if len(text) < 2 {
		return text, false
	}
	first, last := text[0], text[len(text)-1]
	if first != last || (first != '"' && first != '\'') {
		return text, false
	}
	return text[1 : len(text)-1], true
}

// readHeredoc reads the lines up to one that is just the word, byte for byte, without the last line break. That
// is CRLF where the opening line ended so, and LF elsewhere: there a CR at the end is the value's own.
func (r *blockReader) readHeredoc(raw string, e entry, word string) (entry, bool) {
	if word == "" || strings.ContainsAny(word, " \t'\"") {
		r.report(e.at, "after << stands the word that ends the value, without blanks or quotes", "")
		return e, false
	}
	start := r.next
	for i := start; i < len(r.lines); i++ {
		if strings.TrimSuffix(r.lines[i], "\r") != word {
			continue
		}
		r.next = i + 1
		e.value = strings.Join(r.lines[start:i], "\n")
		if strings.HasSuffix(raw, "\r") {
			e.value = strings.TrimSuffix(e.value, "\r")
		}
		return e.orEmpty(), true
	}
	r.next = len(r.lines)
	r.report(e.at, fmt.Sprintf("the block that begins at line %d for %s has no closing line", e.at.line, e.name),
		"the word after << must stand alone on a line, without blanks before or after it")
	return e, false
}

// readIndented reads the lines that are indented deeper than the name, with their common indent removed.
func (r *blockReader) readIndented(raw string, e entry, newline bool) (entry, bool) {
	lines := r.skipIndented(raw)
	indent := commonIndent(lines)
	for i, line := range lines {
		// A blank line may be shorter than the indent.
		lines[i] = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, indent); ok {
			lines[i] = rest
		}
	}
	e.value = strings.TrimRight(strings.Join(lines, "\n"), "\n")
	if newline {
		e.value += "\n"
	}
	return e.orEmpty(), true
}

// skipIndented passes over the lines that are indented deeper than the given one, and returns them without
// their line ends. Blank lines at the end are none of them.
func (r *blockReader) skipIndented(raw string) []string {
	depth := len(indentOf(raw))
	var lines []string
	end := r.next
	for i := r.next; i < len(r.lines); i++ {
		line := strings.TrimSuffix(r.lines[i], "\r")
		blank := strings.TrimSpace(line) == ""
		if !blank && len(indentOf(line)) <= depth {
			break
		}
		lines = append(lines, line)
		if !blank {
			end = i + 1
		}
	}
	lines = lines[:end-r.next]
	r.next = end
	return lines
}

// commonIndent is the longest run of blanks that every line begins with, blank lines aside.
func commonIndent(lines []string) string {
	common, found := "", false
	for _, line := range lines {
		indent := indentOf(line)
		switch {
		case len(indent) == len(line):
		case !found:
			common, found = indent, true
		default:
			n := 0
			for n < min(len(common), len(indent)) && common[n] == indent[n] {
				n++
			}
			common = common[:n]
		}
	}
	return common
}

func indentOf(line string) string {
	return line[:len(line)-len(strings.TrimLeft(line, " \t"))]
}

// orEmpty makes nothing of a value that is only blanks: an unset CI secret on a line of its own leaves those.
func (e entry) orEmpty() entry {
	if strings.TrimSpace(e.value) == "" {
		e.value = ""
	}
	return e
}
