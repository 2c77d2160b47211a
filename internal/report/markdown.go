package report

import (
	"html"
	"strings"
	"unicode"
)

// page is a text in Markdown. All that is put into it but our own markup goes through its methods: they cover
// secrets before they escape anything, since an escaped secret is no longer recognised.
type page struct {
	strings.Builder

	cover func(string) string
}

// text makes remote text safe inside Markdown: one line that shows as it is, without markup, live HTML, links
// or mentions. It is covered again once it is one line: what was taken out may have stood inside a secret.
func (p *page) text(s string) string { return escape(p.cover(oneLine(p.cover(s)))) }

// nothing is a character without width. GitHub looks for mentions, references and addresses in the text as it
// shows, where an entity or a backslash is gone; this stays.
const nothing = "&#8203;"

// escape keeps Markdown, HTML and what GitHub adds to them from seeing anything in a line.
func escape(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '&' || r == '<' || r == '>':
			b.WriteString(html.EscapeString(string(r)))
		case r == '@':
			b.WriteString("&#64;" + nothing)
		case r == '#':
			b.WriteString(`\#` + nothing)
		case r == ':' && strings.HasPrefix(s[i:], "://"):
			b.WriteString(":" + nothing)
		case r == '.' && strings.HasSuffix(strings.ToLower(s[:i]), "www"):
			b.WriteString(nothing + ".")
		case strings.ContainsRune("\\`*_{}[]()+!|~$", r), i == 0 && (r == '-' || r == '='), r == '.' && digits(s[:i]):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// digits tells whether s would begin a numbered list, had it a point behind it.
func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// prose is a sentence of ours, in which a pair of backticks marks code; what was filled into it is remote text.
func (p *page) prose(s string) string {
	var b strings.Builder
	for i, part := range strings.Split(p.cover(fold(p.cover(s))), "`") {
		if i%2 == 1 {
			b.WriteString(p.code(part))
		} else {
			b.WriteString(escape(part))
		}
	}
	return b.String()
}

// code is remote text as a code span, also when it holds backticks. A bar would end a cell of a table even
// inside one.
func (p *page) code(s string) string {
	s = strings.ReplaceAll(p.cover(oneLine(p.cover(s))), "|", "¦")
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
	lines := strings.Split(strings.TrimRight(p.cover(s), "\r\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(fold(line), " ")
	}
	s = p.cover(strings.Join(lines, "\n"))
	fence := strings.Repeat("`", max(3, longestRun(s, '`')+1))
	return fence + language + "\n" + s + "\n" + fence
}

// details puts Markdown, which ends with its line, where a reader opens it.
func (p *page) details(title, markdown string, open bool) {
	tag := "<details>"
	if open {
		tag = "<details open>"
	}
	p.WriteString(tag + "<summary>" + title + "</summary>\n\n" + markdown + "\n</details>\n\n")
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

// fold makes blanks of line ends and tabs, and takes out what cannot be seen: control characters, and those that
// turn the direction of writing.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune("\t\n\v\f\r\u0085\u2028\u2029", r):
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Cf):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
