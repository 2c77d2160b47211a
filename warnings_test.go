package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// said are the texts of the warnings and notices that a package can print, with … for what a run fills in: the literals
// that its code gives to warn, notice, or the lists of warnings and notices.
func said(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", folder, len(files), err)
	}
	constants, texts := map[string]ast.Expr{}, map[string]bool{}
	var calls []*ast.CallExpr
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for i, value := range n.Values {
					constants[n.Names[i].Name] = value
				}
			case *ast.CallExpr:
				calls = append(calls, n)
			}
			return true
		})
	}
	for _, call := range calls {
		if !warns(call) {
			continue
		}
		for _, argument := range call.Args {
			if text := strings.TrimPrefix(pattern(argument, constants), "warning: "); strings.Count(text, " ") > 1 {
				texts[text] = true
				break // what follows a format is filled in
			}
		}
	}
	return slices.Sorted(maps.Keys(texts))
}

var warnsBy = regexp.MustCompile(`^(warn|notice|[wW]arnings|[nN]otices)$`)

// warns tells whether a call prints or notes a warning or a notice.
func warns(call *ast.CallExpr) bool {
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		if f.Sel.Name == "line" && len(call.Args) > 1 {
			format, ok := call.Args[1].(*ast.BasicLit)
			return ok && strings.HasPrefix(format.Value, `"warning: `)
		}
		return warnsBy.MatchString(f.Sel.Name)
	case *ast.Ident:
		if f.Name != "append" {
			return false
		}
		if list, ok := call.Args[0].(*ast.SelectorExpr); ok {
			return warnsBy.MatchString(list.Sel.Name)
		}
	}
	return false
}

var verb = regexp.MustCompile(`%[a-z]`)

// pattern is the text of an expression, with … for what is not a literal.
func pattern(e ast.Expr, constants map[string]ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return verb.ReplaceAllString(text, "…")
		}
	case *ast.BinaryExpr:
		return pattern(e.X, constants) + pattern(e.Y, constants)
	case *ast.Ident:
		if value, ok := constants[e.Name]; ok {
			return pattern(value, nil)
		}
	case *ast.CallExpr:
		if f, ok := e.Fun.(*ast.SelectorExpr); ok && (f.Sel.Name == "Sprintf" || f.Sel.Name == "New" || f.Sel.Name == "Errorf") {
			return pattern(e.Args[0], constants)
		}
	}
	return "…"
}

// TestDocs_whenItFails_warnings: the page has every warning and notice, each with what to do.
func TestDocs_whenItFails_warnings(t *testing.T) {
	t.Parallel()

	const page = "docs/when-it-fails.md"
	_, rows, _ := strings.Cut(readPage(t, page), "<!-- warnings:begin -->")
	rows, _, _ = strings.Cut(rows, "<!-- warnings:end -->")
	remedies := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(.*)` \\| (.*) \\|$").FindAllStringSubmatch(rows, -1) {
		remedies[row[1]] = row[2]
	}
	table := "| it says | what to do |\n| --- | --- |\n"
	for _, folder := range []string{"internal/ci", "internal/config", "secretsync", "internal/spicepod", "deploy", "internal/cli"} {
		texts := said(t, folder)
		if len(texts) < 3 {
			t.Errorf("found only the warnings %q in %s", texts, folder)
		}
		for _, text := range texts {
			if strings.TrimSpace(remedies[text]) == "" {
				t.Errorf("%s does not say what to do about %q", page, text)
			}
			table += "| `" + text + "` | " + remedies[text] + " |\n"
		}
	}
	checkRegions(t, page, map[string]string{"warnings": table})
}
