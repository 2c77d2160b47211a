package ci

import (
	"regexp"
	"strings"
	"unicode"
)

var (
	// escapes is the ANSI escape sequences of ECMA-48: control sequences, strings with their end, and the short ones.
	escapes = regexp.MustCompile("\x1b(?:" +
		`\[[0-?]*[ -/]*[@-~]` + "|" +
		`[\]PX^_][^` + "\x07\x1b" + `]*(?:` + "\x07|\x1b" + `\\)|` +
		`[ -/]*[0-~])` +
		"|\u009b" + `[0-?]*[ -/]*[@-~]`)

	// bracketed is the commands ##[…, ##vso[… of Azure Pipelines and ##teamcity[…, which count anywhere in a line.
	bracketed = regexp.MustCompile(`##([A-Za-z]*\[)`)

	// colons is ::… where a command may begin; inside of a word, as in std::string, none does.
	colons = regexp.MustCompile(`(?:^|[^0-9A-Za-z_:])::+[A-Za-z]`)
)

// Defuse makes one harmless line of a text that comes from elsewhere, so that no CI system takes it for a command
// and no terminal does more than show it. It puts a blank into what would begin a command, and removes escape
// sequences, control and invisible format characters, those that turn the direction of writing among them, and
// bytes that are not UTF-8. Line breaks and tabs become blanks: a line stays one line.
//
// The rules are those of the GitHub runner's source (ActionCommand.cs): "::" counts after leading white space, of
// which Unicode has many kinds, and "##[" anywhere in a line.
func Defuse(line string) string {
	line = escapes.ReplaceAllString(strings.ToValidUTF8(line, ""), "")
	line = strings.Map(visible, line)
	line = bracketed.ReplaceAllString(line, "## $1")
	line = colons.ReplaceAllStringFunc(line, spread)
	if rest := strings.TrimLeftFunc(line, unicode.IsSpace); strings.HasPrefix(rest, "::") {
		// At the beginning it counts whatever comes next: the word that ends stop-commands may be any.
		end := len(rest) - len(strings.TrimLeft(rest, ":"))
		line = line[:len(line)-len(rest)] + spread(rest[:end]) + rest[end:]
	}
	return line
}

// defusedLines is a text of which each line is defused by itself.
func defusedLines(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i, line := range lines {
		lines[i] = Defuse(line)
	}
	return strings.Join(lines, "\n")
}

// visible is the rune as it may be shown, or -1.
func visible(r rune) rune {
	switch {
	case strings.ContainsRune("\t\n\v\f\r\u0085\u2028\u2029", r):
		return ' '
	case unicode.In(r, unicode.Cc, unicode.Cf):
		return -1
	}
	return r
}

// spread puts a blank between colons.
func spread(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "::", ": :"), "::", ": :")
}
