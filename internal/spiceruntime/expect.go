package spiceruntime

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/spicedeploy/spice-deploy/internal/remote"
)

// expectation is what the result of a query has to be.
type expectation struct {
	rows   *comparison // nil: any number
	cell   bool        // the first row is looked at
	column string      // which column of it, "" for the first
	want   any         // a scalar of JSON, numbers as json.Number
}

// comparison is such as >0.
type comparison struct {
	operator string // one of = != > >= < <=
	number   int
}

var comparisonPattern = regexp.MustCompile(`^(=|==|!=|>|>=|<|<=)?\s*([0-9]+)$`)

// rowsPattern is the short form of an expectation about rows, such as rows > 0.
var rowsPattern = regexp.MustCompile(`^rows\s*([=!<>].*)$`)

// otherComparison is a text that means to compare, and not rows: ROWS > 0, n = 3, > 0.
var otherComparison = regexp.MustCompile(`^([^\s=!<>]+\s*(=|==|!=|<>|[<>]=?)\s*[^\s=!<>]|[^=!<>]*(=|==|!=|<>|[<>]=?)\s*-?[0-9])`)

// parseExpectation reads what [Inputs] describes: a map, or one of its short forms.
func parseExpectation(given any) (*expectation, error) {
	switch given := given.(type) {
	case map[string]any:
		return parseExpectations(given)
	case []any:
		return nil, errors.New("expected a map, a scalar or rows > 0, got a list")
	case nil:
		return nil, errors.New("it is empty; to expect NULL, write {value: null}")
	case string:
		if m := rowsPattern.FindStringSubmatch(strings.TrimSpace(given)); m != nil {
			return parseExpectations(map[string]any{"rows": m[1]})
		}
		if otherComparison.MatchString(strings.TrimSpace(given)) {
			return nil, fmt.Errorf("%q looks like a comparison; write rows > 0 for the number of rows, or {value: …} for what the first column has to be",
				remote.OneLine(given, detailLimit))
		}
	}
	return parseExpectations(map[string]any{"value": given})
}

func parseExpectations(object map[string]any) (*expectation, error) {
	if unknown := unknownKeys(object, "rows", "value", "column", "equals"); unknown != "" {
		return nil, fmt.Errorf("%s is not understood; expected one of rows, value, column, equals", unknown)
	}
	e := &expectation{}
	rows, hasRows := object["rows"]
	value, hasValue := object["value"]
	column, hasColumn := object["column"]
	equals, hasEquals := object["equals"]
	switch {
	case len(object) == 0:
		return nil, errors.New("it is empty; expected rows, value, or column with equals")
	case hasColumn != hasEquals:
		return nil, errors.New("column and equals belong together")
	case hasValue && hasColumn:
		return nil, errors.New("value and column exclude each other")
	}
	if hasRows {
		var err error
		if e.rows, err = parseComparison(rows); err != nil {
			return nil, err
		}
	}
	if e.cell = hasValue || hasColumn; !e.cell {
		return e, nil
	}
	e.want = value
	if hasColumn {
		name, ok := column.(string)
		if !ok || name == "" {
			return nil, errors.New("column: expected the name of a column")
		}
		e.column, e.want = name, equals
	}
	switch e.want.(type) {
	case []any, map[string]any:
		return nil, fmt.Errorf("the value to compare with: expected a scalar, got %s", kindOf(e.want))
	}
	return e, nil
}

func parseComparison(given any) (*comparison, error) {
	text := ""
	switch given := given.(type) {
	case string:
		text = strings.TrimSpace(given)
	case json.Number:
		text = given.String()
	}
	m := comparisonPattern.FindStringSubmatch(text)
	if m == nil {
		return nil, errors.New(`rows: expected a number such as 3, or a comparison such as ">0"`)
	}
	number, err := strconv.Atoi(m[2])
	if err != nil {
		return nil, errors.New("rows: the number is too large")
	}
	operator := m[1]
	if operator == "" || operator == "==" {
		operator = "="
	}
	return &comparison{operator: operator, number: number}, nil
}

func (c comparison) holds(n int) bool {
	switch c.operator {
	case "=":
		return n == c.number
	case "!=":
		return n != c.number
	case ">":
		return n > c.number
	case ">=":
		return n >= c.number
	case "<":
		return n < c.number
	default:
		return n <= c.number
	}
}

func (c comparison) String() string { return c.operator + strconv.Itoa(c.number) }

// check compares the result with what was expected and says what of it was looked at.
func (e *expectation) check(t table) (string, error) {
	if e == nil {
		return "", nil
	}
	if e.rows != nil && !e.rows.holds(t.count) {
		return "", fmt.Errorf("expected rows %s, got %d", e.rows, t.count)
	}
	if !e.cell {
		return "", nil
	}
	name, got, err := t.cell(e.column)
	if err != nil {
		return "", err
	}
	if !same(e.want, got) {
		return "", fmt.Errorf("expected %s in column %q of the first row, got %s", show(e.want), name, show(got))
	}
	return fmt.Sprintf("%s is %s", name, show(got)), nil
}

// same compares numbers by their value, whether or not they are in quotes (a decimal of SQL may come as a text),
// and everything else by its text.
func same(want, got any) bool {
	if want == nil || got == nil {
		return want == nil && got == nil
	}
	a, b := scalarText(want), scalarText(got)
	if a == b {
		return true
	}
	_, quotedWant := want.(string)
	_, quotedGot := got.(string)
	if quotedWant && quotedGot {
		return false
	}
	if i, err := strconv.ParseInt(a, 10, 64); err == nil {
		if j, err := strconv.ParseInt(b, 10, 64); err == nil {
			return i == j // a float64 would not tell neighbours beyond 2^53 apart
		}
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && x == y
}

func scalarText(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case json.Number:
		return value.String()
	case nil:
		return "null"
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(raw)
}

// show is a value as people read it in a message, shortened later with the message.
func show(value any) string {
	if text, ok := value.(string); ok {
		return strconv.Quote(text)
	}
	return scalarText(value)
}
