package emulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// reply is a finished answer: bytes, so that nothing of the state is read once the lock is released.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// wireError is the body of a refusal, as Spice Cloud documents it. Code stays empty where the service's code is
// not documented.
type wireError struct {
	Error   string       `json:"error"`
	Code    string       `json:"code,omitempty"`
	Details *wireDetails `json:"details,omitempty"`
	MaxTail int          `json:"max_tail,omitempty"`
}

type wireDetails struct {
	FieldErrors map[string][]string `json:"fieldErrors,omitempty"`
	FormErrors  []string            `json:"formErrors,omitempty"`
}

func replyJSON(status int, v any) reply {
	return reply{status: status, header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}, body: encode(v)}
}

func replyText(status int, text string) reply {
	return reply{status: status, header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, body: []byte(text)}
}

func noContent() reply { return reply{status: http.StatusNoContent, header: http.Header{}} }

// refuse is an error reply with a documented code.
func refuse(status int, code, message string) *reply {
	return new(replyJSON(status, wireError{Error: message, Code: code}))
}

// refusef is an error reply without a code: prose is all that is known.
func refusef(status int, format string, args ...any) *reply {
	return refuse(status, "", fmt.Sprintf(format, args...))
}

// encode writes JSON without HTML escapes. Everything it is given came out of JSON or is a wire type, so that
// failing is a bug.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("emulator: encode a reply: %v", err))
	}
	return b.Bytes()
}

// encodeOrNil is nil for nil, else JSON.
func encodeOrNil(v any) json.RawMessage {
	if v == nil {
		return nil
	}
	return bytes.TrimSpace(encode(v))
}

// orNull is null for the zero value.
func orNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// form is a request body that must be a JSON object. It hands out the fields by type and collects what is wrong
// with them, so that a refusal names every bad field at once. Fields nobody asks for are ignored.
type form struct {
	fields map[string]json.RawMessage
	errors map[string][]string
}

// parseForm takes no body for an empty object.
func parseForm(body []byte) (*form, *reply) {
	f := &form{fields: map[string]json.RawMessage{}, errors: map[string][]string{}}
	if len(bytes.TrimSpace(body)) == 0 {
		return f, nil
	}
	if !json.Valid(body) {
		return nil, refusef(http.StatusBadRequest, "Invalid JSON in request body")
	}
	if err := json.Unmarshal(body, &f.fields); err != nil || f.fields == nil {
		return nil, refusef(http.StatusBadRequest, "Request body must be a JSON object")
	}
	return f, nil
}

func (f *form) fail(name, format string, args ...any) {
	f.errors[name] = append(f.errors[name], fmt.Sprintf(format, args...))
}

func (f *form) given(name string) bool { return f.fields[name] != nil }

func (f *form) null(name string) bool { return string(f.fields[name]) == "null" }

// read decodes a field that is there and not null; null and a wrong type are errors of the field.
func read[T any](f *form, name, expected string) *T {
	if !f.given(name) {
		return nil
	}
	v := new(T)
	if f.null(name) || json.Unmarshal(f.fields[name], v) != nil {
		f.fail(name, "Expected %s", expected)
		return nil
	}
	return v
}

func (f *form) text(name string) *string { return read[string](f, name, "string") }

func (f *form) boolean(name string) *bool { return read[bool](f, name, "boolean") }

// textOrNull is for fields that an explicit null clears: it is "" then.
func (f *form) textOrNull(name string) *string {
	if f.null(name) {
		return new("")
	}
	return f.text(name)
}

func (f *form) oneOf(name string, allowed ...string) *string {
	v := f.text(name)
	if v == nil {
		return nil
	}
	if !oneOf(*v, allowed) {
		f.fail(name, "Expected one of %s", strings.Join(allowed, ", "))
		return nil
	}
	return v
}

func (f *form) integer(name string, low, high int) *int {
	v := read[int](f, name, "integer")
	if v != nil && (*v < low || *v > high) {
		f.fail(name, "Expected a number from %d to %d", low, high)
		return nil
	}
	return v
}

// refusal is nil when every field read so far was fine.
func (f *form) refusal() *reply {
	if len(f.errors) == 0 {
		return nil
	}
	return new(replyJSON(http.StatusBadRequest, wireError{
		Error: "Validation failed", Details: &wireDetails{FieldErrors: f.errors},
	}))
}

// queryInt reads a number of the query string.
func queryInt(c *call, name string, fallback, low, high int) (int, *reply) {
	text := c.query.Get(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		return 0, refusef(http.StatusBadRequest, "Query parameter %s must be a number from %d to %d", name, low, high)
	}
	return n, nil
}
