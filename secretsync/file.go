package secretsync

import (
	"bufio"
	"errors"
	"path/filepath"
	"strings"

	"github.com/hashicorp/go-envparse"
)

// readFile reads secrets-file by the ending of its name.
func (c *collector) readFile(name string, data []byte) {
	at := place{option: fromFile, file: name}
	text := strings.TrimPrefix(string(data), byteOrderMark)
	if strings.TrimSpace(text) == "" {
		c.warnings = append(c.warnings, fromFile+": "+name+" is empty")
		return
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".json":
		c.readJSON(at, text)
	case ".yaml", ".yml":
		c.readYAML(at, text)
	default:
		c.readDotenv(at, text)
	}
}

// readDotenv gives the library one line after the other: its format has no values of several lines, it stops at
// the first fault, and the map it returns has lost the duplicates.
func (c *collector) readDotenv(at place, text string) {
	for i, line := range strings.Split(text, "\n") {
		at.line = i + 1
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if name := c.readDotenvLine(at, line); name != "" {
			at.after = name
		}
	}
}

// readDotenvLine returns the name if nothing is wrong with the line.
func (c *collector) readDotenvLine(at place, line string) string {
	name, raw, found := strings.Cut(line, "=")
	name, raw = strings.TrimSpace(name), strings.TrimSpace(raw)
	name = strings.TrimPrefix(name, "export ")
	if found && !validName.MatchString(name) {
		message, hint := lineNameFault(name)
		c.report(at, message, hint)
		return ""
	}
	values, err := envparse.Parse(strings.NewReader(line))
	if err != nil {
		message, hint := dotenvFault(err)
		c.report(at, message, hint)
		return ""
	}
	if hidesHash(raw) {
		c.report(at, "a # inside a value begins a comment for some readers of dotenv files and not for others", "put the value in quotes, or a blank before the comment")
		return ""
	}
	value := values[name]
	if value == "" && !isQuotedEmpty(raw) && !showable(name) && !c.isExcluded(name) {
		c.reportEmpty(at, "the value is empty")
		return ""
	}
	if !c.add(entry{name: name, value: value, at: at, quoted: isQuotedEmpty(raw)}) {
		return ""
	}
	return name
}

// isQuotedEmpty tells whether an empty value was written as such, perhaps with a comment after it.
func isQuotedEmpty(raw string) bool {
	return strings.HasPrefix(raw, `""`) || strings.HasPrefix(raw, `''`)
}

// hidesHash tells whether a value without quotes has a # in its middle: the library would silently cut the
// value there, while the shell and Docker keep it.
func hidesHash(raw string) bool {
	if strings.HasPrefix(raw, `"`) || strings.HasPrefix(raw, "'") {
		return false
	}
	i := strings.IndexByte(raw, '#')
	return i > 0 && raw[i-1] != ' ' && raw[i-1] != '\t'
}

// dotenvFault puts the library's errors into words of our own, since some of them quote the line.
func dotenvFault(err error) (message, hint string) {
	if parse, ok := errors.AsType[*envparse.ParseError](err); ok {
		err = parse.Err // it has no Unwrap
	}
	switch {
	case errors.Is(err, bufio.ErrTooLong):
		return "the line is longer than 64 KiB", "pass values of this size in a YAML or JSON file"
	case errors.Is(err, envparse.ErrMissingSeparator):
		return "the line has no = after a name", "write a value of several lines in double quotes with \\n, or use a YAML or JSON file"
	case errors.Is(err, envparse.ErrUnmatchedDouble), errors.Is(err, envparse.ErrUnmatchedSingle):
		return "a quote is not closed on the line", "write a value of several lines in double quotes with \\n, or use a YAML or JSON file"
	default:
		return "the value cannot be read", "in double quotes the escapes of JSON are taken and no others; write tabs and other control characters as such"
	}
}
