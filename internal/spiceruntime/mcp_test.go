package spiceruntime_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
)

// mcpServer behaves like the MCP route of the runtime.
type mcpServer struct {
	lose   int                                             // how many sessions are forgotten right after they were made
	forget int                                             // how many are forgotten when the tool is called
	answer func(w http.ResponseWriter, id, result string)  // nil: JSON
	result string                                          // of the tool, "": one row of text
	error  string                                          // a JSON-RPC error instead of the result
	refuse func(w http.ResponseWriter, method string) bool // answers itself

	mu       sync.Mutex
	sessions map[string]bool
	made     int
}

func (m *mcpServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	var message struct {
		JSONRPC string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Method  string          `json:"method"`
	}
	if r.Method == http.MethodPost {
		if err := json.Unmarshal(body, &message); err != nil || message.JSONRPC != "2.0" ||
			r.Header.Get("Accept") != "application/json, text/event-stream" || r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, "malformed", http.StatusBadRequest)
			return
		}
	}
	if m.refuse != nil && m.refuse(w, message.Method) {
		return
	}
	session := r.Header.Get("Mcp-Session-Id")
	if message.Method != "initialize" && !m.sessions[session] {
		http.Error(w, "session not found", http.StatusNotFound)
		return
	}
	switch {
	case r.Method == http.MethodDelete:
		delete(m.sessions, session)
		w.WriteHeader(http.StatusNoContent)
	case message.Method == "initialize":
		m.made++
		session = fmt.Sprint("session-", m.made)
		w.Header().Set("Mcp-Session-Id", session)
		if m.lose--; m.lose < 0 {
			m.sessions = map[string]bool{session: true}
		}
		m.reply(w, string(message.ID), `{"protocolVersion":"2025-03-26","capabilities":{},"serverInfo":{"name":"x","version":"1"}}`)
	case message.Method == "notifications/initialized":
		if m.forget--; m.forget >= 0 {
			m.sessions = nil
		}
		w.WriteHeader(http.StatusAccepted)
	case m.error != "":
		m.send(w, string(message.ID), `"error":`+m.error)
	case m.result != "":
		m.reply(w, string(message.ID), m.result)
	default:
		m.reply(w, string(message.ID), `{"content":[{"type":"text","text":"[{\"n\":1}]"}],"isError":false}`)
	}
}

func (m *mcpServer) reply(w http.ResponseWriter, id, result string) {
	if m.answer != nil {
		m.answer(w, id, result)
		return
	}
	m.send(w, id, `"result":`+result)
}

func (m *mcpServer) send(w http.ResponseWriter, id, member string) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,%s}`, id, member)
}

func events(lines string) func(http.ResponseWriter, string, string) {
	return func(w http.ResponseWriter, id, result string) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		fmt.Fprint(w, strings.NewReplacer("ID", id, "RESULT", result).Replace(lines))
	}
}

func TestRun_mcp_handshake(t *testing.T) {
	t.Parallel()
	r := serve(t, map[string]http.HandlerFunc{"/v1/mcp": (&mcpServer{}).ServeHTTP})
	o := r.run(t, spiceruntime.Inputs{MCPTool: "sql", MCPArguments: `{"query":"SELECT 1"}`})
	if !o.OK || o.Detail != `1 content block(s): [{"n":1}]` {
		t.Fatalf("got %+v", o)
	}
	type step struct{ Line, Body, Session, Version string }
	var got []step
	for _, s := range r.requests() {
		got = append(got, step{s.Line, s.Body, s.Get("Mcp-Session-Id"), s.Get("Mcp-Protocol-Version")})
	}
	want := []step{
		{"POST /v1/mcp", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{},"clientInfo":{"name":"spice-deploy","version":"spice-deploy"},"protocolVersion":"2025-06-18"}}`, "", ""},
		{"POST /v1/mcp", `{"jsonrpc":"2.0","method":"notifications/initialized"}`, "session-1", "2025-03-26"},
		{"POST /v1/mcp", `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"arguments":{"query":"SELECT 1"},"name":"sql"}}`, "session-1", "2025-03-26"},
		{"DELETE /v1/mcp", "", "session-1", "2025-03-26"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestRun_mcp(t *testing.T) {
	t.Parallel()
	refusing := func(status int, said string) func(http.ResponseWriter, string) bool {
		return func(w http.ResponseWriter, _ string) bool {
			http.Error(w, said, status)
			return true
		}
	}
	cases := []struct {
		name   string
		server *mcpServer
		detail string
		error  string
		hint   string
		kind   spiceruntime.Kind
		made   int
	}{
		{name: "stream", server: &mcpServer{answer: events("event: message\nid: 1\ndata: {\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":RESULT}\n\n")}, detail: "1 content block(s)", made: 1},
		{name: "stream_with_others", server: &mcpServer{answer: events(
			": ping\n\nretry: 5\ndata:\n\ndata: nonsense\n\ndata: {\"method\":\"ping\",\"id\":ID}\r\rdata: {\"id\":99,\"result\":{}}\r\n\r\n" +
				"data: {\"id\":ID,\ndata:\"result\":RESULT}\n\ndata: {\"id\":ID,\"error\":{\"code\":1,\"message\":\"later\"}}\n\n",
		)}, detail: "1 content block(s)", made: 1},
		{name: "stream_without_last_newline", server: &mcpServer{answer: events(`data: {"id":ID,"result":RESULT}`)}, detail: "1 content block(s)", made: 1},
		{name: "stream_without_answer", server: &mcpServer{answer: events("data: {}\n\n")}, error: "the event stream ended without the answer", kind: spiceruntime.BadAnswer, made: 1},
		{name: "json_for_another", server: &mcpServer{answer: func(w http.ResponseWriter, _, _ string) { fmt.Fprint(w, `{"id":77,"result":{}}`) }}, error: "not the answer to the request", kind: spiceruntime.BadAnswer, made: 1},
		{name: "json_without_result", server: &mcpServer{answer: func(w http.ResponseWriter, id, _ string) { fmt.Fprintf(w, `{"id":%s}`, id) }}, error: "neither result nor error", kind: spiceruntime.BadAnswer, made: 1},
		{name: "accepted_without_body", server: &mcpServer{refuse: func(w http.ResponseWriter, _ string) bool { w.WriteHeader(202); return true }}, error: "it is empty", kind: spiceruntime.BadAnswer},
		{name: "json_with_null_as_result", server: &mcpServer{result: `null`}, error: "neither result nor error", kind: spiceruntime.BadAnswer, made: 1},
		{name: "json_with_an_error_of_text", server: &mcpServer{error: `"boom ` + key + `"`}, error: "expected an object, got a text in error, which says: boom ***", kind: spiceruntime.BadAnswer, made: 1},
		{name: "error_with_a_code_of_text", server: &mcpServer{error: `{"code":"E1","message":"boom"}`}, error: `JSON-RPC error "E1": boom`, made: 1},
		{name: "no_content", server: &mcpServer{result: `{}`}, error: "it has no content", made: 1},
		{name: "structured_content_alone", server: &mcpServer{result: `{"structuredContent":{"n":1}}`}, detail: "0 content block(s)", made: 1},
		{name: "is_error_as_a_text", server: &mcpServer{result: `{"content":[],"isError":"true"}`}, error: "expected true or false, got a text in isError", made: 1},
		{name: "two_blocks", server: &mcpServer{result: `{"content":[{"type":"image","data":"x"},{"type":"text","text":"b"}]}`}, detail: "2 content block(s): b", made: 1},
		{name: "no_blocks", server: &mcpServer{result: `{"content":[]}`}, detail: "0 content block(s)", made: 1},
		{name: "tool_failed", server: &mcpServer{result: `{"content":[{"type":"text","text":"no table\nx ` + key + `"}],"isError":true}`}, error: "the tool failed: no table x ***", made: 1},
		{name: "tool_failed_silently", server: &mcpServer{result: `{"content":[],"isError":true}`}, error: "the tool failed without saying why", made: 1},
		{name: "no_such_tool", server: &mcpServer{error: `{"code":-32602,"message":"tool not found"}`}, error: "JSON-RPC error -32602: tool not found", made: 1},
		{name: "unreadable_request", server: &mcpServer{answer: func(w http.ResponseWriter, _, _ string) {
			fmt.Fprint(w, `{"id":null,"error":{"code":-32700,"message":"parse error"}}`)
		}}, error: "JSON-RPC error -32700: parse error", made: 1},
		{name: "result_of_another_shape", server: &mcpServer{result: `"done"`}, error: "the tool's result is not usable: it is not the JSON expected: expected an object, got a text", made: 1},
		{name: "session_lost_at_once", server: &mcpServer{lose: 3}, detail: "1 content block(s)", made: 4},
		{name: "session_lost_before_the_tool", server: &mcpServer{forget: 5}, detail: "1 content block(s)", made: 6},
		{name: "session_lost_each_time", server: &mcpServer{forget: 99}, error: "6 MCP sessions in a row were lost (404): the app seems to run several replicas", hint: "set replicas to 1", made: 6},
		{name: "session_id_that_cannot_be_sent", server: &mcpServer{refuse: func(w http.ResponseWriter, _ string) bool {
			w.Header().Set("Mcp-Session-Id", "é")
			fmt.Fprint(w, `{"id":1,"result":{}}`)
			return true
		}}, error: "its Mcp-Session-Id cannot be sent back", kind: spiceruntime.BadAnswer},
		{name: "host_refused", server: &mcpServer{refuse: refusing(403, "Forbidden: Host header is not allowed")}, error: "403 Forbidden: Forbidden: Host header is not allowed", hint: `runtime.mcp.allowed_hosts: ["*"]`, kind: spiceruntime.HostRefused},
		{name: "key_refused", server: &mcpServer{refuse: refusing(403, "no")}, error: "403 Forbidden: no", hint: "check that the API key", kind: spiceruntime.Refused},
		{name: "no_auth_configured", server: &mcpServer{refuse: refusing(401, `{"message":"Authentication is not configured"}`)}, error: "401 Unauthorized: Authentication is not configured", hint: "API key", kind: spiceruntime.Refused},
		{name: "no_such_route", server: &mcpServer{refuse: refusing(404, "")}, error: "404 Not Found", hint: "version 2.0.0", kind: spiceruntime.Refused},
		{name: "unavailable", server: &mcpServer{refuse: refusing(502, "")}, error: "502 Bad Gateway", kind: spiceruntime.Unavailable},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := serve(t, map[string]http.HandlerFunc{"/v1/mcp": tc.server.ServeHTTP})
			o := r.run(t, spiceruntime.Inputs{MCPTool: "sql"})
			if o.OK != (tc.error == "") || o.Name != "mcp" || o.Kind != tc.kind {
				t.Errorf("got %+v", o)
			}
			contains(t, "the detail", o.Detail, tc.detail)
			contains(t, "the error", o.Error, tc.error)
			contains(t, "the hint", o.Hint, tc.hint)
			if tc.server.made != tc.made {
				t.Errorf("%d sessions were made, want %d", tc.server.made, tc.made)
			}
		})
	}
}

// A server without sessions sends no id and is sent none; its 404 is no lost session.
func TestRun_mcp_without_sessions(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 404} {
		r := serve(t, map[string]http.HandlerFunc{"POST /v1/mcp": func(w http.ResponseWriter, req *http.Request) {
			body, _ := io.ReadAll(req.Body)
			switch {
			case strings.Contains(string(body), "notifications"):
				w.WriteHeader(202)
			case strings.Contains(string(body), "initialize"):
				fmt.Fprint(w, `{"id":1,"result":{}}`)
			default:
				w.WriteHeader(status)
				fmt.Fprint(w, `{"id":2,"result":{"content":[]}}`)
			}
		}})
		o := r.run(t, spiceruntime.Inputs{MCPTool: "sql"})
		if o.OK != (status == 200) {
			t.Errorf("%d: got %+v", status, o)
		}
		if got := r.lines(); len(got) != 3 {
			t.Errorf("%d: got %q", status, got)
		}
	}
}

func TestRun_mcp_stream_that_stays_open(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	r := serve(t, map[string]http.HandlerFunc{"/v1/mcp": (&mcpServer{answer: func(w http.ResponseWriter, id, result string) {
		w.Header().Set("Content-Type", "text/event-stream")
		// The CR ends the event; nothing may wait for an LF that could follow.
		fmt.Fprintf(w, "data: {\"id\":%s,\"result\":%s}\r\r", id, result)
		_ = http.NewResponseController(w).Flush()
		if !strings.Contains(result, "content") {
			return
		}
		<-stop
	}}).ServeHTTP})
	defer close(stop)
	c := r.client(t, nil)
	limited, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	done := make(chan spiceruntime.Outcome, 1)
	p := one(t, spiceruntime.Inputs{MCPTool: "sql"})
	go func() { done <- c.Run(limited, p) }()
	// The goodbye is not answered either, which takes two seconds at most.
	if o := <-done; !o.OK || o.Duration > 15*time.Second {
		t.Errorf("got %+v", o)
	}
}

func TestRun_mcp_endless_stream(t *testing.T) {
	t.Parallel()
	r := serve(t, map[string]http.HandlerFunc{"/v1/mcp": func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		line := "data: {}\n\n: " + strings.Repeat("x", 256<<10) + "\n"
		for req.Context().Err() == nil {
			if _, err := fmt.Fprint(w, line); err != nil {
				return
			}
		}
	}})
	o := r.run(t, spiceruntime.Inputs{MCPTool: "sql"})
	contains(t, "the error", o.Error, "longer than 16 MiB")
}
