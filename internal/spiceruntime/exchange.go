package spiceruntime

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// The limits of one exchange. On Cloud an answer has at most 500 rows, and the edge ends a request after 90 s.
const (
	requestTimeout = 30 * time.Second // where the caller's context allows longer
	answerLimit    = 16 << 20
	errorLimit     = 64 << 10
)

const jsonType = "application/json"

// request is one HTTP request.
type request struct {
	method, path string
	query        string
	accept       string
	contentType  string // "" without a body
	body         []byte
	header       map[string]string // in addition
}

// reader takes what it needs of an answer with a 2xx status. It need not read to the end.
type reader func(header http.Header, body io.Reader) error

// exchange sends the request once and hands a good answer to read. Every error is an [*Error].
func (c *Client) exchange(ctx context.Context, r request, read reader) error {
	start := time.Now()
	status, err := c.roundTrip(ctx, r, read, start)
	if c.trace != nil {
		c.trace(r.method, r.path+r.query, status, time.Since(start), err)
	}
	return err
}

func (c *Client) roundTrip(ctx context.Context, r request, read reader, start time.Time) (int, error) {
	req, err := c.build(ctx, r)
	if err != nil {
		return 0, c.noAnswer(ctx, r, err, 0)
	}
	// The transport itself: an http.Client would add redirects and cookies, and would take the key along to
	// another host, for it keeps X-API-Key where it drops Authorization.
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return 0, c.noAnswer(ctx, r, err, time.Since(start))
	}
	defer resp.Body.Close()
	status := resp.StatusCode
	if status < 200 || status > 299 {
		// An error whose text is cut off is still that error.
		text, _ := io.ReadAll(io.LimitReader(resp.Body, errorLimit))
		return status, c.refusal(r, resp, text)
	}
	unusable := func(err error) *Error {
		return &Error{Method: r.method, Path: r.path, Status: status, Kind: BadAnswer, Message: c.line(err.Error(), textLimit)}
	}
	if encoding := resp.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return status, unusable(fmt.Errorf("it is encoded as %s, which was not asked for", encoding))
	}
	body := &limitedBody{from: resp.Body, left: answerLimit}
	if err := read(resp.Header, body); body.broken != nil {
		return status, c.noAnswer(ctx, r, body.broken, time.Since(start))
	} else if err != nil {
		return status, unusable(err)
	}
	return status, nil
}

func (c *Client) build(ctx context.Context, r request) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, c.base+r.path+r.query, http.NoBody)
	if err != nil {
		return nil, err
	}
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	req.Header.Set("Accept", r.accept)
	// Left alone, net/http asks for gzip, and Cloud's edge has answered a chat completion that may be compressed
	// with 502.
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("Cache-Control", "no-cache") // a cached answer would be the former version's
	req.Header.Set("User-Agent", c.userAgent)
	req.Header.Set("X-API-Key", c.key.Reveal())
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
		req.ContentLength = int64(len(r.body))
		// Without GetBody net/http cannot send a request again by itself: chat costs money, and tools act.
		req.Body = io.NopCloser(bytes.NewReader(r.body))
	}
	return req, nil
}

var errTooLong = fmt.Errorf("it is longer than %d MiB", answerLimit>>20)

// limitedBody reads an answer up to its limit and remembers whether the connection broke, which is the network's
// fault and not the answer's.
type limitedBody struct {
	from   io.Reader
	left   int
	broken error
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, errTooLong
	}
	n, err := b.from.Read(p[:min(len(p), b.left)])
	b.left -= n
	if err != nil && !errors.Is(err, io.EOF) {
		b.broken = err
	}
	return n, err
}
