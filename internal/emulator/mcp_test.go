package emulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// mcpHeaders are those that the transport asks for.
var mcpHeaders = []string{"Content-Type", "application/json", "Accept", "application/json, text/event-stream"}

// mcpSession is a session after the handshake.
type mcpSession struct {
	*curl

	id string
}

const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`

func (c *curl) session() mcpSession {
	c.t.Helper()
	a := c.want(http.StatusOK, "POST", "/v1/mcp", initialize, mcpHeaders...)
	s := mcpSession{c, a.header.Get("Mcp-Session-Id")}
	if s.id == "" || !strings.Contains(a.body, `"protocolVersion":"2025-06-18"`) {
		c.t.Fatalf("initialize: session %q, %s", s.id, a.body)
	}
	s.post(http.StatusAccepted, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	return s
}

func (s mcpSession) post(status int, body string) answer {
	s.t.Helper()
	return s.want(status, "POST", "/v1/mcp", body, append([]string{"Mcp-Session-Id", s.id}, mcpHeaders...)...)
}

// call returns the text of a tool's result, or the message of the refusal, with what it is before it.
func (s mcpSession) call(tool, arguments string) string {
	s.t.Helper()
	a := s.post(http.StatusOK, fmt.Sprintf(`{"jsonrpc":"2.0","id":"c-1","method":"tools/call","params":{"name":%q,"arguments":%s}}`, tool, arguments))
	var message struct {
		ID     string
		Error  *struct{ Message string }
		Result struct {
			Content []struct{ Text string }
			IsError bool
		}
	}
	if err := json.Unmarshal([]byte(a.body), &message); err != nil || message.ID != "c-1" {
		s.t.Fatalf("%v: %s", err, a.body)
	}
	switch {
	case message.Error != nil:
		return "error " + message.Error.Message
	case message.Result.IsError:
		return "isError " + message.Result.Content[0].Text
	}
	return message.Result.Content[0].Text
}

func TestMCP(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{})
	run := deployedApp(t, e, c, func(a *emulator.App) {
		a.Runtime = &emulator.Runtime{MCP: emulator.MCP{Tools: map[string]emulator.Tool{
			"greet": {Text: "hello"}, "fail": {Text: "broken", IsError: true}, "refuse": {Error: "not today"},
		}}}
	})
	s := run.session()
	var names []string
	for _, tool := range s.post(http.StatusOK, `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`).json["result"].(map[string]any)["tools"].([]any) {
		names = append(names, tool.(map[string]any)["name"].(string))
	}
	want := []string{"fail", "get_current_datetime", "greet", "list_datasets", "refuse", "search", "sql", "table_schema"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("tools (-want +got):\n%s", diff)
	}
	for _, tc := range []struct{ tool, arguments, want string }{
		{"sql", `{"query":"SELECT 1"}`, `"[{\"Int64(1)\":1}]"`}, // JSON in JSON
		{"sql", `{"query":"SELECT * FROM nope"}`, "isError Error during planning: table 'nope' not found"},
		{"list_datasets", `{}`, `"[\"orders\",\"Daily-Sales\",\"shop.customers\"]"`},
		{"table_schema", `{}`, "emulated answer: no schema is known"},
		{"greet", `{}`, "hello"},
		{"fail", `{}`, "isError broken"},
		{"refuse", `{}`, "error not today"},
		{"nope", `{}`, "error tool not found: nope"},
	} {
		if got := s.call(tc.tool, tc.arguments); got != tc.want {
			t.Errorf("%s %s: got %s, want %s", tc.tool, tc.arguments, got, tc.want)
		}
	}
	if _, err := time.Parse(time.RFC3339, s.call("get_current_datetime", "{}")); err != nil {
		t.Error(err)
	}
	if got := s.post(http.StatusOK, `{"jsonrpc":"2.0","id":3,"method":"prompts/list"}`).json["error"].(map[string]any)["code"]; got != -32601.0 {
		t.Errorf("code of an unknown method: %v", got)
	}
	s.want(http.StatusNoContent, "DELETE", "/v1/mcp", "", "Mcp-Session-Id", s.id)
	s.post(http.StatusNotFound, `{"jsonrpc":"2.0","id":4,"method":"tools/list"}`)

	var tools []map[string]any
	if err := json.Unmarshal([]byte(run.want(http.StatusOK, "GET", "/v1/tools", "").body), &tools); err != nil || len(tools) != len(want) {
		t.Errorf("tools: %v, %v", tools, err)
	}
	if got, want := run.want(http.StatusOK, "POST", "/v1/tools/greet", "{}").body, `"hello"`+"\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, tc := range []struct {
		tool, arguments, want string
		status                int
	}{
		{"sql", `{"query":"SELECT 1"}`, `"[{\"Int64(1)\":1}]"`, 200},
		{"search", `{"text":"x"}`, `"[{\"_score\":0.5,\"dataset\":\"orders\",…`, 200},
		{"nope", "{}", "Tool not found", 404},
		{"fail", "{}", "broken", 500},
		{"refuse", "{}", "not today", 500},
	} {
		got := run.want(tc.status, "POST", "/v1/tools/"+tc.tool, tc.arguments).body
		start, isStart := strings.CutSuffix(tc.want, "…")
		if got != tc.want && (!isStart || !strings.HasPrefix(got, start)) {
			t.Errorf("%s: got %s, want %s", tc.tool, got, tc.want)
		}
	}
}

func TestMCPRefuses(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{})
	run := deployedApp(t, e, c, nil)
	fresh := run.want(http.StatusOK, "POST", "/v1/mcp", initialize, mcpHeaders...).header.Get("Mcp-Session-Id")
	const list = `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`
	cases := []struct {
		name    string
		status  int
		body    string
		headers []string
	}{
		{"without_event_stream", http.StatusNotAcceptable, initialize, []string{"Content-Type", "application/json", "Accept", "application/json"}},
		{"without_json", http.StatusNotAcceptable, initialize, []string{"Content-Type", "application/json", "Accept", "text/event-stream"}},
		{"wrong_type", http.StatusUnsupportedMediaType, initialize, []string{"Content-Type", "text/plain", "Accept", "application/json, text/event-stream"}},
		{"malformed", http.StatusBadRequest, `{`, mcpHeaders},
		{"batch", http.StatusBadRequest, `[]`, mcpHeaders},
		{"without_session", http.StatusBadRequest, list, mcpHeaders},
		{"unknown_session", http.StatusNotFound, list, append([]string{"Mcp-Session-Id", "nope"}, mcpHeaders...)},
		{"not_initialized", http.StatusBadRequest, list, append([]string{"Mcp-Session-Id", fresh}, mcpHeaders...)},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			run := *run
			run.t = t
			if got := run.want(tc.status, "POST", "/v1/mcp", tc.body, tc.headers...).header.Get("Content-Type"); !strings.HasPrefix(got, "text/plain") {
				t.Errorf("answered %s", got)
			}
		})
	}
	run.want(http.StatusMethodNotAllowed, "GET", "/v1/mcp", "", "Accept", "text/event-stream")
	run.want(http.StatusBadRequest, "DELETE", "/v1/mcp", "")
	run.want(http.StatusNotFound, "DELETE", "/v1/mcp", "", "Mcp-Session-Id", "nope")
}

func TestMCPEventStream(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{})
	s := deployedApp(t, e, c, func(a *emulator.App) { a.Runtime = &emulator.Runtime{MCP: emulator.MCP{SSE: true}} }).session()
	a := s.post(http.StatusOK, `{"jsonrpc":"2.0","id":9,"method":"ping"}`)
	if got := a.header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("type %s", got)
	}
	var ids []any
	for frame := range strings.SplitSeq(strings.TrimSuffix(a.body, "\n\n"), "\n\n") {
		_, data, _ := strings.Cut(frame, "data:")
		data, _, _ = strings.Cut(data, "\n")
		var message map[string]any
		if json.Unmarshal([]byte(data), &message) == nil {
			ids = append(ids, message["id"])
		}
	}
	if diff := cmp.Diff([]any{nil, 9.0}, ids); diff != "" {
		t.Errorf("ids of the frames in %q (-want +got):\n%s", a.body, diff)
	}
}

func TestMCPLosesSessions(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{})
	run := deployedApp(t, e, c, func(a *emulator.App) { a.Runtime = &emulator.Runtime{MCP: emulator.MCP{LoseEvery: 2}} })
	const list = `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`
	s := run.session()
	s.post(http.StatusOK, list)
	s.post(http.StatusNotFound, list)
	s.post(http.StatusNotFound, list) // it is gone for good
	run.session().post(http.StatusOK, list)
}

func TestMCPSessionEndsWithTheDeployment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e, c := inMemory(t, emulator.Options{})
		s := deployedApp(t, e, c, nil).session()
		c.want(http.StatusAccepted, "POST", deployments, "")
		time.Sleep(4*time.Second - 1)
		s.call("get_current_datetime", "{}")
		time.Sleep(time.Nanosecond)
		s.post(http.StatusNotFound, `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`)
	})
}

func TestMCPRefusesTheHost(t *testing.T) {
	t.Parallel()
	for hosts, want := range map[string]int{"": 403, "runtime: {mcp: {allowed_hosts: [shop.example.com]}}": 403, "runtime: {mcp: {allowed_hosts: ['*']}}": 200} {
		e, c := overLoopback(t, emulator.Options{})
		run := deployedApp(t, e, c, func(a *emulator.App) {
			a.Spicepod = "version: v1\nkind: Spicepod\nname: shop\n" + hosts + "\n"
			a.Runtime = &emulator.Runtime{MCP: emulator.MCP{RefuseHost: true}}
		})
		if want == http.StatusForbidden {
			run.want(want, "DELETE", "/v1/mcp", "")
		}
		a := run.want(want, "POST", "/v1/mcp", initialize, mcpHeaders...)
		if want == http.StatusForbidden && !strings.Contains(a.body, "Host header") {
			t.Errorf("%q: %s", hosts, a.body)
		}
	}
}
