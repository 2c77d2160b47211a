package emulator

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// vndSQL is the media type of the answer that has a schema.
const vndSQL = "application/vnd.spiceai.sql.v1+json"

// result is what a query gave.
type result struct {
	rows []Row
	sql  string // what was generated for a question
}

// failure is a refusal of the runtime: text, whatever was asked for.
type failure struct {
	status  int
	message string
}

func (f *failure) reply() reply { return replyText(f.status, f.message) }

// querySQL takes the body for SQL unless its content type is application/json to the letter.
func querySQL(s *state, c *call, run *running) reply {
	if !utf8.Valid(c.body) {
		return replyText(http.StatusBadRequest, "invalid utf-8 in the request body")
	}
	query := string(c.body)
	if c.header.Get("Content-Type") == "application/json" {
		var refused *reply
		if query, refused = parameterized(c.body); refused != nil {
			return *refused
		}
	}
	r, failed := run.query(query)
	if failed != nil {
		return failed.reply()
	}
	return s.replyRows(c, r)
}

// parameterized is the query of a JSON body, which must have parameters; they are not put into it.
func parameterized(body []byte) (query string, refused *reply) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return "", new(replyText(http.StatusBadRequest, "Failed to parse the request body as JSON: "+err.Error()))
	}
	for _, name := range []string{"sql", "parameters"} {
		if fields[name] == nil {
			return "", new(replyText(http.StatusBadRequest, "Failed to deserialize the JSON body into the target type: missing field `"+name+"`"))
		}
	}
	if err := json.Unmarshal(fields["sql"], &query); err != nil {
		return "", new(replyText(http.StatusBadRequest, "Failed to deserialize the JSON body into the target type: sql: expected a string"))
	}
	if first := fields["parameters"][0]; first != '[' && first != '{' {
		return "", new(replyText(http.StatusBadRequest, "Failed to deserialize the JSON body into the target type: parameters: expected a list or an object"))
	}
	return query, nil
}

// query is the scripted answer to a query, or a made-up one.
func (run *running) query(query string) (result, *failure) {
	for _, a := range run.script.SQL {
		if !a.answers(query) {
			continue
		}
		if status, message, refused := a.refuses(http.StatusBadRequest); refused {
			return result{}, &failure{status, message}
		}
		return result{rows: a.Rows}, nil
	}
	rows, failed := run.madeUp(query)
	return result{rows: rows}, failed
}

// askSQL generates no query: without a script it makes up a row.
func askSQL(s *state, c *call, run *running) reply {
	var ask struct {
		Query *string `json:"query"`
		Model string  `json:"model"`
	}
	if refused := readJSON(c, &ask); refused != nil {
		return *refused
	}
	if ask.Query == nil {
		return replyText(http.StatusBadRequest, "Failed to deserialize the JSON body into the target type: missing field `query`")
	}
	models := run.models("models")
	if ask.Model == "" && len(models) == 1 {
		ask.Model = models[0].name
	}
	if refused := findModel(models, cmp.Or(ask.Model, "nql")); refused != "" {
		return replyText(http.StatusInternalServerError, refused)
	}
	r := result{rows: []Row{{"emulated": emulated + "no query was generated"}}, sql: "SELECT 'emulated'"}
	for _, a := range run.script.NSQL {
		if !a.answers(*ask.Query) {
			continue
		}
		if status, message, refused := a.refuses(http.StatusInternalServerError); refused {
			return replyText(status, message)
		}
		r = result{rows: a.Rows, sql: cmp.Or(a.SQL, r.sql)}
		break
	}
	return s.replyRows(c, r)
}

// emulated begins every text that stands for an answer which nobody worked out.
const emulated = "emulated answer: "

// findModel is why a model cannot be used, "" where it can.
func findModel(models []model, name string) string {
	i := slices.IndexFunc(models, func(m model) bool { return m.name == name })
	switch {
	case i < 0:
		return fmt.Sprintf("Model %q not found", name)
	case !models[i].state.available():
		return fmt.Sprintf("Model %q is %s", name, models[i].state.Status)
	}
	return ""
}

// readJSON decodes the body as the runtime's web framework (axum) does: 415 without a JSON content type, 400
// for a body that is no JSON.
func readJSON(c *call, into any) *reply {
	if !sendsJSON(c) {
		return new(replyText(http.StatusUnsupportedMediaType, "Expected request with `Content-Type: application/json`"))
	}
	if err := json.Unmarshal(c.body, into); err != nil {
		return new(replyText(http.StatusBadRequest, "Failed to parse the request body as JSON: "+err.Error()))
	}
	return nil
}

func sendsJSON(c *call) bool {
	mediaType, _, err := mime.ParseMediaType(c.header.Get("Content-Type"))
	return err == nil && mediaType == "application/json"
}

// replyRows answers in the form that was asked for.
func (s *state) replyRows(c *call, r result) reply {
	rows := r.rows
	if rows == nil {
		rows = []Row{}
	}
	accept := c.header.Get("Accept")
	switch {
	case strings.Contains(accept, vndSQL):
		body := map[string]any{"row_count": len(rows), "schema": schema(rows), "data": rows, "execution_time_ms": 1}
		if r.sql != "" {
			body["sql"] = r.sql
		}
		answer := replyJSON(http.StatusOK, body)
		answer.header.Set("Content-Type", vndSQL)
		return answer
	case strings.Contains(accept, "application/json"): // before the others: a client that takes all gets JSON
	case strings.Contains(accept, "text/csv"):
		return replyCSV(table(rows))
	case strings.Contains(accept, "text/plain"):
		return replyText(http.StatusOK, drawn(table(rows)))
	}
	if s.settings.SQLEdition == "rows" {
		return replyJSON(http.StatusOK, map[string]any{"rowCount": len(rows), "schema": schema(rows), "rows": rows})
	}
	return replyJSON(http.StatusOK, rows)
}

// columns of rows, sorted: rows are objects and have no order of their own.
func columns(rows []Row) []string {
	names := map[string]bool{}
	for _, row := range rows {
		for name := range row {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

type wireField struct {
	Name     string `json:"name"`
	DataType string `json:"data_type"`
	Nullable bool   `json:"nullable"`
}

// schema guesses the types from the first value of each column.
func schema(rows []Row) map[string]any {
	fields := []wireField{}
	for _, name := range columns(rows) {
		f := wireField{Name: name, DataType: "Null", Nullable: true}
		for _, row := range rows {
			if row[name] != nil {
				f.DataType = dataType(row[name])
				break
			}
		}
		fields = append(fields, f)
	}
	return map[string]any{"fields": fields}
}

func dataType(v any) string {
	switch v.(type) {
	case bool:
		return "Boolean"
	case float32, float64:
		return "Float64"
	case int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return "Int64"
	}
	return "Utf8"
}

// table is the rows as lines of text, the names of the columns first.
func table(rows []Row) [][]string {
	names := columns(rows)
	lines := [][]string{names}
	for _, row := range rows {
		line := make([]string, len(names))
		for i, name := range names {
			line[i] = cell(row[name])
		}
		lines = append(lines, line)
	}
	return lines
}

func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	return string(bytes.TrimSpace(encode(v)))
}

// drawn is a table with borders.
func drawn(lines [][]string) string {
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, text := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	var b strings.Builder
	border := func() {
		for _, width := range widths {
			b.WriteString("+" + strings.Repeat("-", width+2))
		}
		b.WriteString("+\n")
	}
	border()
	for i, line := range lines {
		for j, text := range line {
			fmt.Fprintf(&b, "| %-*s ", widths[j], text)
		}
		b.WriteString("|\n")
		if i == 0 {
			border()
		}
	}
	border()
	return b.String()
}
