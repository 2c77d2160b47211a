package gitobject

import (
	"bytes"
	"strings"
)

// Commit is what is read of a commit.
type Commit struct {
	Parents []string // their ids; a shallow clone need not have these commits
	Message string   // whole, in UTF-8, without the line ends that it ends in
}

// parseCommit takes a commit apart: lines of the form "name value", of which those that go on begin with a space, an
// empty line, and the message.
func parseCommit(content []byte) Commit {
	header, text, _ := bytes.Cut(content, []byte("\n\n"))
	var c Commit
	encoding := ""
	for line := range strings.Lines(string(header)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch name {
		case "parent":
			c.Parents = append(c.Parents, value)
		case "encoding":
			encoding = value
		}
	}
	c.Message = strings.TrimRight(decode(text, encoding), "\n")
	return c
}

// decode makes UTF-8 of a message. Of the encodings that git can be told to write, only Latin 1 is known here; in
// others, what is not ASCII is replaced.
func decode(text []byte, encoding string) string {
	switch strings.ToLower(encoding) {
	case "iso-8859-1", "iso8859-1", "latin1", "latin-1":
		var b strings.Builder
		for _, c := range text {
			b.WriteRune(rune(c))
		}
		return b.String()
	}
	return strings.ToValidUTF8(string(text), "\uFFFD")
}
