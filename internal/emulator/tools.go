package emulator

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"
)

// builtInTools are what the runtime offers by itself.
var builtInTools = []string{"get_current_datetime", "list_datasets", "search", "sql", "table_schema"}

// toolNames is sorted.
func (run *running) toolNames() []string {
	names := slices.Concat(builtInTools, slices.Collect(maps.Keys(run.script.MCP.Tools)))
	slices.Sort(names)
	return slices.Compact(names)
}

// callTool runs a tool: the scripted result, or a made-up one.
func (run *running) callTool(name string, arguments json.RawMessage) (Tool, bool) {
	if tool, scripted := run.script.MCP.Tools[name]; scripted {
		return tool, true
	}
	var given struct {
		Query string `json:"query"`
		Text  string `json:"text"`
	}
	_ = json.Unmarshal(arguments, &given) // what is missing is missed where it is needed
	switch name {
	case "sql":
		r, failed := run.query(given.Query)
		if failed != nil {
			return Tool{Text: failed.message, IsError: true}, true
		}
		return Tool{Text: twice(append([]Row{}, r.rows...))}, true
	case "search":
		results, failed := run.search(given.Text, nil)
		if failed != nil {
			return Tool{Text: failed.message, IsError: true}, true
		}
		return Tool{Text: twice(results)}, true
	case "list_datasets":
		names := []string{}
		for _, d := range run.datasets() {
			names = append(names, d.name)
		}
		return Tool{Text: twice(names)}, true
	case "get_current_datetime":
		return Tool{Text: run.now.UTC().Format(time.RFC3339)}, true
	case "table_schema":
		return Tool{Text: emulated + "no schema is known"}, true
	}
	return Tool{}, false
}

// twice encodes JSON as a JSON string, which is what the runtime's tools have been seen to answer.
func twice(v any) string {
	return string(bytes.TrimSpace(encode(string(bytes.TrimSpace(encode(v))))))
}

// listTools is the direct way to the tools, without MCP.
func listTools(_ *state, _ *call, run *running) reply {
	type wireTool struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Parameters  any    `json:"parameters"`
	}
	list := []wireTool{}
	for _, name := range run.toolNames() {
		list = append(list, wireTool{Name: name, Description: "emulated tool"})
	}
	return replyJSON(http.StatusOK, list)
}

// invokeTool answers text as JSON, failures as plain text.
func invokeTool(_ *state, c *call, run *running) reply {
	tool, found := run.callTool(c.params[0], c.body)
	switch {
	case !found:
		return replyText(http.StatusNotFound, "Tool not found")
	case tool.Error != "":
		return replyText(http.StatusInternalServerError, tool.Error)
	case tool.IsError:
		return replyText(http.StatusInternalServerError, tool.Text)
	case json.Valid([]byte(tool.Text)):
		return reply{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json"}}, body: []byte(tool.Text)}
	}
	return replyJSON(http.StatusOK, tool.Text)
}
