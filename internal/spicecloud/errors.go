package spicecloud

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// ErrReadOnly is what a request that would change something fails with on a client that was made read-only.
var ErrReadOnly = errors.New("this client only reads")

// ErrNotListed says that the app is there and the deployment is not: it never was, or it does not show yet. A
// deployment that was just created may be missing for a few seconds.
var ErrNotListed = errors.New("not listed")

// APIError is a refusal by the service, or by whatever stands before it. The texts are the service's own: one
// line, no control characters, at most 500 characters.
type APIError struct {
	Method, Path string
	Status       int
	Code         string              // the machine-readable code, "" where it gave none
	Message      string              // "" where it gave none
	Fields       map[string][]string // what is wrong with each field of the request; "" holds what is about none
	RequestID    string
	RetryAfter   time.Duration // 0 where it named none
	MaxTail      int           // how many lines of a log the plan allows, with the code plan_limit; 0 where it named none
	// AfterLoss says that an attempt before this one got no usable answer and may have been carried out: a 404
	// for a deletion, or a 409 for a change, can then be the trace of our own success.
	AfterLoss bool
}

func (e *APIError) Error() string {
	return e.Method + " " + e.Path + ": " + describe(e.Status, e.Message, e.fields(), e.Code, e.RequestID)
}

// Refused tells whether the service has said that it did not do what was asked, on this attempt and on any before.
func (e *APIError) Refused() bool {
	return e.Status < http.StatusInternalServerError && e.Status != http.StatusRequestTimeout && !e.AfterLoss
}

func (e *APIError) fields() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		text := strings.Join(e.Fields[name], ", ")
		if name != "" {
			text = name + ": " + text
		}
		parts = append(parts, text)
	}
	return line(strings.Join(parts, "; "))
}

// TokenError is a refusal by the OAuth token endpoint. With a Status below 500 the credentials were refused; the
// others pass by repeating and appear only within a [GaveUpError] or beside the end of a context.
type TokenError struct {
	URL       string
	Status    int
	Code      string // such as invalid_client; "" where it gave none
	Message   string
	RequestID string
}

func (e *TokenError) Error() string {
	return "get a token from " + e.URL + ": " + describe(e.Status, e.Message, "", e.Code, e.RequestID)
}

// describe reads like "409 Conflict: a deployment is in progress (code x, request id y)".
func describe(status int, message, fields, code, requestID string) string {
	text := strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
	if message != "" {
		text += ": " + message
	}
	var facts []string
	if fields != "" {
		facts = append(facts, fields)
	}
	if code != "" {
		facts = append(facts, "code "+code)
	}
	if requestID != "" {
		facts = append(facts, "request id "+requestID)
	}
	if len(facts) > 0 {
		text += " (" + strings.Join(facts, ", ") + ")"
	}
	return text
}

// LostAnswerError says that a request that makes something new went out and that what became of it is unknown:
// it may have been carried out, and nobody but the service's lists can tell. Err is how the answer was lost: an
// [APIError] with 408 or 5xx, a [NetworkError], a [BadResponseError] or the end of the context.
type LostAnswerError struct {
	Method, Path string
	Err          error
}

func (e *LostAnswerError) Error() string {
	return fmt.Sprintf("it is not known whether %s %s was carried out: %v", e.Method, e.Path, e.Err)
}

func (e *LostAnswerError) Unwrap() error { return e.Err }

// BadResponseError is an answer with a good status whose body is not what the API documents: a proxy's page,
// nothing, half of something, or other JSON.
type BadResponseError struct {
	Method, Path string
	Status       int
	Err          error // what is wrong with it
}

func (e *BadResponseError) Error() string {
	return fmt.Sprintf("%s %s: unusable answer with status %d: %v", e.Method, e.Path, e.Status, e.Err)
}

func (e *BadResponseError) Unwrap() error { return e.Err }

// RedirectError is a redirect, which is never followed.
type RedirectError struct {
	Method, Path string
	Status       int
	Target       string // without user, query and fragment; "" where none was named
}

func (e *RedirectError) Error() string {
	if e.Target == "" {
		return fmt.Sprintf("%s %s: unexpected redirect %d without a target", e.Method, e.Path, e.Status)
	}
	return fmt.Sprintf("%s %s: redirected to %s (%d), which is not followed; is the URL right?", e.Method, e.Path, e.Target, e.Status)
}

func redirect(r request, a answer) *RedirectError {
	e := &RedirectError{Method: r.method, Path: r.path, Status: a.status}
	if a.location != nil {
		bare := url.URL{Scheme: a.location.Scheme, Host: a.location.Host, Path: a.location.Path}
		e.Target = line(bare.String())
	}
	return e
}

// NetworkError is a request that got no answer: the host is unknown, nobody listens, the connection broke, time
// ran out, or the certificate is not one that we trust.
type NetworkError struct {
	Method, Path string
	Err          error
}

func (e *NetworkError) Error() string {
	return fmt.Sprintf("%s %s: no answer: %v", e.Method, e.Path, e.Err)
}

func (e *NetworkError) Unwrap() error { return e.Err }

// GaveUpError ends a call whose attempts all failed: for longer than the patience of its context, or until the
// server asked for a pause that goes past the patience or the deadline.
type GaveUpError struct {
	Attempts int
	For      time.Duration // since the call began
	Wait     time.Duration // the pause that the server asked for last, 0 for none
	Err      error         // how the last attempt failed
}

func (e *GaveUpError) Error() string {
	text := fmt.Sprintf("gave up after %d attempts in %s", e.Attempts, e.For.Round(time.Millisecond))
	if e.Attempts == 1 {
		text = "gave up after one attempt"
	}
	if e.Wait > 0 {
		text += fmt.Sprintf(", since the server asks to wait another %s", e.Wait)
	}
	return text + ": " + e.Err.Error()
}

func (e *GaveUpError) Unwrap() error { return e.Err }
