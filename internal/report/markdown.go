package report

import (
	"html"
	"strings"
)

// page is a text in Markdown. All that is put into it but our own markup goes through its methods: they cover
// secrets before they escape anything, since an escaped secret is no longer recognised.
type page struct {
	strings.Builder

	cover func(string) string
}

// text makes remote text safe inside Markdown: one line that shows as it is, without markup, live HTML, links
// or mentions.
func (p *page) text(s string) string { return escape(oneLine(p.cover(s))) }

func escape(s string) string {
	var b strings.Builder
	for _, r := range html.EscapeString(s) {
		switch {
		case strings.ContainsRune("\\`*_{}[]()#+!|~", r) && r < 0x80:
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '@':
			b.WriteString("&#64;") // no mention
		default:
			b.WriteRune(r)
		}
	}
	return strings.ReplaceAll(strings.ReplaceAll(b.String(), "&\\#", "&#"), "://", ":&#8203;//")
}

// prose is a sentence of ours, in which a pair of backticks marks code; what was filled into it is remote text.
func (p *page) prose(s string) string {
	var b strings.Builder
	for i, part := range strings.Split(p.cover(s), "`") {
		if i%2 == 1 {
			b.WriteString(p.code(part))
		} else {
			b.WriteString(escape(fold(part)))
		}
	}
	return b.String()
}

// code is remote text as a code span, also when it holds backticks. A bar would end a cell of a table even
// inside one.
func (p *page) code(s string) string {
	s = strings.ReplaceAll(oneLine(p.cover(s)), "|", "¦")
	if s == "" {
		return ""
	}
	fence := strings.Repeat("`", longestRun(s, '`')+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + s + fence
}

// fenced is text as a code block that nothing in it can end.
func (p *page) fenced(language, s string) string {
	s = p.cover(s)
	fence := strings.Repeat("`", max(3, longestRun(s, '`')+1))
	return fence + language + "\n" + strings.TrimRight(s, "\n") + "\n" + fence
}

func longestRun(s string, of byte) int {
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] != of {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// oneLine is s without line ends and outer blanks.
func oneLine(s string) string { return strings.TrimSpace(fold(s)) }

// fold makes blanks of control characters, line ends among them.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
}
