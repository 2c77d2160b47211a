package spiceruntime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

const (
	mcpPath     = "/v1/mcp"
	mcpProtocol = "2025-06-18"
	// A session lives in one instance of the runtime and the edge sends each request to any of them. With two
	// about two of five requests come to the other one, which knows nothing of the session and answers 404.
	mcpSessions = 1 + 5
	mcpGoodbye  = 2 * time.Second
)

// errSessionLost says that another instance has answered.
var errSessionLost = errors.New("the session is not known there")

// lostSessions is an MCP probe that no session lived long enough for.
type lostSessions struct{}

func (lostSessions) Error() string {
	return fmt.Sprintf("%d MCP sessions in a row were lost (404): the app seems to run several replicas, and a session lives in one of them", mcpSessions)
}

// callTool makes a session, calls the tool and ends the session
// (https://modelcontextprotocol.io/specification/2025-06-18/basic/transports).
func (c *Client) callTool(ctx context.Context, params []byte) (string, error) {
	for range mcpSessions {
		s := &session{client: c}
		result, err := s.use(ctx, params)
		if errors.Is(err, errSessionLost) {
			continue
		}
		s.end(ctx)
		if err != nil {
			return "", err
		}
		return c.readToolResult(result)
	}
	return "", lostSessions{}
}

// session is one MCP session.
type session struct {
	client  *Client
	id      string // "" before the first answer, and of a server that keeps no sessions
	version string // the protocol that the server chose, "" before the first answer
	calls   int
}

// use goes through the handshake and calls the tool.
func (s *session) use(ctx context.Context, params []byte) (json.RawMessage, error) {
	hello, err := json.Marshal(map[string]any{
		"protocolVersion": mcpProtocol,
		"capabilities":    map[string]any{},
		"clientInfo":      map[string]string{"name": "spice-deploy", "version": s.client.userAgent},
	})
	if err != nil {
		return nil, err
	}
	answer, err := s.call(ctx, "initialize", hello)
	if err != nil {
		return nil, err
	}
	var chosen struct {
		ProtocolVersion string `json:"protocolVersion"`
	}
	_ = json.Unmarshal(answer, &chosen)
	if headerSafe(chosen.ProtocolVersion) {
		s.version = chosen.ProtocolVersion
	}
	if err := s.post(ctx, rpcMessage{Method: "notifications/initialized"}, func(http.Header, io.Reader) error { return nil }); err != nil {
		return nil, err
	}
	return s.call(ctx, "tools/call", params)
}

// rpcMessage is a message of JSON-RPC 2.0, of either direction.
type rpcMessage struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *rpcError       `json:"error,omitempty"`
}

type rpcError struct {
	Code    json.RawMessage `json:"code"`
	Message string          `json:"message"`
}

func (e *rpcError) Error() string { return fmt.Sprintf("JSON-RPC error %s: %s", e.Code, e.Message) }

// answers tells whether the message is the answer to the request with that id. An error without an id is: the
// server could not read the request, and there is one at a time.
func (m rpcMessage) answers(id string) bool {
	if m.Method != "" {
		return false
	}
	return string(m.ID) == id || (m.Error != nil && (m.ID == nil || string(m.ID) == "null"))
}

// call makes a request and returns its result, or the [*rpcError] that came instead.
func (s *session) call(ctx context.Context, method string, params json.RawMessage) (json.RawMessage, error) {
	s.calls++
	id := fmt.Sprint(s.calls)
	var answer rpcMessage
	err := s.post(ctx, rpcMessage{ID: json.RawMessage(id), Method: method, Params: params}, func(header http.Header, body io.Reader) error {
		var err error
		if answer, err = readAnswer(header, body, id); err != nil {
			return err
		}
		if answer.Error == nil && (answer.Result == nil || string(answer.Result) == "null") {
			return errors.New("it has neither result nor error")
		}
		if given := header.Get("Mcp-Session-Id"); s.id == "" {
			if !headerSafe(given) {
				return errors.New("its Mcp-Session-Id cannot be sent back")
			}
			s.id = given
		}
		return nil
	})
	if err == nil && answer.Error != nil {
		return nil, answer.Error
	}
	return answer.Result, err
}

// post sends one message. A 404 within a session is [errSessionLost].
func (s *session) post(ctx context.Context, m rpcMessage, read reader) error {
	m.Version = "2.0"
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	err = s.client.exchange(ctx, request{
		method: http.MethodPost, path: mcpPath, accept: "application/json, text/event-stream",
		contentType: jsonType, body: body, header: s.header(),
	}, read)
	if refused, ok := errors.AsType[*Error](err); ok && refused.Status == http.StatusNotFound && s.id != "" {
		return errSessionLost
	}
	return err
}

func (s *session) header() map[string]string {
	header := map[string]string{}
	if s.id != "" {
		header["Mcp-Session-Id"] = s.id
	}
	if s.version != "" {
		header["MCP-Protocol-Version"] = s.version
	}
	return header
}

// end ends the session. A server that does not hear of it ends it by itself some time.
func (s *session) end(ctx context.Context) {
	if s.id == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, mcpGoodbye)
	defer cancel()
	_ = s.client.exchange(ctx, request{method: http.MethodDelete, path: mcpPath, accept: "*/*", header: s.header()},
		func(http.Header, io.Reader) error { return nil })
}

// readAnswer reads the answer with that id: the whole body, or one of the events of a stream, which may hold
// requests and notifications of the server as well and need not end after it.
func readAnswer(header http.Header, body io.Reader, id string) (rpcMessage, error) {
	var m rpcMessage
	if media, _, _ := mime.ParseMediaType(header.Get("Content-Type")); media != "text/event-stream" {
		raw, err := io.ReadAll(body) // its member error is part of the answer
		if err != nil {
			return m, err
		}
		if err := decode(raw, &m); err != nil {
			return m, err
		}
		if !m.answers(id) {
			return m, errors.New("it is not the answer to the request")
		}
		return m, nil
	}
	for stream := newEvents(body); ; {
		data, err := stream.next()
		if errors.Is(err, io.EOF) {
			return m, errors.New("the event stream ended without the answer to the request")
		}
		if err != nil {
			return m, err
		}
		m = rpcMessage{}
		if json.Unmarshal([]byte(data), &m) == nil && m.answers(id) {
			return m, nil
		}
	}
}

// readToolResult says what the tool gave. A tool that failed says so in a good answer.
func (c *Client) readToolResult(raw json.RawMessage) (string, error) {
	var result struct {
		Content    []struct{ Text string } `json:"content"`
		Structured json.RawMessage         `json:"structuredContent"`
		IsError    bool                    `json:"isError"`
	}
	if err := decode(raw, &result); err != nil {
		return "", fmt.Errorf("the tool's result is not usable: %w", err)
	}
	var texts []string
	for _, block := range result.Content {
		if block.Text != "" {
			texts = append(texts, block.Text)
		}
	}
	text := strings.Join(texts, " ")
	switch {
	case result.Content == nil && nothing(result.Structured):
		return "", errors.New("the tool's result is not usable: it has no content")
	case result.IsError && text == "":
		return "", errors.New("the tool failed without saying why")
	case result.IsError:
		return "", fmt.Errorf("the tool failed: %s", text)
	}
	detail := fmt.Sprintf("%d content block(s)", len(result.Content))
	if text != "" {
		detail += ": " + c.line(text, detailLimit)
	}
	return detail, nil
}
