package spiceruntime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Outcome is what became of a probe. Its texts are single lines of at most 300 characters, without control
// characters and without the key.
type Outcome struct {
	Name     string // the kind of the probe
	OK       bool
	Duration time.Duration // of the whole probe, the handshake of MCP included
	Detail   string        // what it found, where it is OK
	Error    string        // why it is not OK
	Hint     string        // what to do about it, "" where nothing can be said
	Kind     Kind          // of the request that failed, "" where all were answered and the answer is not good enough
}

// Run makes one attempt at a probe, under the deadline of ctx, or within 30 s where it has none. Only a lost MCP
// session is made again, at most five times.
func (c *Client) Run(ctx context.Context, p Probe) Outcome {
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, requestTimeout)
		defer cancel()
	}
	start := time.Now()
	detail, err := c.attempt(ctx, p)
	o := Outcome{Name: p.Kind, OK: err == nil, Duration: time.Since(start), Detail: c.line(detail, textLimit)}
	if err != nil {
		o.Error, o.Detail, o.Hint = c.line(err.Error(), textLimit), "", hint(p, err)
		if failed, ok := errors.AsType[*Error](err); ok {
			o.Kind = failed.Kind
		}
	}
	return o
}

func (c *Client) attempt(ctx context.Context, p Probe) (string, error) {
	switch p.Kind {
	case sqlProbe:
		return c.runSQL(ctx, p)
	case nsqlProbe:
		return c.runNSQL(ctx, p)
	case chatProbe:
		return c.runChat(ctx, p)
	case searchProbe:
		return c.runSearch(ctx, p)
	case mcpProbe:
		return c.callTool(ctx, p.body)
	}
	return "", fmt.Errorf("%q is no kind of probe", p.Kind)
}

// ask posts the probe and hands the body of a good answer to read.
func (c *Client) ask(ctx context.Context, path, accept string, p Probe, read func(io.Reader) error) error {
	r := request{method: http.MethodPost, path: path, accept: accept, contentType: jsonType, body: p.body}
	if p.raw {
		// The runtime takes a body for JSON only where the type is exactly application/json, and for SQL else.
		r.contentType = "text/plain"
	}
	return c.exchange(ctx, r, func(_ http.Header, body io.Reader) error { return read(body) })
}

func (c *Client) runSQL(ctx context.Context, p Probe) (string, error) {
	t, err := c.query(ctx, "/v1/sql", p)
	if err != nil {
		return "", err
	}
	found, err := p.expect.check(t)
	if err != nil {
		return "", err
	}
	detail := fmt.Sprintf("%d row(s)", t.count)
	if found != "" {
		detail += "; " + found
	}
	return detail, nil
}

func (c *Client) runNSQL(ctx context.Context, p Probe) (string, error) {
	t, err := c.query(ctx, "/v1/nsql", p)
	if err != nil {
		return "", err
	}
	detail := fmt.Sprintf("%d row(s)", t.count)
	if t.sql != "" {
		detail += "; generated SQL: " + c.line(t.sql, detailLimit)
	}
	return detail, nil
}

func (c *Client) query(ctx context.Context, path string, p Probe) (t table, err error) {
	err = c.ask(ctx, path, rowsAccept, p, func(body io.Reader) (err error) {
		t, err = readTable(body)
		return err
	})
	return t, err
}

func (c *Client) runChat(ctx context.Context, p Probe) (string, error) {
	var answer struct {
		Choices []struct {
			Message struct {
				Content string `json:"content"`
			} `json:"message"`
		} `json:"choices"`
		Usage struct {
			TotalTokens any `json:"total_tokens"`
		} `json:"usage"`
	}
	err := c.ask(ctx, "/v1/chat/completions", jsonType, p, func(body io.Reader) error { return readJSON(body, &answer) })
	if err != nil {
		return "", err
	}
	if len(answer.Choices) == 0 || strings.TrimSpace(answer.Choices[0].Message.Content) == "" {
		return "", errors.New("the model gave an empty answer")
	}
	detail := "reply: " + c.line(answer.Choices[0].Message.Content, detailLimit)
	if tokens, ok := answer.Usage.TotalTokens.(json.Number); ok {
		detail = tokens.String() + " tokens, " + detail
	}
	return detail, nil
}

func (c *Client) runSearch(ctx context.Context, p Probe) (string, error) {
	// Runtimes before v2 call them matches; within results that word means the columns that matched.
	var answer struct {
		Results []json.RawMessage `json:"results"`
		Matches []json.RawMessage `json:"matches"`
	}
	err := c.ask(ctx, "/v1/search", jsonType, p, func(body io.Reader) error {
		var raw json.RawMessage
		if err := readJSON(body, &raw); err != nil {
			return err
		}
		err := decode(raw, &answer)
		if err == nil && answer.Results == nil && answer.Matches == nil {
			err = fmt.Errorf("it is not the JSON expected: it has neither results nor matches%s", saying(raw))
		}
		return err
	})
	if err != nil {
		return "", err
	}
	if answer.Results == nil {
		return fmt.Sprintf("%d match(es)", len(answer.Matches)), nil
	}
	return fmt.Sprintf("%d result(s)", len(answer.Results)), nil
}

// hint is what to do about a probe that failed.
func hint(p Probe, err error) string {
	if errors.Is(err, lostSessions{}) {
		return "MCP sessions live in one instance of the runtime: set replicas to 1, or leave the MCP probe out"
	}
	failed, ok := errors.AsType[*Error](err)
	if !ok {
		return ""
	}
	switch {
	case failed.Kind == HostRefused:
		return `the runtime serves MCP only to the hosts it was told: set runtime.mcp.allowed_hosts: ["*"] in the spicepod`
	case failed.Status == http.StatusNotFound && p.Kind == nsqlProbe:
		return "text-to-SQL over HTTP needs version 2.1.0 of the runtime or a newer one"
	case failed.Status == http.StatusNotFound && p.Kind == mcpProbe:
		return "MCP over HTTP needs version 2.0.0 of the runtime or a newer one"
	case failed.Kind == Refused && failed.Status < http.StatusBadRequest, failed.Status == http.StatusNotFound:
		return "check runtime-url, or the endpoint of the app: it has to be the runtime's own address"
	case failed.Kind == Refused:
		return "check that the API key is one of this app's and that runtime-url, if set, is in the app's region"
	}
	return ""
}
