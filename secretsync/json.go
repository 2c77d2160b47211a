package secretsync

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonReader reads one JSON object of strings, and knows the line it is at.
type jsonReader struct {
	*collector
	at      place
	text    string
	decoder *json.Decoder
	counted int // how much of the text has been searched for line breaks
	line    int
}

// readJSON reads one JSON object of strings, such as toJSON(secrets). It goes token by token, since decoding
// into a map would lose duplicates and places, and the decoder's own messages repeat pieces of the text.
func (c *collector) readJSON(at place, text string) {
	if !c.isUTF8(at, text) {
		return
	}
	r := &jsonReader{collector: c, at: at, text: text, decoder: json.NewDecoder(strings.NewReader(text)), line: 1}
	if token, err := r.decoder.Token(); err != nil || token != json.Delim('{') {
		c.report(at, "the text is not a JSON object", "write {\"KEY\": \"VALUE\"}")
		return
	}
	for r.decoder.More() {
		if !r.readMember() {
			r.reportSyntax()
			return
		}
	}
	if token, err := r.decoder.Token(); err != nil || token != json.Delim('}') {
		r.reportSyntax()
		return
	}
	if _, err := r.decoder.Token(); !errors.Is(err, io.EOF) {
		c.report(r.here(), "something follows the JSON object", "pass one JSON object and nothing else")
	}
}

// readMember reads a name and its value; false means that the text is not JSON from here on.
func (r *jsonReader) readMember() bool {
	token, err := r.decoder.Token()
	name, ok := token.(string)
	if err != nil || !ok {
		return false
	}
	e := entry{name: name, at: r.here()}
	var raw json.RawMessage
	if r.decoder.Decode(&raw) != nil {
		return false
	}
	switch {
	case isJobToken(name):
		r.notices = append(r.notices, e.at.option+": "+name+" is left out: it is the job's own token and ends with the job")
	case r.isExcluded(name):
	case !validName.MatchString(name):
		message, hint := nameFault(name)
		r.report(e.at, message, hint)
	case raw[0] != '"':
		r.report(e.at, name+" is "+kindOf(raw)+", not a string", "write the value in quotes")
	case loneSurrogate(raw):
		r.report(e.at, name+" holds half of a character, an unpaired \\ud800 to \\udfff, which cannot arrive as it is",
			"encode binary values, for example as base64")
	default:
		if json.Unmarshal(raw, &e.value) != nil {
			return false
		}
		r.add(e)
	}
	r.at.after = name
	return true
}

// loneSurrogate tells whether a JSON string escapes half of a character, which the decoder would replace.
func loneSurrogate(raw json.RawMessage) bool {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		i++
		if raw[i] != 'u' {
			continue
		}
		first := codeUnit(raw[i+1:])
		i += 4
		if !utf16.IsSurrogate(first) {
			continue
		}
		next := raw[i+1:]
		if !bytes.HasPrefix(next, []byte(`\u`)) || utf16.DecodeRune(first, codeUnit(next[2:])) == utf8.RuneError {
			return true
		}
		i += 6
	}
	return false
}

// codeUnit is the value of the four hexadecimal digits that text begins with.
func codeUnit(text []byte) rune {
	n, _ := strconv.ParseUint(string(text[:4]), 16, 16) // the decoder has seen to it that they are digits
	return rune(n)
}

// here is the place of what was read last.
func (r *jsonReader) here() place { return r.placeOf(int(r.decoder.InputOffset())) }

func (r *jsonReader) placeOf(offset int) place {
	r.line += strings.Count(r.text[r.counted:offset], "\n")
	r.counted = offset
	at := r.at
	at.line, at.after = r.line, ""
	return at
}

// reportSyntax reports the place where the text stops being JSON: what follows the last good token.
func (r *jsonReader) reportSyntax() {
	offset := int(r.decoder.InputOffset())
	rest := strings.TrimLeft(r.text[offset:], " \t\r\n,:")
	at := r.placeOf(len(r.text) - len(rest))
	if validName.MatchString(r.at.after) {
		at.after = r.at.after
	}
	r.report(at, "the text is not valid JSON from here on",
		"a quote, a backslash or a line break inside a value must be escaped: pass toJSON(secrets), or write lines of KEY=VALUE")
}

// kindOf is what a JSON value is, in words.
func kindOf(raw json.RawMessage) string {
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	default:
		return "a number"
	}
}

// isUTF8 reports a text that is not UTF-8: the readers of JSON and YAML would replace bytes or give no place.
func (c *collector) isUTF8(at place, text string) bool {
	for i, r := range text {
		if r != utf8.RuneError {
			continue
		}
		if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
			at.line = 1 + strings.Count(text[:i], "\n")
			c.report(at, "the text is not valid UTF-8", "encode binary values, for example as base64")
			return false
		}
	}
	return true
}
