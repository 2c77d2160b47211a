package spiceruntime

import (
	"bufio"
	"errors"
	"io"
	"strings"
)

// events reads a stream of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).
// Only their data matters here: the type, the id and the retry time are for clients that come back.
type events struct {
	from *bufio.Reader
	skip bool // the last line ended with CR: an LF that follows belongs to it
}

func newEvents(from io.Reader) *events { return &events{from: bufio.NewReader(from)} }

// next is the data of the next event that has any; io.EOF ends the stream. An event that the end of the stream
// cuts off counts, other than in a browser: servers close the stream right after the one that was asked for.
func (e *events) next() (string, error) {
	var data []string
	for {
		line, err := e.line()
		if field, value, _ := strings.Cut(line, ":"); field == "data" {
			data = append(data, strings.TrimPrefix(value, " "))
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		if err == nil && line != "" {
			continue
		}
		if text := strings.Join(data, "\n"); strings.TrimSpace(text) != "" {
			return text, nil
		}
		if err != nil {
			return "", err
		}
		data = nil
	}
}

// line is the next line without its end, which is LF, CR or both. Waiting after a CR for the LF that may follow
// could mean to wait for the next event. What precedes an error is a line as well.
func (e *events) line() (string, error) {
	var b strings.Builder
	for {
		char, err := e.from.ReadByte()
		if err != nil {
			return b.String(), err
		}
		skip := e.skip
		e.skip = char == '\r'
		switch {
		case char == '\n' && skip:
		case char == '\n' || char == '\r':
			return strings.TrimPrefix(b.String(), "\ufeff"), nil
		default:
			b.WriteByte(char)
		}
	}
}
