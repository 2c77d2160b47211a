package spicecloud

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// The most that is read of an answer. Real ones are a few KiB; a list of some thousand apps stays below 2 MiB.
const (
	answerLimit = 16 << 20
	errorLimit  = 64 << 10
)

var errNoAnswer = fmt.Errorf("no complete answer within %s", requestTimeout)

// request is one call of the API, however many exchanges it takes.
type request struct {
	method  string
	path    string     // below the base URL, or below the routes of the projects; errors show it
	url     string     // instead of base URL and path; only a token request has it
	project bool       // path is below /v1/projects, or /v1/apps, see routes.go
	query   url.Values // never holds a secret
	body    []byte     // JSON, nil for none
	secrets []string   // the values in body that no error may repeat
	label   string     // tells it from other requests with the same path where the jitter is drawn
	create  bool       // makes something new each time it is carried out
	many    bool       // one of perhaps hundreds, see pace.go
	open    bool       // goes out without credentials
	once    bool       // one attempt
}

// answer is what came back, read and closed.
type answer struct {
	asked    time.Time // when the request was sent
	status   int
	header   http.Header
	location *url.URL
	body     []byte
	cut      error // why the body is not complete, nil when it is
	tooLarge bool  // the body goes on after answerLimit
}

// exchange sends the request once and reads the answer. A failure means that there is none.
func (c *Client) exchange(ctx context.Context, r request, bearer string) (answer, *failure) {
	timed, cancel := context.WithTimeoutCause(ctx, requestTimeout, errNoAnswer)
	defer cancel()
	var sent sending
	req, err := c.build(sent.watch(timed), r, bearer)
	if err != nil {
		return answer{}, &failure{err: fmt.Errorf("%s %s: %w", r.method, r.path, err)}
	}
	start := time.Now()
	a, err := c.roundTrip(req)
	a.asked = start
	err = reason(timed, err)
	a.cut = reason(timed, a.cut)
	c.report(r, a, errors.Join(err, a.cut), time.Since(start))

	// An answer that was cut off still says whether the server refused.
	if ctx.Err() != nil && (err != nil || (a.cut != nil && a.status < http.StatusMultipleChoices)) {
		return answer{}, &failure{err: ended(ctx, r), ended: true, acted: err == nil || sent.possible(err)}
	}
	if err != nil {
		return answer{}, &failure{
			err:   &NetworkError{Method: r.method, Path: r.path, Err: err},
			again: !certificateFailure(err),
			acted: sent.possible(err),
		}
	}
	return a, nil
}

// reason turns the error of a request that ran out of time, whose text depends on where it was at that
// moment, into one that says so.
func reason(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), errNoAnswer) {
		return errNoAnswer
	}
	return err
}

func (c *Client) build(ctx context.Context, r request, bearer string) (*http.Request, error) {
	target := r.url
	if target == "" {
		target = c.base + r.path
		if len(r.query) > 0 {
			target += "?" + r.query.Encode()
		}
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.userAgent)
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
		req.ContentLength = int64(len(r.body))
		req.Body = io.NopCloser(bytes.NewReader(r.body))
		// GetBody is what lets net/http send a request again by itself, as its HTTP/2 side does after a
		// PROTOCOL_ERROR from a server that may have acted on it (https://go.dev/issue/42777). Repeating is
		// decided in retry.go and nowhere else; every POST has a body, so that this holds for all of them.
		req.GetBody = nil
	}
	if r.open {
		return req, nil
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	if c.org != "" {
		req.Header.Set("X-Org-Name", c.org)
	}
	return req, nil
}

// roundTrip returns an error where there is no answer; one that ends early is in answer.cut. It goes to the
// transport itself: an http.Client would only add redirects and cookies.
func (c *Client) roundTrip(req *http.Request) (answer, error) {
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, header: resp.Header}
	if target, err := resp.Location(); err == nil {
		a.location = target
	}
	limit := int64(answerLimit)
	if resp.StatusCode >= http.StatusMultipleChoices {
		limit = errorLimit
	}
	var body bytes.Buffer
	body.Grow(int(min(max(resp.ContentLength, 0), limit)) + bytes.MinRead) // in one piece where the length is known
	_, a.cut = body.ReadFrom(io.LimitReader(resp.Body, limit+1))
	a.body = body.Bytes()
	if int64(len(a.body)) > limit {
		a.body, a.tooLarge = a.body[:limit], true
	}
	return a, nil
}

func (c *Client) report(r request, a answer, err error, took time.Duration) {
	if c.trace == nil {
		return
	}
	path := r.path
	if len(r.query) > 0 {
		path += "?" + r.query.Encode()
	}
	c.trace(Call{
		Method: r.method, Path: path, Status: a.status, Duration: took,
		RequestID: requestID(a.header), Err: err,
	})
}
