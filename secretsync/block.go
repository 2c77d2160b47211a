package secretsync

import (
	"fmt"
	"strings"
)

// byteOrderMark begins texts that some editors and shells on Windows write.
const byteOrderMark = "\ufeff"

const pasteHint = "for a value of several lines write KEY<<WORD, the value, and a line that is just WORD, or pass it with " + fromEnv

// blockReader reads the text of the option secrets, line by line.
type blockReader struct {
	*collector
	lines []string // without their LF
	next  int      // index of the line to be read next
	after string   // the last good name
	paste paste
}

// paste is a run of lines that look like the rest of a value of several lines. It is one mistake of the user's,
// so it is reported once.
type paste struct {
	at    place
	fault string
	more  int // lines after the first
}

// readBlock reads the text of the option secrets: a JSON object if it begins with {, else lines.
func (c *collector) readBlock(text string) {
	text = strings.TrimPrefix(text, byteOrderMark)
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		c.readJSON(place{option: fromBlock}, text)
		return
	}
	r := &blockReader{collector: c, lines: strings.Split(text, "\n")}
	for r.next < len(r.lines) {
		r.readLine()
	}
	r.endPaste()
}

// readLine reads one line, and those that belong to it.
func (r *blockReader) readLine() {
	raw := r.lines[r.next]
	at := place{option: fromBlock, line: r.next + 1, after: r.after}
	r.next++
	line := strings.TrimSpace(raw)
	if line == "" || strings.HasPrefix(line, "#") {
		return
	}
	name, separator, rest := splitLine(line)
	switch {
	case separator == "":
		r.meetPaste(at, "the line has no =, : or << after a name")
	case !validName.MatchString(name):
		r.meetBadName(at, name)
	case separator != "<<" && strings.Trim(rest, "=") == "":
		r.meetEmpty(at, name, separator, rest)
	default:
		r.endPaste()
		if e, ok := r.readValue(raw, at, name, separator, rest); ok && r.add(e) {
			r.after = name
		}
	}
}

// splitLine cuts a line at whichever of =, : and << comes first, and drops the blanks around both parts.
func splitLine(line string) (name, separator, rest string) {
	for i := range len(line) {
		switch {
		case line[i] == '=' || line[i] == ':':
			separator = line[i : i+1]
		case strings.HasPrefix(line[i:], "<<"):
			separator = "<<"
		default:
			continue
		}
		return strings.TrimSpace(line[:i]), separator, strings.TrimSpace(line[i+len(separator):])
	}
	return line, "", ""
}

// meetBadName tells a name that is merely misspelt from a piece of a value that happens to hold a separator.
func (r *blockReader) meetBadName(at place, name string) {
	misspelt := almostName.MatchString(name) || strings.HasPrefix(name, "export ")
	message, hint := lineNameFault(name)
	if !misspelt || r.paste.fault != "" {
		r.meetPaste(at, message)
		return
	}
	r.report(at, message, hint)
}

// meetEmpty tells an unset CI secret, which pastes as nothing, from the last line of pasted base64, which ends in
// = and so looks like a name without a value: the text before the = is shown only where it cannot be that.
func (r *blockReader) meetEmpty(at place, name, separator, rest string) {
	switch {
	case r.isExcluded(name):
	case rest != "":
		r.meetPaste(at, "only = stands after the name")
	case separator == "=" && r.paste.fault != "" && !showable(name):
		r.meetPaste(at, "the value is empty")
	case showable(name):
		r.endPaste()
		r.reportEmpty(at, name+" has an empty value")
	default:
		r.endPaste()
		r.reportEmpty(at, "the value is empty")
	}
}

// meetPaste starts a run of lines that look pasted, or counts one more of it.
func (r *blockReader) meetPaste(at place, fault string) {
	if r.paste.fault != "" {
		r.paste.more++
		return
	}
	r.paste = paste{at: at, fault: fault}
}

// endPaste reports the run, if there is one.
func (r *blockReader) endPaste() {
	p := r.paste
	r.paste = paste{}
	switch {
	case p.fault == "":
	case p.at.after == "" && p.more == 0:
		r.report(p.at, p.fault, "write KEY=VALUE, one on each line; "+pasteHint)
	case p.more == 0:
		r.report(p.at, p.fault+"; it looks like the second line of a pasted value", pasteHint)
	default:
		r.report(p.at, fmt.Sprintf("%s; it looks like a line of a pasted value, and so do %d after it", p.fault, p.more), pasteHint)
	}
}
