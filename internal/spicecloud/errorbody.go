package spicecloud

import (
	"encoding/json"
	"errors"
	"html"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/remote"
)

// textLimit is how many characters of remote text an error shows.
const textLimit = 500

// refusal makes the error of an answer with a status of 400 or more.
func refusal(r request, a answer, wait time.Duration) error {
	said := readRefusal(a.body)
	id := requestID(a.header)
	if r.url != "" {
		e := &TokenError{URL: r.path, Status: a.status, Code: said.code, Message: said.message, RequestID: id}
		if said.description != "" {
			// RFC 6749 §5.2: "error" is a code there, and the prose is in "error_description".
			e.Code, e.Message = said.message, said.description
		}
		e.Code, e.Message = r.hide(e.Code), r.hide(e.Message)
		return e
	}
	e := &APIError{
		Method: r.method, Path: r.path, Status: a.status,
		Code: r.hide(said.code), Message: r.hide(said.message), RequestID: id, RetryAfter: wait, MaxTail: said.maxTail,
	}
	for name, texts := range said.fields {
		if e.Fields == nil {
			e.Fields = map[string][]string{}
		}
		name = r.hide(name)
		for _, text := range texts {
			e.Fields[name] = append(e.Fields[name], r.hide(text))
		}
	}
	return e
}

// said is what the body of a refusal says, as it stands there.
type said struct {
	message, code, description string
	fields                     map[string][]string
	maxTail                    int
}

// readRefusal reads the body of a refusal. Spice Cloud documents {"error", "code", "details"}; not all of its
// routes keep to that, and gateways answer in forms of their own, so everything is taken as it comes.
func readRefusal(body []byte) said {
	var object struct {
		Error       json.RawMessage `json:"error"`
		Message     text            `json:"message"`
		Code        text            `json:"code"`
		Description text            `json:"error_description"`
		Details     json.RawMessage `json:"details"`
		MaxTail     whole           `json:"max_tail"`
	}
	if err := json.Unmarshal(body, &object); err != nil {
		var words string
		if json.Unmarshal(body, &words) == nil {
			return said{message: words}
		}
		return said{message: plain(body)}
	}
	s := said{code: string(object.Code), description: string(object.Description), maxTail: int(object.MaxTail)}
	s.message, s.code = errorMember(object.Error, s.code)
	if s.message == "" {
		s.message = string(object.Message)
	}
	s.fields = fieldErrors(object.Details)
	if s.message == "" && s.code == "" && len(s.fields) == 0 {
		s.message = string(body)
	}
	return s
}

// errorMember reads the member "error": prose, or an object that holds prose and code.
func errorMember(raw json.RawMessage, code string) (message, _ string) {
	var prose string
	_ = json.Unmarshal(raw, &prose)
	if prose != "" {
		return prose, code
	}
	var object struct{ Message, Code text }
	_ = json.Unmarshal(raw, &object)
	if code == "" {
		code = string(object.Code)
	}
	return string(object.Message), code
}

// fieldErrors reads details.fieldErrors and, under the name "", details.formErrors.
func fieldErrors(raw json.RawMessage) map[string][]string {
	var details struct {
		FieldErrors map[string]json.RawMessage `json:"fieldErrors"`
		FormErrors  json.RawMessage            `json:"formErrors"`
	}
	_ = json.Unmarshal(raw, &details)
	fields := map[string][]string{}
	for name, raw := range details.FieldErrors {
		if texts := textOrTexts(raw); len(texts) > 0 {
			fields[name] = texts
		}
	}
	if texts := textOrTexts(details.FormErrors); len(texts) > 0 {
		fields[""] = texts
	}
	return fields
}

func textOrTexts(raw json.RawMessage) []string {
	var many []text
	if json.Unmarshal(raw, &many) != nil {
		var one text
		_ = json.Unmarshal(raw, &one)
		many = []text{one}
	}
	var texts []string
	for _, t := range many {
		if t != "" {
			texts = append(texts, string(t))
		}
	}
	return texts
}

var titlePattern = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)

// plain is a body that is not JSON as text: of an HTML page the title.
func plain(body []byte) string {
	if !isHTML(body) {
		return string(body)
	}
	if title := titlePattern.FindSubmatch(body); title != nil && strings.TrimSpace(string(title[1])) != "" {
		return "an HTML page titled " + html.UnescapeString(string(title[1]))
	}
	return "an HTML page"
}

func isHTML(body []byte) bool {
	return strings.HasPrefix(strings.TrimSpace(string(body[:min(len(body), 512)])), "<")
}

// line makes one line of remote text.
func line(text string) string { return remote.OneLine(text, textLimit) }

// repeated stands for remote text that repeats a secret of the request.
const repeated = "(its text is left out, for it repeats a secret)"

// Remote text repeats a secret where it has this many bytes of it in a row. A secret that is shorter must appear
// whole, and one that is shorter than shortest cannot be told from ordinary words.
const (
	telling  = 8
	shortest = 4
)

// hide is remote text made one line, or a note in its place where it repeats a secret of the request.
func (r request) hide(text string) string {
	shown := line(text)
	for _, secret := range r.secrets {
		if repeats(shown, secret) || repeats(text[:min(len(text), 4*textLimit)], secret) {
			return repeated
		}
	}
	return shown
}

// discreet is the error as it is, or one that says nothing where its text repeats a secret of the request.
func (r request) discreet(err error) error {
	if r.hide(err.Error()) == repeated {
		return errors.New(repeated)
	}
	return err
}

func repeats(text, secret string) bool {
	if len(secret) < shortest {
		return false
	}
	width := min(telling, len(secret))
	for i := 0; i+width <= len(text); i++ {
		if strings.Contains(secret, text[i:i+width]) {
			return true
		}
	}
	return false
}

// requestID is the identifier by which the service's people find the request: its own, or that of what stands
// before it.
func requestID(header http.Header) string {
	for _, name := range []string{"X-Request-Id", "Request-Id", "X-Correlation-Id", "X-Amzn-Requestid", "X-Amzn-Trace-Id", "X-Vercel-Id", "Cf-Ray"} {
		if id := header.Get(name); id != "" {
			return line(id)
		}
	}
	return ""
}
