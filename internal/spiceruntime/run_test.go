package spiceruntime_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
)

// The runtime takes a body for SQL unless its type is exactly application/json, and JSON needs parameters.
func sqlRoute(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	query := string(body)
	if r.Header.Get("Content-Type") == "application/json" {
		var object map[string]any
		if json.Unmarshal(body, &object) != nil || object["parameters"] == nil {
			http.Error(w, "missing field `parameters`", http.StatusBadRequest)
			return
		}
		query = fmt.Sprint(object["sql"])
	}
	if !strings.HasPrefix(query, "SELECT ") {
		http.Error(w, "SQL error: ParserError(\"Expected: an SQL statement, found: "+query+"\")", http.StatusBadRequest)
		return
	}
	fmt.Fprint(w, `[{"n":1}]`)
}

func TestRun_sql_content_types(t *testing.T) {
	t.Parallel()
	r := serve(t, map[string]http.HandlerFunc{"POST /v1/sql": sqlRoute})
	for _, query := range []string{"SELECT 1", "- {sql: SELECT $1, parameters: [1]}", "- {sql: SELECT $1, parameters: []}"} {
		if o := r.run(t, spiceruntime.Inputs{SQL: query}); !o.OK || o.Detail != "1 row(s)" || o.Duration <= 0 {
			t.Errorf("%s: got %+v", query, o)
		}
	}
	o := r.run(t, spiceruntime.Inputs{SQL: "SELEC 1"})
	want := spiceruntime.Outcome{
		Name: "sql", Kind: spiceruntime.Rejected, Duration: o.Duration,
		Error: `POST /v1/sql: 400 Bad Request: SQL error: ParserError("Expected: an SQL statement, found: SELEC 1")`,
	}
	if o != want {
		t.Errorf("got %+v, want %+v", o, want)
	}
}

func TestRun_sql_expectations(t *testing.T) {
	t.Parallel()
	const (
		three = `[{"z":1,"a":"x"},{"z":2,"a":"y"},{"z":3}]`
		vnd   = `{"row_count":2,"schema":{"fields":[{"name":"n"},{"name":"m"}]},"data":[{"m":7},{"n":1}],"execution_time_ms":1}`
	)
	cases := []struct {
		name, answer, expect, detail, error string
	}{
		{"list", three, "{rows: 3}", "3 row(s)", ""},
		{"list_empty", "[]", "{rows: 0}", "0 row(s)", ""},
		{"data", vnd, "{rows: '=2'}", "2 row(s)", ""},
		{"rows", `{"rowCount":1,"schema":[],"rows":[{"n":1}]}`, "{rows: '== 1'}", "1 row(s)", ""},
		{"neither", `{"n":1}`, "{rows: 1}", "", "neither a list of rows"},
		{"null", `null`, "{rows: 1}", "", "neither a list of rows"},
		{"text", `"done"`, "{rows: 1}", "", "not the JSON expected: expected an object, got a text"},
		{"plain_text", `done`, "{rows: 1}", "", "it is not JSON: done"},
		{"row_is_null", `[{"n":1},null]`, "{rows: 2}", "", "row 2 is not an object"},
		{"rows_are_numbers", `[1,2]`, "{rows: 2}", "", "row 1 is not an object"},
		{"data_is_no_list", `{"data":{"n":1}}`, "{rows: 1}", "", "expected a list, got an object in data"},
		{"row_count_is_a_fraction", `{"data":[],"row_count":1.5}`, "{rows: 1}", "", "expected a whole number, got a number in row_count"},
		{"status_error", `{"status":"Error","rows":[]}`, "{rows: 0}", "", `it is an error: {"status":"Error","rows":[]}`},
		{"status_ok", `{"status":"ok","error":null,"errors":[],"rows":[]}`, "{rows: 0}", "0 row(s)", ""},
		{"error_text", `{"error":"no table ` + key + `","rows":[]}`, "{rows: 0}", "", "unusable answer with status 200: it is an error: no table ***"},
		{"error_object", `{"error":{"message":"boom\nhere"}}`, "{rows: 0}", "", "it is an error: boom here"},
		{"errors", `{"errors":[{"message":"boom"}],"data":[]}`, "{rows: 0}", "", "it is an error: {"},
		{"message", `{"message":"boom"}`, "{rows: 0}", "", "with data or rows, which says: boom"},
		{"more", three, "{rows: '>2'}", "3 row(s)", ""},
		{"not_more", three, "{rows: '>3'}", "", "expected rows >3, got 3"},
		{"at_least", three, "{rows: '>=3'}", "3 row(s)", ""},
		{"not_at_least", three, "{rows: '>=4'}", "", "expected rows >=4, got 3"},
		{"less", three, "{rows: '<4'}", "3 row(s)", ""},
		{"not_less", three, "{rows: '<3'}", "", "expected rows <3, got 3"},
		{"at_most", three, "{rows: '<=3'}", "3 row(s)", ""},
		{"not_at_most", three, "{rows: '<=2'}", "", "expected rows <=2, got 3"},
		{"other", three, "{rows: '!=2'}", "3 row(s)", ""},
		{"not_other", three, "{rows: '!=3'}", "", "expected rows !=3, got 3"},
		{"not_equal", three, "{rows: 2}", "", "expected rows =2, got 3"},
		{"value_is_the_first_column_as_sent", three, "{value: 1}", "3 row(s); z is 1", ""},
		{"value_of_the_schema", vnd, "{value: null}", "2 row(s); n is null", ""},
		{"value_differs", three, "{value: 2}", "", `expected 2 in column "z" of the first row, got 1`},
		{"value_without_rows", "[]", "{value: 2}", "", "expected a row, got none"},
		{"value_of_no_columns", "[{}]", "{value: 2}", "", "the first row has no columns"},
		{"row_is_a_list", "[[1]]", "{value: 1}", "", "row 1 is not an object"},
		{"column", three, "{column: a, equals: x}", "3 row(s); a is \"x\"", ""},
		{"column_differs", three, "{column: a, equals: y}", "", `expected "y" in column "a" of the first row, got "x"`},
		{"column_of_the_schema", vnd, "{column: m, equals: 7}", "m is 7", ""},
		{"column_left_out_is_null", vnd, "{column: n, equals: 0}", "", `expected 0 in column "n" of the first row, got null`},
		{"column_missing", three, "{column: b, equals: null}", "", `no column "b", or NULL in it; it has ["z" "a"]`},
		{"rows_and_value", three, "{rows: 2, value: 1}", "", "expected rows =2"},
		{"numbers_by_value", `[{"n":42.0}]`, "{value: 42}", "n is 42.0", ""},
		{"large_numbers", `[{"n":9007199254740993}]`, "{value: 9007199254740993}", "n is 9007199254740993", ""},
		{"large_numbers_differ", `[{"n":9007199254740993}]`, "{value: 9007199254740992}", "", "got 9007199254740993"},
		{"decimal_as_text", `[{"n":"42.50"}]`, "{value: 42.5}", "n is \"42.50\"", ""},
		{"number_in_quotes", `[{"n":42}]`, "{value: '42'}", "n is 42", ""},
		{"texts_are_no_numbers", `[{"n":"1.0"}]`, "{value: '1'}", "", "expected \"1\""},
		{"truth", `[{"n":true}]`, "{value: true}", "n is true", ""},
		{"null_is_not_its_word", `[{"n":null}]`, "{value: 'null'}", "", "got null"},
		{"structure", `[{"n":[1]}]`, "{value: 1}", "", "got [1]"},
		{"key_in_the_value", `[{"n":"` + key + `"}]`, "{value: 1}", "", `got "***"`},
		{"long_value", `[{"n":"` + strings.Repeat("a", 999) + `"}]`, "{value: 1}", "", "aaa…"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := serve(t, map[string]http.HandlerFunc{"POST /v1/sql": says(200, tc.answer)})
			o := r.run(t, spiceruntime.Inputs{SQL: "- {sql: SELECT 1, expect: " + tc.expect + "}"})
			if o.OK != (tc.error == "") {
				t.Errorf("got %+v", o)
			}
			contains(t, "the detail", o.Detail, tc.detail)
			contains(t, "the error", o.Error, tc.error)
			if len([]rune(o.Error)) > 300 {
				t.Errorf("the error has %d characters", len([]rune(o.Error)))
			}
		})
	}
}

func TestRun_nsql(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		answer http.HandlerFunc
		detail string
		error  string
		hint   string
	}{
		{"list", says(200, `[{"n":1},{"n":2}]`), "2 row(s)", "", ""},
		{"with_query", says(200, `{"row_count":1,"data":[{"n":1}],"sql":"SELECT\n1"}`), "1 row(s); generated SQL: SELECT 1", "", ""},
		{"error", says(200, `{"error":{"message":"boom"},"data":[]}`), "", "it is an error: boom", ""},
		{"no_model", text(500, "model nql not found"), "", "500 Internal Server Error: model nql not found", ""},
		{"old_runtime", text(404, ""), "", "404 Not Found", "version 2.1.0"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := serve(t, map[string]http.HandlerFunc{"POST /v1/nsql": tc.answer})
			o := r.run(t, spiceruntime.Inputs{NSQL: "how many?"})
			contains(t, "the detail", o.Detail, tc.detail)
			contains(t, "the error", o.Error, tc.error)
			contains(t, "the hint", o.Hint, tc.hint)
			if got, want := r.requests()[0].Get("Accept"), "application/vnd.spiceai.sql.v1+json, application/json"; got != want {
				t.Errorf("got Accept %q", got)
			}
		})
	}
}

func TestRun_chat(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, answer, detail, error string }{
		{"reply", `{"choices":[{"message":{"role":"assistant","content":"Hello\nthere ` + key + `"}}],"usage":{"total_tokens":12}}`, "12 tokens, reply: Hello there ***", ""},
		{"no_usage", `{"choices":[{"message":{"content":"Hi"}}]}`, "reply: Hi", ""},
		{"blank", `{"choices":[{"message":{"content":" \n"}}]}`, "", "the model gave an empty answer"},
		{"null", `{"choices":[{"message":{"content":null}}]}`, "", "the model gave an empty answer"},
		{"no_choices", `{"choices":[]}`, "", "the model gave an empty answer"},
		{"other_shape", `{"choices":"Hi"}`, "", "not the JSON expected: expected a list, got a text in choices"},
		{"parts", `{"choices":[{"message":{"content":[{"text":"Hi"}]}}]}`, "", "expected a text, got a list in choices.message.content"},
		{"usage_of_another_shape", `{"choices":[{"message":{"content":"Hi"}}],"usage":{"total_tokens":"few"}}`, "reply: Hi", ""},
		{"no_error", `{"choices":[{"message":{"content":"Hi"}}],"error":null}`, "reply: Hi", ""},
		{"error_beside_the_reply", `{"choices":[{"message":{"content":"Hi"}}],"error":{"message":"boom"}}`, "", "it is an error: boom"},
		{"stream_all_the_same", "data: {\"choices\":[]}\n\n", "", "it is not JSON: data:"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := serve(t, map[string]http.HandlerFunc{"POST /v1/chat/completions": func(w http.ResponseWriter, r *http.Request) {
				// What Cloud's edge has done to chat completions that may be compressed.
				if r.Header.Get("Accept-Encoding") != "identity" {
					http.Error(w, "", http.StatusBadGateway)
					return
				}
				fmt.Fprint(w, tc.answer)
			}})
			o := r.run(t, spiceruntime.Inputs{Chat: "hi", ChatModel: "m"})
			if o.OK != (tc.error == "") || o.Name != "chat" {
				t.Errorf("got %+v", o)
			}
			contains(t, "the detail", o.Detail, tc.detail)
			contains(t, "the error", o.Error, tc.error)
		})
	}
}

func TestRun_search(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, answer, detail, error string }{
		{"results", `{"results":[{"dataset":"a","_score":0.5,"matches":{"c":["d"]}}],"duration_ms":1}`, "1 result(s)", ""},
		{"no_results", `{"results":[],"duration_ms":1}`, "0 result(s)", ""},
		{"matches", `{"matches":[{},{}]}`, "2 match(es)", ""},
		{"error_beside_results", `{"results":[],"error":"bad"}`, "", "it is an error: bad"},
		{"message", `{"message":"boom"}`, "", "neither results nor matches, which says: boom"},
		{"results_of_another_shape", `{"results":{}}`, "", "expected a list, got an object in results"},
		{"neither", `{"duration_ms":1}`, "", "neither results nor matches"},
		{"null", `{"results":null}`, "", "neither results nor matches"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := serve(t, map[string]http.HandlerFunc{"POST /v1/search": says(200, tc.answer)})
			o := r.run(t, spiceruntime.Inputs{Search: "words"})
			contains(t, "the detail", o.Detail, tc.detail)
			contains(t, "the error", o.Error, tc.error)
		})
	}
}

func TestRun_hints_at_address_and_key(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{401: "check that the API key", 403: "check that the API key", 404: "check runtime-url", 502: ""} {
		r := serve(t, map[string]http.HandlerFunc{"/": text(status, "no")})
		o := r.run(t, spiceruntime.Inputs{SQL: "SELECT 1"})
		contains(t, "the hint", o.Hint, want)
	}
}

func TestRun_unknown_probe(t *testing.T) {
	t.Parallel()
	r := serve(t, nil)
	if o := r.client(t, nil).Run(ctx(t), spiceruntime.Probe{Kind: "ping"}); o.OK || o.Error != `"ping" is no kind of probe` {
		t.Errorf("got %+v", o)
	}
}
