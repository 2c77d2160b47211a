package spiceruntime_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
)

// asked is what a probe sends.
func asked(t *testing.T, p spiceruntime.Probe) string {
	t.Helper()
	r := serve(t, map[string]http.HandlerFunc{"/": text(400, "no"), "/v1/mcp": (&mcpServer{}).ServeHTTP})
	r.client(t, nil).Run(ctx(t), p)
	for _, s := range r.requests() {
		if p.Kind != "mcp" || strings.Contains(s.Body, "tools/call") {
			return s.Line + " " + s.Get("Content-Type") + " " + s.Body
		}
	}
	t.Fatalf("%s: nothing was asked", p)
	return ""
}

func TestParseProbes(t *testing.T) {
	t.Parallel()
	const (
		sql    = "POST /v1/sql text/plain "
		sqlJS  = "POST /v1/sql application/json "
		nsql   = "POST /v1/nsql application/json "
		chat   = "POST /v1/chat/completions application/json "
		search = "POST /v1/search application/json "
		mcp    = `POST /v1/mcp application/json {"jsonrpc":"2.0","id":2,"method":"tools/call","params":`
	)
	cases := []struct {
		name string
		in   spiceruntime.Inputs
		want []string
	}{
		{"nothing", spiceruntime.Inputs{SQL: " \n", ChatModel: "m", MCPArguments: "{}"}, nil},
		{"sql", spiceruntime.Inputs{SQL: " SELECT '<&>'\n FROM t \n"}, []string{sql + "SELECT '<&>'\n FROM t"}},
		{"sql_comment_is_no_list", spiceruntime.Inputs{SQL: "-- all\nSELECT 1"}, []string{sql + "-- all\nSELECT 1"}},
		{"sql_json_list", spiceruntime.Inputs{SQL: `["SELECT 1", "SELECT '\ud83d\ude00'"]`}, []string{sql + "SELECT 1", sql + "SELECT '😀'"}},
		{"sql_yaml_list", spiceruntime.Inputs{SQL: "- SELECT 1\n-\n  sql: |\n    SELECT 2\n    FROM t\n"}, []string{sql + "SELECT 1", sql + "SELECT 2\nFROM t"}},
		{"sql_flow_list", spiceruntime.Inputs{SQL: "[SELECT 1, {sql: SELECT 2}]"}, []string{sql + "SELECT 1", sql + "SELECT 2"}},
		{"sql_yaml_list_indented", spiceruntime.Inputs{SQL: "\n  - SELECT 1\n  - SELECT 2\n"}, []string{sql + "SELECT 1", sql + "SELECT 2"}},
		{"sql_yaml_list_of_indented_maps", spiceruntime.Inputs{SQL: " \r\n  - sql: SELECT 1\r\n    expect: 1\r\n  - SELECT 2"}, []string{sql + "SELECT 1", sql + "SELECT 2"}},
		{"sql_yaml_map", spiceruntime.Inputs{SQL: "  sql: SELECT 1\n  expect: 1\n"}, []string{sql + "SELECT 1"}},
		{"sql_yaml_map_of_a_block", spiceruntime.Inputs{SQL: "- |\n  sql: SELECT 2\n"}, []string{sql + "SELECT 2"}},
		{"sql_with_a_colon_is_no_map", spiceruntime.Inputs{SQL: "SELECT a: 1"}, []string{sql + "SELECT a: 1"}},
		{"sql_comment_with_dashes", spiceruntime.Inputs{SQL: "---- all: of them\nSELECT 1"}, []string{sql + "---- all: of them\nSELECT 1"}},
		{"sql_json_map", spiceruntime.Inputs{SQL: `{"sql":"SELECT $1","parameters":[9007199254740993,1.50,null,"a"]}`}, []string{sqlJS + `{"parameters":[9007199254740993,1.50,null,"a"],"sql":"SELECT $1"}`}},
		{"sql_no_parameters", spiceruntime.Inputs{SQL: `- {sql: SELECT 1, parameters: []}`}, []string{sqlJS + `{"parameters":[],"sql":"SELECT 1"}`}},
		{
			"sql_yaml_parameters",
			spiceruntime.Inputs{SQL: "- sql: S\n  parameters: {a: 9007199254740993, b: 2024-01-02, c: 'yes', d: yes, e: true, f: ~, g: 0x1F, h: +.5}\n"},
			[]string{sqlJS + `{"parameters":{"a":9007199254740993,"b":"2024-01-02","c":"yes","d":"yes","e":true,"f":null,"g":31,"h":0.5},"sql":"S"}`},
		},
		{"nsql", spiceruntime.Inputs{NSQL: "how many?"}, []string{nsql + `{"query":"how many?"}`}},
		{"nsql_with_model", spiceruntime.Inputs{NSQL: "how many?", ChatModel: " m "}, []string{nsql + `{"model":"m","query":"how many?"}`}},
		{"nsql_bodies", spiceruntime.Inputs{NSQL: `- '{"query":"a","datasets":["b"]}'` + "\n- {query: c, model: d}", ChatModel: "m"}, []string{nsql + `{"datasets":["b"],"model":"m","query":"a"}`, nsql + `{"model":"d","query":"c"}`}},
		{"nsql_yaml_map", spiceruntime.Inputs{NSQL: "model: d\nquery: c"}, []string{nsql + `{"model":"d","query":"c"}`}},
		{"search_yaml_map", spiceruntime.Inputs{Search: "text: a\nlimit: 2"}, []string{search + `{"limit":2,"text":"a"}`}},
		{"mcp_yaml_map", spiceruntime.Inputs{MCPTool: "tool: a\narguments: {d: 1}"}, []string{mcp + `{"arguments":{"d":1},"name":"a"}}`}},
		{"chat_prompt_with_a_colon", spiceruntime.Inputs{Chat: "Question: why?", ChatModel: "m"}, []string{chat + `{"messages":[{"content":"Question: why?","role":"user"}],"model":"m"}`}},
		{"chat_prompt_with_a_key_in_it", spiceruntime.Inputs{Chat: "Read this.\nmessages: 3", ChatModel: "m"}, []string{chat + `{"messages":[{"content":"Read this.\nmessages: 3","role":"user"}],"model":"m"}`}},
		{"chat", spiceruntime.Inputs{Chat: "hi", ChatModel: "m"}, []string{chat + `{"messages":[{"content":"hi","role":"user"}],"model":"m"}`}},
		{
			"chat_body",
			spiceruntime.Inputs{Chat: `{"model":"own","messages":[{"role":"user","content":"hi"}],"stream":true,"stream_options":{}}`, ChatModel: "m"},
			[]string{chat + `{"messages":[{"content":"hi","role":"user"}],"model":"own"}`},
		},
		{"search", spiceruntime.Inputs{Search: "words"}, []string{search + `{"text":"words"}`}},
		{"search_body", spiceruntime.Inputs{Search: `{"text":"words","limit":2}`}, []string{search + `{"limit":2,"text":"words"}`}},
		{"mcp", spiceruntime.Inputs{MCPTool: "list_datasets"}, []string{mcp + `{"arguments":{},"name":"list_datasets"}}`}},
		{"mcp_arguments", spiceruntime.Inputs{MCPTool: "sql", MCPArguments: `{"query":"SELECT 1"}`}, []string{mcp + `{"arguments":{"query":"SELECT 1"},"name":"sql"}}`}},
		{
			"mcp_list",
			spiceruntime.Inputs{MCPTool: "- a\n- {tool: b}\n- {tool: c, arguments: {d: 1}}", MCPArguments: `{"x":1}`},
			[]string{mcp + `{"arguments":{"x":1},"name":"a"}}`, mcp + `{"arguments":{"x":1},"name":"b"}}`, mcp + `{"arguments":{"d":1},"name":"c"}}`},
		},
		{
			"all_in_order",
			spiceruntime.Inputs{MCPTool: "a", Search: "b", Chat: "c", ChatModel: "m", NSQL: "d", SQL: "e"},
			[]string{
				sql + "e", nsql + `{"model":"m","query":"d"}`, chat + `{"messages":[{"content":"c","role":"user"}],"model":"m"}`,
				search + `{"text":"b"}`, mcp + `{"arguments":{},"name":"a"}}`,
			},
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			probes, err := spiceruntime.ParseProbes(tc.in)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range probes {
				got = append(got, asked(t, p))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseProbes_problems(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		in   spiceruntime.Inputs
		want string
	}{
		{"not_yaml", spiceruntime.Inputs{SQL: "- a\n  b: c"}, "test-sql: expected a list in YAML or JSON: line 2: "},
		{"not_closed", spiceruntime.Inputs{SQL: "[SELECT 1"}, "test-sql: expected a list in YAML or JSON: line 1: "},
		{"text_after_list", spiceruntime.Inputs{SQL: "[a] b"}, "test-sql: expected a list"},
		{"two_documents", spiceruntime.Inputs{SQL: "- a\n---\n- b"}, "test-sql: expected a list"},
		{"empty_list", spiceruntime.Inputs{SQL: "[]"}, "test-sql: the list is empty"},
		{"empty_item", spiceruntime.Inputs{NSQL: "['']"}, "test-nsql: item 1: it is empty"},
		{"number_item", spiceruntime.Inputs{SQL: "- 1"}, "test-sql: item 1: expected a text or a map, got a number"},
		{"null_item", spiceruntime.Inputs{SQL: "- a\n-\n"}, "test-sql: item 2: expected a text or a map, got null"},
		{"list_item", spiceruntime.Inputs{SQL: "- [a]"}, "got a list"},
		{"alias", spiceruntime.Inputs{SQL: "- &a b\n- *a"}, "test-sql: expected a list in YAML or JSON: line 2: anchors and aliases"},
		{"tag", spiceruntime.Inputs{SQL: "- !env b"}, "the tag !env is not understood"},
		{"wrong_tag", spiceruntime.Inputs{SQL: "- {sql: a, parameters: [!!int 'true']}"}, "cannot be written in JSON"},
		{"infinity", spiceruntime.Inputs{SQL: "- {sql: a, parameters: [.inf]}"}, ".inf cannot be written in JSON"},
		{"key_twice", spiceruntime.Inputs{SQL: "- {sql: a, sql: b}"}, `"sql" is given twice`},
		{"dash_alone", spiceruntime.Inputs{SQL: " -\n"}, "test-sql: item 1: expected a text or a map, got null"},
		{"document_marker", spiceruntime.Inputs{SQL: "---\n- SELECT 1"}, "test-sql: it begins with ---; leave that line out"},
		{"lines_of_a_list_not_alike", spiceruntime.Inputs{SQL: "   - a\n - b"}, "test-sql: expected a list in YAML or JSON: line 2: "},
		{"map_not_closed", spiceruntime.Inputs{SQL: "sql: SELECT 'a: b'\n  expect: 1"}, "test-sql: expected a map in YAML or JSON: line 1: "},
		{"map_without_its_query", spiceruntime.Inputs{SQL: "expect: 1"}, "test-sql: sql is missing"},
		{"chat_map_without_a_list", spiceruntime.Inputs{Chat: "messages: hi"}, "test-chat: a chat body needs messages"},
		{"unknown_key", spiceruntime.Inputs{SQL: "- {sql: a, expects: {}}"}, `item 1: "expects" is not understood; expected one of sql, parameters, expect`},
		{"no_sql", spiceruntime.Inputs{SQL: `{"expect":{"rows":1}}`}, "test-sql: sql is missing"},
		{"parameters", spiceruntime.Inputs{SQL: "- {sql: a, parameters: b}"}, "parameters: expected a list, or a map of named ones, got a text"},
		{"expect_list", spiceruntime.Inputs{SQL: "- {sql: a, expect: [1]}"}, "expect: expected a map, a scalar or rows > 0, got a list"},
		{"expect_nothing", spiceruntime.Inputs{SQL: "- {sql: a, expect: }"}, "expect: it is empty; to expect NULL, write {value: null}"},
		{"expect_rows_shortly", spiceruntime.Inputs{SQL: "- {sql: a, expect: rows > many}"}, `expect: rows: expected a number such as 3, or a comparison such as ">0"`},
		{"expect_rows_by_another_operator", spiceruntime.Inputs{SQL: "- {sql: a, expect: rows <> 0}"}, `expect: rows: expected a number such as 3`},
		{"expect_rows_in_capitals", spiceruntime.Inputs{SQL: "- {sql: a, expect: ROWS > 0}"}, `expect: "ROWS > 0" looks like a comparison; write rows > 0 for the number of rows, or {value: …}`},
		{"expect_row", spiceruntime.Inputs{SQL: "- {sql: a, expect: row>0}"}, `expect: "row>0" looks like a comparison`},
		{"expect_value_compared", spiceruntime.Inputs{SQL: "- {sql: a, expect: value >= 0.5}"}, `"value >= 0.5" looks like a comparison`},
		{"expect_column_compared", spiceruntime.Inputs{SQL: "- {sql: a, expect: n = 3}"}, `"n = 3" looks like a comparison`},
		{"expect_words_compared", spiceruntime.Inputs{SQL: "- {sql: a, expect: number of rows > 3}"}, "looks like a comparison"},
		{"expect_nothing_compared", spiceruntime.Inputs{SQL: "- {sql: a, expect: '> 0'}"}, `"> 0" looks like a comparison`},
		{"expect_empty", spiceruntime.Inputs{SQL: "- {sql: a, expect: {}}"}, "expect: it is empty"},
		{"expect_unknown", spiceruntime.Inputs{SQL: "- {sql: a, expect: {row: 1}}"}, `expect: "row" is not understood`},
		{"expect_rows", spiceruntime.Inputs{SQL: "- {sql: a, expect: {rows: many}}"}, `rows: expected a number such as 3, or a comparison such as ">0"`},
		{"expect_fraction", spiceruntime.Inputs{SQL: "- {sql: a, expect: {rows: 1.5}}"}, "rows: expected a number"},
		{"expect_huge", spiceruntime.Inputs{SQL: "- {sql: a, expect: {rows: 99999999999999999999}}"}, "too large"},
		{"expect_column_alone", spiceruntime.Inputs{SQL: "- {sql: a, expect: {column: b}}"}, "column and equals belong together"},
		{"expect_both", spiceruntime.Inputs{SQL: "- {sql: a, expect: {value: 1, column: b, equals: 1}}"}, "exclude each other"},
		{"expect_column_number", spiceruntime.Inputs{SQL: "- {sql: a, expect: {column: 1, equals: 1}}"}, "the name of a column"},
		{"expect_value_list", spiceruntime.Inputs{SQL: "- {sql: a, expect: {value: [1]}}"}, "expected a scalar, got a list"},
		{"nsql_without_question", spiceruntime.Inputs{NSQL: `{"model":"m"}`}, "test-nsql: query is missing"},
		{"nsql_not_json", spiceruntime.Inputs{NSQL: "{\"query\":\n'a'}"}, "test-nsql: expected a JSON object: line 2: "},
		{"chat_without_model", spiceruntime.Inputs{Chat: "hi"}, "test-chat: it is not known which model to ask; set test-chat-model"},
		{"chat_without_messages", spiceruntime.Inputs{Chat: `{"model":"m"}`}, "test-chat: a chat body needs messages"},
		{"chat_cut_off", spiceruntime.Inputs{Chat: `{"model":"m"`}, "it ends too early"},
		{"chat_twice", spiceruntime.Inputs{Chat: `{} {}`}, "something follows it"},
		{"search_without_text", spiceruntime.Inputs{Search: `{"limit":1}`}, "test-search: text is missing"},
		{"search_in_nothing", spiceruntime.Inputs{Search: `{"text":"a","datasets":[]}`}, "test-search: datasets is empty"},
		{"mcp_arguments_alone", spiceruntime.Inputs{MCPArguments: "{"}, "test-mcp-arguments: expected a JSON object: it ends too early"},
		{"mcp_arguments_list", spiceruntime.Inputs{MCPTool: "a", MCPArguments: "[1]"}, "test-mcp-arguments: expected a JSON object: got a JSON array"},
		{"mcp_arguments_null", spiceruntime.Inputs{MCPTool: "a", MCPArguments: "null"}, "test-mcp-arguments: expected a JSON object, got null"},
		{"mcp_item_arguments", spiceruntime.Inputs{MCPTool: "- {tool: a, arguments: b}"}, "test-mcp-tool: item 1: arguments: expected a map, got a text"},
		{"mcp_item_name", spiceruntime.Inputs{MCPTool: "- {name: a}"}, `"name" is not understood; expected one of tool, arguments`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			probes, err := spiceruntime.ParseProbes(tc.in)
			if probes != nil {
				t.Errorf("got probes %v", probes)
			}
			problems, ok := errors.AsType[diag.Problems](err)
			if !ok || len(problems) != 1 {
				t.Fatalf("expected one problem, got %v", err)
			}
			contains(t, "the problem", problems.Error(), tc.want)
		})
	}
}

func TestParseProbes_reports_everything(t *testing.T) {
	t.Parallel()
	_, err := spiceruntime.ParseProbes(spiceruntime.Inputs{
		SQL: "[1, '', a, 2]", NSQL: "{", Chat: "- a\n- b", Search: "{}", MCPTool: "[]", MCPArguments: "x",
	})
	problems, _ := errors.AsType[diag.Problems](err)
	var got []string
	for _, p := range problems {
		got = append(got, p.Option)
	}
	want := []string{
		"test-sql", "test-sql", "test-sql", "test-nsql", "test-chat", "test-chat", "test-search", "test-mcp-arguments", "test-mcp-tool",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
}

func TestProbe_String(t *testing.T) {
	t.Parallel()
	cases := []struct {
		in   spiceruntime.Inputs
		want string
	}{
		{spiceruntime.Inputs{SQL: "SELECT\n\t1"}, "sql: SELECT 1"},
		{spiceruntime.Inputs{SQL: strings.Repeat("é", 99)}, "sql: " + strings.Repeat("é", 79) + "…"},
		{spiceruntime.Inputs{Search: `{"text": "a"}`}, `search: {"text":"a"}`},
		{spiceruntime.Inputs{MCPTool: "list_datasets"}, "mcp: list_datasets"},
	}
	for _, tc := range cases {
		if got := one(t, tc.in).String(); got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
}

func FuzzParseProbes(f *testing.F) {
	for _, text := range []string{
		"SELECT 1", "- a\n- {sql: b, expect: {rows: \">0\"}}", `[{"sql":"a","parameters":[1]}]`, `{"text":"a"}`, "- &a [*a]",
		"  - a\n  - b", "sql: a\nexpect: n = 3", "---\n- a", "-", "- !!int true", "[1e999]", "- {sql: a, parameters: [0123, 1_0, .5, -.inf]}", "[\"\\ud800\"]", "- - - a", "{", "-\t", "- ? a\n  : b",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, given string) {
		in := spiceruntime.Inputs{SQL: given, NSQL: given, Chat: given, ChatModel: "m", Search: given, MCPTool: given, MCPArguments: given}
		probes, err := spiceruntime.ParseProbes(in)
		if problems, ok := errors.AsType[diag.Problems](err); err != nil && (!ok || len(problems) == 0 || probes != nil) {
			t.Errorf("got %v with %v", probes, err)
		}
		if err == nil && strings.TrimSpace(given) != "" && len(probes) < 5 {
			t.Errorf("only %d probes", len(probes))
		}
		for _, p := range probes {
			if strings.ContainsAny(p.Text, "\n\r\x1b") || len([]rune(p.Text)) > 80 || p.Kind == "" {
				t.Errorf("text %q", p.Text)
			}
		}
	})
}
