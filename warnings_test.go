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

// said are the texts that the code of a package gives to the calls that matter, with … for what a run fills in. What
// such a call is given behind its text, a remedy, follows it where there is one.
func said(t *testing.T, folder string, matters func(*ast.CallExpr) bool) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", folder, len(files), err)
	}
	constants, texts := map[string]ast.Expr{}, map[string]bool{}
	var calls []*ast.CallExpr
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(filepath.Base(name), "generate") {
			continue // no run has it
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
			case *ast.KeyValueExpr: // a FileError's
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "text" && folder == "internal/workspace" {
					calls = append(calls, complaint(n.Value))
				}
			case *ast.AssignStmt:
				if strings.HasSuffix(name, "errors.go") || strings.HasSuffix(name, "read.go") {
					for _, value := range n.Rhs {
						if folder == "internal/workspace" {
							calls = append(calls, complaint(value))
						}
					}
				}
			}
			return true
		})
	}
	for _, call := range calls {
		if !matters(call) {
			continue
		}
		for i, argument := range call.Args {
			text := strings.TrimPrefix(pattern(argument, constants), "warning: ")
			if strings.Count(text, " ") < 2 {
				continue
			}
			if hint := ""; isReport(call) && i+1 < len(call.Args) {
				if hint = pattern(call.Args[i+1], constants); hint != "" && hint != "…" {
					text += "; " + hint
				}
			}
			if text = strings.ReplaceAll(text, "……", "…"); !strings.HasPrefix(text, "…; write") {
				texts[text] = true
			}
			break // what follows a format is filled in
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

// complains tells whether a call notes a problem with the input, or makes the error that one is about.
func complains(call *ast.CallExpr) bool {
	f, ok := call.Fun.(*ast.SelectorExpr)
	return ok && (f.Sel.Name == "problem" || f.Sel.Name == "Errorf" || f.Sel.Name == "New" || isReport(call))
}

// complaint is a text that is noted in another way than by a call.
func complaint(text ast.Expr) *ast.CallExpr {
	return &ast.CallExpr{Fun: &ast.SelectorExpr{X: ast.NewIdent("_"), Sel: ast.NewIdent("problem")}, Args: []ast.Expr{text}}
}

// isReport tells whether a call notes a problem with its remedy apart.
func isReport(call *ast.CallExpr) bool {
	f, ok := call.Fun.(*ast.SelectorExpr)
	return ok && (f.Sel.Name == "report" || f.Sel.Name == "reportUnset" || f.Sel.Name == "reportEmpty")
}

var verb = regexp.MustCompile(`%[a-zA-Z]`)

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
		texts := said(t, folder, warns)
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

// TestDocs_whenItFails_problems: the page has every problem that a run finds with its inputs and files.
func TestDocs_whenItFails_problems(t *testing.T) {
	t.Parallel()

	var lists []string
	for _, part := range []struct{ title, folder string }{
		{"Options", "internal/config"},
		{"Files", "internal/workspace"},
		{"Secrets", "secretsync"},
		{"The spicepod", "internal/spicepod"},
		{"Probes, and what the runtime answers to them", "internal/spiceruntime"},
	} {
		texts := said(t, part.folder, complains)
		if len(texts) < 5 {
			t.Errorf("found only the problems %q in %s", texts, part.folder)
		}
		list := "**" + part.title + "**\n\n"
		for _, text := range texts {
			fence := "`"
			if strings.Contains(text, fence) {
				fence = "``"
			}
			list += "- " + fence + text + fence + "\n"
		}
		lists = append(lists, list)
	}
	checkRegions(t, "docs/when-it-fails.md", map[string]string{"problems": strings.Join(lists, "\n")})
}

var (
	failures      = regexp.MustCompile(`(?m)\bfail (?:"(.*)"|'(.*)')`)
	shellVariable = regexp.MustCompile(`\$(\w+|\{[^}]*\})`)
)

// TestDocs_whenItFails_setup: the page has what setup and native say when the program cannot be installed.
func TestDocs_whenItFails_setup(t *testing.T) {
	t.Parallel()

	var list string
	for _, match := range failures.FindAllStringSubmatch(readPage(t, "setup/install.sh"), -1) {
		list += "- `" + shellVariable.ReplaceAllString(match[1]+match[2], "…") + "`\n"
	}
	if strings.Count(list, "\n") < 8 {
		t.Errorf("found only\n%s", list)
	}
	checkRegions(t, "docs/when-it-fails.md", map[string]string{"setup": list})
}
