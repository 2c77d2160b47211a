package emulator

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// sessionHeader names the session of MCP's Streamable HTTP transport.
const sessionHeader = "Mcp-Session-Id"

// session lives in the runtime that made it: it ends with the deployment.
type session struct {
	deployment  *deployment
	initialized bool
}

// rpc is a message of JSON-RPC. A request has an id, a notification has none.
type rpc struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
}

// The error codes of JSON-RPC.
const (
	rpcNoMethod  = -32601
	rpcBadParams = -32602
)

// mcpPost takes one message. What the service answers to a wrong Accept or content type is not documented; the
// statuses are those of the MCP library that the runtime uses.
func mcpPost(s *state, c *call, run *running) reply {
	if refused := run.refuseHost(); refused != nil {
		return *refused
	}
	accept := strings.Join(c.header.Values("Accept"), ",")
	switch {
	case !strings.Contains(accept, "application/json") || !strings.Contains(accept, "text/event-stream"):
		return replyText(http.StatusNotAcceptable, "Not Acceptable: Client must accept both application/json and text/event-stream")
	case !sendsJSON(c):
		return replyText(http.StatusUnsupportedMediaType, "Unsupported Media Type: Content-Type must be application/json")
	}
	var message rpc
	if err := json.Unmarshal(c.body, &message); err != nil {
		return replyText(http.StatusBadRequest, "Bad Request: the body is not one JSON-RPC message")
	}
	if message.Method == "initialize" && message.ID != nil {
		return s.mcpInitialize(run, message)
	}
	sess, refused := run.session(c)
	if refused != nil {
		return *refused
	}
	if message.ID == nil || message.Method == "" { // a notification, or an answer to something never asked
		sess.initialized = sess.initialized || message.Method == "notifications/initialized"
		return reply{status: http.StatusAccepted, header: http.Header{}}
	}
	if !sess.initialized && message.Method != "ping" {
		return replyText(http.StatusBadRequest, "Bad Request: notifications/initialized is missing")
	}
	if strings.HasPrefix(message.Method, "tools/") && run.losesSession(c) {
		return sessionNotFound()
	}
	return run.mcpCall(message)
}

// mcpDelete ends a session.
func mcpDelete(_ *state, c *call, run *running) reply {
	if refused := run.refuseHost(); refused != nil {
		return *refused
	}
	if _, refused := run.session(c); refused != nil {
		return *refused
	}
	delete(run.app.sessions, c.header.Get(sessionHeader))
	return noContent()
}

// refuseHost is the check of the Host header as it has been seen on the service: only a spicepod that allows
// every host gets by.
func (run *running) refuseHost() *reply {
	runtime, _ := run.spicepod["runtime"].(map[string]any)
	mcp, _ := runtime["mcp"].(map[string]any)
	hosts, _ := mcp["allowed_hosts"].([]any)
	if !run.script.MCP.RefuseHost || slices.Contains(hosts, any("*")) {
		return nil
	}
	return new(replyText(http.StatusForbidden, "Forbidden: Host header is not allowed"))
}

func sessionNotFound() reply { return replyText(http.StatusNotFound, "Not Found: Session not found") }

// session is the one that the header names.
func (run *running) session(c *call) (*session, *reply) {
	id := c.header.Get(sessionHeader)
	if id == "" {
		return nil, new(replyText(http.StatusBadRequest, "Bad Request: Session ID is required"))
	}
	sess := run.app.sessions[id]
	if sess == nil || sess.deployment != run.deployment {
		return nil, new(sessionNotFound())
	}
	return sess, nil
}

// losesSession counts the calls of tools and ends the session at each n-th, as if another replica had got it.
func (run *running) losesSession(c *call) bool {
	run.app.toolCalls++
	if n := run.script.MCP.LoseEvery; n == 0 || run.app.toolCalls%n != 0 {
		return false
	}
	delete(run.app.sessions, c.header.Get(sessionHeader))
	return true
}

func (s *state) mcpInitialize(run *running, message rpc) reply {
	var params struct {
		ProtocolVersion string `json:"protocolVersion"`
	}
	_ = json.Unmarshal(message.Params, &params) // without a version it is the emulator's
	run.app.sessionsMade++
	id := s.derive(32, "session", run.app.id, run.app.sessionsMade)
	if run.app.sessions == nil {
		run.app.sessions = map[string]*session{}
	}
	run.app.sessions[id] = &session{deployment: run.deployment}
	r := run.mcpReply(message, "result", map[string]any{
		"protocolVersion": cmp.Or(params.ProtocolVersion, "2025-06-18"),
		"capabilities":    map[string]any{"tools": map[string]any{}},
		"serverInfo":      map[string]string{"name": "spice (emulated)", "version": "2"},
	})
	r.header.Set(sessionHeader, id)
	return r
}

// mcpCall answers a request. A refusal of JSON-RPC has the status 200, and so has a tool's failure.
func (run *running) mcpCall(message rpc) reply {
	refuse := func(code int, text string) reply {
		return run.mcpReply(message, "error", map[string]any{"code": code, "message": text})
	}
	switch message.Method {
	case "ping":
		return run.mcpReply(message, "result", map[string]any{})
	case "tools/list":
		type wireTool struct {
			Name        string         `json:"name"`
			Description string         `json:"description"`
			InputSchema map[string]any `json:"inputSchema"`
		}
		list := []wireTool{}
		for _, name := range run.toolNames() {
			list = append(list, wireTool{name, "emulated tool", map[string]any{"type": "object"}})
		}
		return run.mcpReply(message, "result", map[string]any{"tools": list})
	case "tools/call":
		var params struct {
			Name      string          `json:"name"`
			Arguments json.RawMessage `json:"arguments"`
		}
		if err := json.Unmarshal(message.Params, &params); err != nil {
			return refuse(rpcBadParams, "invalid params")
		}
		tool, found := run.callTool(params.Name, params.Arguments)
		switch {
		case !found:
			return refuse(rpcBadParams, "tool not found: "+params.Name)
		case tool.Error != "":
			return refuse(rpcBadParams, tool.Error)
		}
		return run.mcpReply(message, "result", map[string]any{
			"content": []any{map[string]string{"type": "text", "text": tool.Text}}, "isError": tool.IsError,
		})
	}
	return refuse(rpcNoMethod, "Method not found")
}

// mcpReply is one JSON document, or a stream in which an empty frame and a notification come before it.
func (run *running) mcpReply(message rpc, member string, v any) reply {
	document := map[string]any{"jsonrpc": "2.0", "id": message.ID, member: v}
	if !run.script.MCP.SSE {
		r := replyJSON(http.StatusOK, document)
		r.header.Set("Content-Type", "application/json")
		return r
	}
	var b bytes.Buffer
	b.WriteString("data:\nid: 0\nretry: 3000\n\n")
	b.WriteString("data: " + `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"emulated"}}` + "\n\n")
	b.WriteString("data: " + string(encode(document)) + "\n")
	return reply{status: http.StatusOK, header: http.Header{"Content-Type": {"text/event-stream"}}, body: b.Bytes()}
}
