package emulator_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

func TestSQL(t *testing.T) {
	t.Parallel()
	const jsonType = "application/json"
	cases := []struct {
		name, contentType, body string
		status                  int
		want                    string // the body, or its beginning where it ends with …
	}{
		{"select_1", "text/plain", "SELECT 1", 200, `[{"Int64(1)":1}]` + "\n"},
		{"alias_and_semicolon", "text/plain", "select 42 as answer;\n", 200, `[{"answer":42}]` + "\n"},
		{"no_content_type", "", "SELECT 1", 200, `[{"Int64(1)":1}]` + "\n"},
		{"count", "text/plain", `SELECT COUNT(*) FROM orders`, 200, `[{"count(*)":1}]` + "\n"},
		{"count_with_alias", "text/plain", `SELECT count(*) AS n FROM spice.public."Daily-Sales" WHERE x = 'from nowhere'`, 200, `[{"n":1}]` + "\n"},
		{"rows_say_what_they_are", "text/plain", `SELECT * FROM "orders" LIMIT 1`, 200, `[{"emulated":"emulated answer: the emulator runs no SQL"}]` + "\n"},
		{"parts_are_quoted_one_by_one", "text/plain", `SELECT * FROM "shop"."customers" LIMIT 1`, 200, `[{"emulated":…`},
		{"view", "text/plain", `SELECT * FROM totals`, 200, `[{"emulated":…`},
		{"function", "text/plain", `SELECT * FROM vector_search(orders, 'x')`, 200, `[{"emulated":…`},
		{"information_schema", "text/plain", `SELECT * FROM information_schema.tables`, 200, `[{"emulated":…`},
		{"common_table_expression", "text/plain", `WITH x AS (SELECT 1) SELECT * FROM x`, 200, `[{"emulated":…`},
		{"scripted", "text/plain", "SELECT sum(total) FROM nowhere", 200, `[{"sum":9007199254740993},{"sum":null}]` + "\n"},
		{"scripted_exactly", "text/plain", " SELECT exact; ", 200, "[]\n"},
		{"not_quite_exact", "text/plain", "SELECT exact FROM nowhere", 400, "Error during planning: table 'nowhere' not found"},
		{"scripted_refusal", "text/plain", "SELECT refused", 400, "source is away"},
		{"scripted_status", "text/plain", "SELECT broken", 500, "Emulated refusal"},
		{"unquoted_upper_case", "text/plain", "SELECT * FROM Nope JOIN orders", 400, "Error during planning: table 'nope' not found"},
		{"quoted_as_a_whole", "text/plain", `SELECT * FROM "shop.customers"`, 400, "Error during planning: table 'shop.customers' not found"},
		{"dataset_in_error", "text/plain", "SELECT * FROM orders JOIN failing ON true", 400, "Table 'failing' is Error"},
		{"dataset_missing", "text/plain", "SELECT * FROM missing", 400, "Error during planning: table 'missing' not found"},
		{"no_sql", "text/plain", "SELEC 1", 400, "SQL error: ParserError…"},
		{"bad_utf8", "text/plain", "SELECT '\xff'", 400, "invalid utf-8 in the request body"},
		{"json", jsonType, `{"sql":"SELECT 1","parameters":[]}`, 200, `[{"Int64(1)":1}]` + "\n"},
		{"named_parameters", jsonType, `{"sql":"SELECT 1","parameters":{"a":1}}`, 200, `[{"Int64(1)":1}]` + "\n"},
		{"json_without_parameters", jsonType, `{"sql":"SELECT 1"}`, 400, "Failed to deserialize the JSON body into the target type: missing field `parameters`"},
		{"json_without_sql", jsonType, `{"parameters":[]}`, 400, "Failed to deserialize the JSON body into the target type: missing field `sql`"},
		{"json_with_null_parameters", jsonType, `{"sql":"SELECT 1","parameters":null}`, 400, "Failed to deserialize …"},
		{"raw_sql_as_json", jsonType, `SELECT 1`, 400, "Failed to parse the request body as JSON: …"},
		{"json_with_a_charset_is_sql", jsonType + "; charset=utf-8", `{"sql":"SELECT 1","parameters":[]}`, 400, "SQL error: ParserError…"},
	}
	e, c := overLoopback(t, emulator.Options{})
	sc, err := emulator.ParseScenario([]byte(`
apps:
  - id: 7
    name: shop-app
    deployments: [{age: 1h}]
    spicepod: {version: v1, kind: Spicepod, name: shop, views: [{name: totals}],
      datasets: [{from: a, name: orders}, {from: b, name: Daily-Sales}, {from: c, name: shop.customers}, {from: d, name: failing}, {from: e, name: missing}]}
    runtime:
      datasets: {failing: {status: Error}, missing: {missing: true}}
      sql:
        - {match: SUM(, rows: [{sum: 9007199254740993}, {sum: null}]}
        - {exact: select exact, rows: []}
        - {exact: SELECT exact, rows: []}
        - {match: refused, error: source is away}
        - {match: broken, status: 500}
`))
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Apply(sc); err != nil {
		t.Fatal(err)
	}
	key, _ := e.APIKeys(7)
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			run := c.as(key)
			run.t = t
			a := run.want(tc.status, "POST", "/v1/sql", tc.body, "Content-Type", tc.contentType)
			start, isStart := strings.CutSuffix(tc.want, "…")
			if a.body != tc.want && (!isStart || !strings.HasPrefix(a.body, start)) {
				t.Errorf("got %q, want %q", a.body, tc.want)
			}
			if tc.status != http.StatusOK && a.header.Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Errorf("an error of the type %q", a.header.Get("Content-Type"))
			}
		})
	}
}

func TestSQLForms(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{})
	run := deployedApp(t, e, c, func(a *emulator.App) {
		a.Runtime = &emulator.Runtime{SQL: []emulator.SQLAnswer{{Rows: []emulator.Row{{"n": 1, "name": "a,b", "ok": true}, {"n": 22, "name": nil}}}}}
	})
	schema := `"schema":{"fields":[{"name":"n","data_type":"Int64","nullable":true},{"name":"name","data_type":"Utf8","nullable":true},{"name":"ok","data_type":"Boolean","nullable":true}]}`
	rows := `[{"n":1,"name":"a,b","ok":true},{"n":22,"name":null}]`
	cases := []struct{ name, accept, edition, want string }{
		{"default", "", "array", rows + "\n"},
		{"json_among_others", "application/json, text/plain, */*", "array", rows + "\n"},
		{"csv", "text/csv", "array", "n,name,ok\n1,\"a,b\",true\n22,,\n"},
		{"table", "text/plain", "array", "+----+------+------+\n| n  | name | ok   |\n+----+------+------+\n| 1  | a,b  | true |\n| 22 |      |      |\n+----+------+------+\n"},
		{"vendor", "application/vnd.spiceai.sql.v1+json", "array", `{"data":` + rows + `,"execution_time_ms":1,"row_count":2,` + schema + "}\n"},
		{"old", "application/json", "rows", `{"rowCount":2,"rows":` + rows + `,` + schema + "}\n"},
	}
	for _, tc := range cases {
		configure(t, e, func(st *emulator.Settings) { st.SQLEdition = tc.edition })
		if got := run.want(http.StatusOK, "POST", "/v1/sql", "SELECT 1", "Accept", tc.accept).body; got != tc.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tc.name, got, tc.want)
		}
	}
}

func TestNSQL(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{})
	run := deployedApp(t, e, c, func(a *emulator.App) {
		a.Runtime = &emulator.Runtime{NSQL: []emulator.NSQLAnswer{
			{When: emulator.When{Match: "how many"}, SQL: "SELECT count(*) FROM orders", Rows: []emulator.Row{{"n": 3}}},
			{When: emulator.When{Match: "why", Error: "the model gave up"}},
		}}
	})
	cases := []struct {
		body, accept string
		status       int
		want         string
	}{
		{`{"query":"How many orders?"}`, "", 200, `[{"n":3}]` + "\n"},
		{`{"query":"How many orders?","model":"gpt"}`, "application/vnd.spiceai.sql.v1+json", 200, `"sql":"SELECT count(*) FROM orders"`},
		{`{"query":"What else?"}`, "", 200, "emulated answer: no query was generated"},
		{`{"query":"Why?"}`, "", 500, "the model gave up"},
		{`{"query":"How many?","model":"nope"}`, "", 500, `Model "nope" not found`},
		{`{"model":"gpt"}`, "", 400, "missing field `query`"},
		{`SELECT 1`, "", 400, "Failed to parse"},
	}
	for _, tc := range cases {
		a := run.want(tc.status, "POST", "/v1/nsql", tc.body, "Accept", tc.accept, "Content-Type", "application/json")
		if !strings.Contains(a.body, tc.want) {
			t.Errorf("%s: got %s, want %s", tc.body, a.body, tc.want)
		}
	}
	run.want(http.StatusUnsupportedMediaType, "POST", "/v1/nsql", `{"query":"x"}`)

	none := `{version: v1, kind: Spicepod, name: none}`
	if _, err := e.AddApp(emulator.App{ID: 8, Name: "none-app", Spicepod: none, Deployments: []emulator.Deployment{{Age: time.Hour}}}); err != nil {
		t.Fatal(err)
	}
	key, _ := e.APIKeys(8)
	a := c.as(key).want(http.StatusInternalServerError, "POST", "/v1/nsql", `{"query":"x"}`, "Content-Type", "application/json")
	if want := `Model "nql" not found`; a.body != want {
		t.Errorf("without a model: got %q, want %q", a.body, want)
	}
}

func TestChat(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{})
	run := deployedApp(t, e, c, func(a *emulator.App) {
		a.Runtime = &emulator.Runtime{Chat: []emulator.ChatAnswer{
			{When: emulator.When{Exact: "ping"}, Text: "pong"},
			{When: emulator.When{Match: "nothing"}},
			{When: emulator.When{Match: "broke", Status: 402, Error: "no credit"}},
		}}
	})
	post := func(status int, model, prompt string, headers ...string) answer {
		t.Helper()
		body := fmt.Sprintf(`{"model":%q,"messages":[{"role":"system","content":"x"},{"role":"user","content":%s}]}`, model, prompt)
		return run.want(status, "POST", "/v1/chat/completions", body, append([]string{"Content-Type", "application/json"}, headers...)...)
	}
	content := func(a answer) any {
		return a.list("choices")[0]["message"].(map[string]any)["content"]
	}
	plain := []string{"Accept-Encoding", "identity"}
	for prompt, want := range map[string]string{
		`"ping"`: "pong", `[{"type":"text","text":"ping"}]`: "pong", `"say nothing"`: "", `"else"`: "emulated answer: no model was asked",
	} {
		a := post(http.StatusOK, "gpt", prompt, plain...)
		if got := content(a); got != want {
			t.Errorf("%s: got %q, want %q", prompt, got, want)
		}
		if a.json["usage"].(map[string]any)["total_tokens"] == nil || a.json["object"] != "chat.completion" {
			t.Errorf("shape: %s", a.body)
		}
	}
	if got := post(http.StatusPaymentRequired, "gpt", `"broke"`, plain...).json["error"].(map[string]any)["message"]; got != "no credit" {
		t.Errorf("error %v", got)
	}
	for _, body := range []string{`{"model":"gpt"}`, `{"model":"gpt","messages":[{"role":"user","content":"ping"}],"stream":true}`, `{"model":`} {
		run.want(http.StatusBadRequest, "POST", "/v1/chat/completions", body, "Content-Type", "application/json", "Accept-Encoding", "identity")
	}
	post(http.StatusNotFound, "nope", `"x"`, plain...)
	post(http.StatusBadRequest, "", `"x"`, plain...)

	// The trap: net/http asks for gzip by itself.
	for _, encoding := range []string{"gzip", "deflate, identity", "zstd"} {
		a := post(http.StatusBadGateway, "gpt", `"ping"`, "Accept-Encoding", encoding)
		if !strings.Contains(a.body, "<html>") {
			t.Errorf("%s: %s", encoding, a.body)
		}
	}
	run.want(http.StatusOK, "POST", "/v1/sql", "SELECT 1", "Accept-Encoding", "gzip")
	configure(t, e, func(st *emulator.Settings) { st.ChatCompressionTrap = false })
	post(http.StatusOK, "gpt", `"ping"`, "Accept-Encoding", "gzip")
}

func TestModelsAndEmbeddings(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{})
	run := deployedApp(t, e, c, func(a *emulator.App) {
		a.Runtime = &emulator.Runtime{Models: map[string]emulator.Component{"gpt": {Status: "Error", ErrorMessage: "bad key"}}}
	})
	want := []map[string]any{
		{"id": "gpt", "object": "model", "owned_by": "openai", "datasets": []any{"orders"}, "status": "Error", "error_message": "bad key"},
		{"id": "router", "object": "model", "owned_by": "", "datasets": nil, "status": "Ready"},
	}
	if diff := cmp.Diff(want, run.want(http.StatusOK, "GET", "/v1/models?status=true", "").list("data")); diff != "" {
		t.Errorf("models (-want +got):\n%s", diff)
	}
	if got := run.want(http.StatusOK, "GET", "/v1/models", "").list("data")[0]["status"]; got != nil {
		t.Errorf("a status that nobody asked for: %v", got)
	}
	run.want(http.StatusNotFound, "POST", "/v1/chat/completions", `{"model":"gpt","messages":[{"role":"user","content":"x"}]}`, "Content-Type", "application/json", "Accept-Encoding", "identity")

	embed := func(status int, body string) []map[string]any {
		return run.want(status, "POST", "/v1/embeddings", body, "Content-Type", "application/json").list("data")
	}
	one, two := embed(200, `{"model":"embed","input":"b"}`), embed(200, `{"model":"embed","input":["a","b"]}`)
	if len(two) != 2 || !cmp.Equal(one[0]["embedding"], two[1]["embedding"]) || cmp.Equal(two[0]["embedding"], two[1]["embedding"]) {
		t.Errorf("vectors %v and %v", one, two)
	}
	embed(http.StatusNotFound, `{"model":"gpt","input":"x"}`)
	embed(http.StatusBadRequest, `{"model":"embed","input":[]}`)
}

func TestSearch(t *testing.T) {
	t.Parallel()
	e, c := overLoopback(t, emulator.Options{})
	run := deployedApp(t, e, c, func(a *emulator.App) {
		a.Runtime = &emulator.Runtime{Search: []emulator.SearchAnswer{
			{When: emulator.When{Match: "late"}, Results: []emulator.Row{{"dataset": "orders", "_score": 0.9, "matches": map[string]any{"note": []string{"late order"}}}}},
			{When: emulator.When{Match: "none"}},
			{When: emulator.When{Match: "away", Status: 500, Error: "no embedding configured"}},
		}}
	})
	post := func(status int, body string) answer {
		t.Helper()
		return run.want(status, "POST", "/v1/search", body, "Content-Type", "application/json")
	}
	if got, want := post(200, `{"text":"late"}`).body, `{"duration_ms":1,"results":[{"_score":0.9,"dataset":"orders","matches":{"note":["late order"]}}]}`+"\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := post(200, `{"text":"none"}`).body, `{"duration_ms":1,"results":[]}`+"\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := post(200, `{"text":"x","datasets":["orders","Daily-Sales"],"limit":2}`).list("results"); len(got) != 2 || got[1]["dataset"] != "Daily-Sales" {
		t.Errorf("results %v", got)
	}
	if got := post(200, `{"text":"x"}`).list("results"); len(got) != 3 {
		t.Errorf("%d results, want one for each dataset", len(got))
	}
	for body, want := range map[string]string{
		`{"text":"x","datasets":[]}`:       "datasets must not be empty; omit it to search all",
		`{"text":"x","datasets":["nope"]}`: "Dataset nope not found",
		`{"text":"x","datasets":"orders"}`: "datasets: expected a list of strings",
		`{"text":"x","limit":0}`:           "limit must be greater than 0",
		`{"datasets":["orders"]}`:          "Failed to deserialize the JSON body into the target type: missing field `text`",
	} {
		if got := post(http.StatusBadRequest, body).body; got != want {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
	}
	post(http.StatusInternalServerError, `{"text":"away"}`)
	configure(t, e, func(st *emulator.Settings) { st.SearchEdition = "matches" })
	if got, want := post(200, `{"text":"late"}`).body, `{"duration_ms":1,"matches":[{"dataset":"orders","score":0.9,"value":"{\"note\":[\"late order\"]}"}]}`+"\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
