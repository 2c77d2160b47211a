package spiceruntime

import (
	"encoding/json"
	"html"
	"regexp"
	"strings"

	"github.com/spicedeploy/spice-deploy/internal/remote"
)

// How many characters of remote text are shown: of errors, and of what a probe got.
const (
	textLimit   = 300
	detailLimit = 80
)

// message is what the body of a refusal says. The runtime answers most errors as plain text, some as {"message"},
// and those of the OpenAI routes as {"error": {"message"}}; the edge before it may answer with an HTML page.
func message(body []byte) string {
	var object struct {
		Error   json.RawMessage `json:"error"`
		Message json.RawMessage `json:"message"`
	}
	if json.Unmarshal(body, &object) == nil {
		var inner struct{ Message string }
		if json.Unmarshal(object.Error, &inner) == nil && inner.Message != "" {
			return inner.Message
		}
		for _, member := range []json.RawMessage{object.Error, object.Message} {
			if text := words(member); text != "" {
				return text
			}
		}
	}
	if text := words(body); text != "" {
		return text
	}
	return plain(body)
}

// words is a JSON string, "" where it is something else.
func words(raw json.RawMessage) string {
	var text string
	_ = json.Unmarshal(raw, &text)
	return text
}

var titlePattern = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)

// plain is a body as text: of an HTML page the title.
func plain(body []byte) string {
	text := strings.TrimSpace(string(body))
	if !strings.HasPrefix(text, "<") {
		return text
	}
	if title := titlePattern.FindStringSubmatch(text); title != nil && strings.TrimSpace(title[1]) != "" {
		return "an HTML page titled " + html.UnescapeString(title[1])
	}
	return "an HTML page"
}

// line is remote text as one line of at most limit characters, with the key covered: first of all, since no part
// of it may be left over where the text is cut.
func (c *Client) line(text string, limit int) string {
	return remote.OneLine(c.redactor.Redact(text), limit)
}
