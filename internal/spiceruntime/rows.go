package spiceruntime

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// rowsAccept asks for the form that has a schema and, of text-to-SQL, the query. A runtime that does not know it
// answers with the bare list of rows.
const rowsAccept = "application/vnd.spiceai.sql.v1+json, application/json"

// table is the result of a query.
type table struct {
	count   int
	first   json.RawMessage // the first row, nil for none
	columns []string        // by the schema, nil where the answer has none
	sql     string          // the query that was made of a question, where the answer tells
}

// readTable reads any of the forms of a result: a list of rows, the same as data beside row_count and schema,
// and the older one with rows.
func readTable(body io.Reader) (table, error) {
	var raw json.RawMessage
	if err := readJSON(body, &raw); err != nil {
		return table{}, err
	}
	var rows []json.RawMessage
	if raw[0] == '[' {
		if err := decode(raw, &rows); err != nil {
			return table{}, err
		}
		return newTable(rows)
	}
	var object struct {
		Data, Rows []json.RawMessage
		RowCount   *int `json:"row_count"`
		SQL        string
		Schema     json.RawMessage
	}
	if err := decode(raw, &object); err != nil {
		return table{}, err
	}
	if rows = object.Data; rows == nil {
		rows = object.Rows
	}
	if rows == nil {
		return table{}, fmt.Errorf("it is not the JSON expected: neither a list of rows nor an object with data or rows%s", saying(raw))
	}
	t, err := newTable(rows)
	if err != nil {
		return table{}, err
	}
	t.sql = object.SQL
	if object.RowCount != nil {
		t.count = *object.RowCount
	}
	var schema struct{ Fields []struct{ Name string } }
	if json.Unmarshal(object.Schema, &schema) == nil {
		for _, field := range schema.Fields {
			t.columns = append(t.columns, field.Name)
		}
	}
	return t, nil
}

func newTable(rows []json.RawMessage) (table, error) {
	for i, row := range rows {
		if row[0] != '{' {
			return table{}, fmt.Errorf("it is not the JSON expected: row %d is not an object with the columns as members", i+1)
		}
	}
	t := table{count: len(rows)}
	if len(rows) > 0 {
		t.first = rows[0]
	}
	return t, nil
}

// cell is the value of a column of the first row, of the first column for "". A row may leave out what is NULL:
// then only the schema tells whether there is such a column.
func (t table) cell(column string) (string, any, error) {
	if t.first == nil {
		return "", nil, errors.New("expected a row, got none")
	}
	names, values, err := readRow(t.first)
	if err != nil {
		return "", nil, err
	}
	if t.columns != nil {
		names = t.columns
	}
	if column == "" {
		if len(names) == 0 {
			return "", nil, errors.New("the first row has no columns, or only NULL in them")
		}
		column = names[0]
	}
	value, there := values[column]
	if !there && !slices.Contains(names, column) {
		return "", nil, fmt.Errorf("the first row has no column %q, or NULL in it; it has %q", column, names)
	}
	return column, value, nil
}

// readRow reads a row with the order of its columns.
func readRow(raw json.RawMessage) (names []string, values map[string]any, err error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if _, err := dec.Token(); err != nil {
		return nil, nil, err
	}
	values = map[string]any{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, nil, err
		}
		var value any
		if err := dec.Decode(&value); err != nil {
			return nil, nil, err
		}
		name, _ := key.(string)
		names, values[name] = append(names, name), value
	}
	return names, values, nil
}
