package emulator

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

var (
	statement  = regexp.MustCompile(`(?is)^(?:select|with|show|describe|explain|values)\b`)
	selectOne  = regexp.MustCompile(`(?is)^select\s+(-?\d{1,18})(?:\s+(?:as\s+)?("?)(\w+)"?)?$`)
	countRows  = regexp.MustCompile(`(?is)^select\s+count\(\s*[*1]\s*\)(?:\s+as\s+"?(\w+)"?)?\s+from\b`)
	literal    = regexp.MustCompile(`'(?:[^']|'')*'`)
	remark     = regexp.MustCompile(`--[^\n]*`)
	tableName  = regexp.MustCompile(`(?is)\b(?:from|join)\s+((?:"(?:[^"]|"")+"|[a-z_]\w*)(?:\.(?:"(?:[^"]|"")+"|[a-z_]\w*))*)\s*(\(?)`)
	namePart   = regexp.MustCompile(`"(?:[^"]|"")+"|[A-Za-z_]\w*`)
	namespaces = []string{"spice", "public"} // the default catalog and schema, which may be left out
)

// madeUp answers a query that nobody scripted, without running it: SELECT 1 gives 1, a count of a table's rows
// is 1, anything else is a row that says what it is. It refuses what is no query, a table that the spicepod
// which is served does not have, and a dataset that is not available.
func (run *running) madeUp(query string) ([]Row, *failure) {
	plain := plainQuery(remark.ReplaceAllString(literal.ReplaceAllString(query, "''"), ""))
	if !statement.MatchString(plain) {
		return nil, &failure{http.StatusBadRequest, `SQL error: ParserError("Expected: an SQL statement")`}
	}
	if !strings.HasPrefix(strings.ToLower(plain), "with") { // its names are not tables
		if failed := run.missingTable(plain); failed != nil {
			return nil, failed
		}
	}
	if m := selectOne.FindStringSubmatch(plain); m != nil {
		var value int64
		_, _ = fmt.Sscan(m[1], &value) // the pattern allows nothing else
		return []Row{{cmp.Or(m[3], "Int64("+m[1]+")"): value}}, nil
	}
	if m := countRows.FindStringSubmatch(plain); m != nil {
		return []Row{{cmp.Or(m[1], "count(*)"): 1}}, nil
	}
	return []Row{{"emulated": emulated + "the emulator runs no SQL"}}, nil
}

// missingTable refuses the first table that is not there or cannot be used. Functions, and tables that the
// query names in other places than after FROM and JOIN, are not looked at.
func (run *running) missingTable(query string) *failure {
	for _, m := range tableName.FindAllStringSubmatch(query, -1) {
		parts := tableParts(m[1])
		if m[2] != "" || len(parts) > 1 && parts[len(parts)-2] == "information_schema" {
			continue
		}
		state, found := run.table(parts)
		switch {
		case !found:
			return &failure{http.StatusBadRequest, fmt.Sprintf("Error during planning: table '%s' not found", strings.Join(parts, "."))}
		case !state.available():
			return &failure{http.StatusBadRequest, fmt.Sprintf("Table '%s' is %s", strings.Join(parts, "."), state.Status)}
		}
	}
	return nil
}

// tableParts splits a name at its dots: what is not in quotes is lower-case to SQL.
func tableParts(name string) []string {
	parts := namePart.FindAllString(name, -1)
	for i, part := range parts {
		if inner, ok := strings.CutPrefix(part, `"`); ok {
			parts[i] = strings.ReplaceAll(strings.TrimSuffix(inner, `"`), `""`, `"`)
		} else {
			parts[i] = strings.ToLower(part)
		}
	}
	return parts
}

// table finds a dataset or a view.
func (run *running) table(parts []string) (state Component, found bool) {
	is := func(name string) bool {
		want := strings.Split(strings.ReplaceAll(name, `"`, ""), ".")
		for skipped := range len(namespaces) + 1 {
			if slices.Equal(parts, append(slices.Clone(namespaces[skipped:]), want...)) {
				return true
			}
		}
		return slices.Equal(parts, append([]string{"spice"}, want...))
	}
	for _, d := range run.datasets() {
		if is(d.name) && !strings.EqualFold(d.state.Status, "Disabled") {
			return d.state, true
		}
	}
	for _, v := range run.entries("views") {
		if is(text(v, "name")) {
			return Component{Status: "Ready"}, true
		}
	}
	return Component{}, false
}
