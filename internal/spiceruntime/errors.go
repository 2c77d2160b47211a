package spiceruntime

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Kind says what an [Error] means for whoever asked.
type Kind string

// The kinds.
const (
	Refused     Kind = "refused"      // 401, 403, 404 or a redirect: the address or the key is not right
	HostRefused Kind = "host-refused" // 403 of the MCP route because of the Host header
	Unavailable Kind = "unavailable"  // 408, 429, 5xx, or no complete answer: it may pass
	BadAnswer   Kind = "bad-answer"   // a good status with something else than the runtime documents
	Rejected    Kind = "rejected"     // every other 4xx: the runtime has understood and says no
)

// Error is a request that did not succeed.
type Error struct {
	Method, Path string
	Status       int    // 0 where there was no answer
	Message      string // one line of at most 300 characters without control characters and without the key; "" where nothing was said
	Kind         Kind

	cause error
}

func (e *Error) Error() string {
	text := e.Method + " " + e.Path + ": "
	switch {
	case e.Status == 0:
		return text + e.Message
	case e.Kind == BadAnswer:
		return text + fmt.Sprintf("unusable answer with status %d: %s", e.Status, e.Message)
	}
	text += strings.TrimSpace(fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status)))
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// Unwrap returns what the network or the context said, nil where there was an answer.
func (e *Error) Unwrap() error { return e.cause }

// refusal is the error of an answer whose status is not 2xx.
func (c *Client) refusal(r request, resp *http.Response, body []byte) *Error {
	e := &Error{Method: r.method, Path: r.path, Status: resp.StatusCode, Message: c.line(message(body), textLimit)}
	switch status := resp.StatusCode; {
	case status < http.StatusBadRequest:
		e.Kind, e.Message = Refused, c.line(redirection(resp), textLimit)
	case status == http.StatusForbidden && r.path == mcpPath && strings.Contains(strings.ToLower(e.Message), "host"):
		e.Kind = HostRefused
	case status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusNotFound:
		e.Kind = Refused
	case status >= http.StatusInternalServerError || status == http.StatusRequestTimeout || status == http.StatusTooManyRequests:
		e.Kind = Unavailable
	default:
		e.Kind = Rejected
	}
	return e
}

func redirection(resp *http.Response) string {
	target, err := resp.Location()
	if err != nil {
		return "an unexpected redirect without a target"
	}
	bare := url.URL{Scheme: target.Scheme, Host: target.Host, Path: target.Path}
	return "redirected to " + bare.String() + ", which is not followed"
}

// noAnswer is the error of an exchange that broke before its end.
func (c *Client) noAnswer(ctx context.Context, r request, cause error, took time.Duration) *Error {
	e := &Error{Method: r.method, Path: r.path, Kind: Unavailable, cause: cause}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		// The text of the transport's error depends on where the exchange was at that moment.
		e.cause = context.DeadlineExceeded
		e.Message = fmt.Sprintf("no complete answer within %s", took.Round(10*time.Millisecond))
	case ctx.Err() != nil:
		e.cause = ctx.Err()
		e.Message = "stopped while waiting for the answer"
	default:
		e.Message = c.line("no complete answer: "+cause.Error(), textLimit)
	}
	return e
}
