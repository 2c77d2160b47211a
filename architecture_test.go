package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/spicedeploy/spice-deploy"

// arrows is which of our packages each of them imports at most; tests are free. A package that is not here has
// no place yet: whoever adds one decides where it belongs, and arrows point down only.
var arrows = map[string][]string{
	".": {"internal/cli", "internal/diag"},

	// The only place that knows all others.
	"internal/cli": {
		"deploy", "secretsync", "internal/ci", "internal/config", "internal/diag", "internal/emulator",
		"internal/githubreport", "internal/redact", "internal/report", "internal/spicecloud", "internal/spicepod",
		"internal/spiceruntime", "internal/workspace",
	},
	"internal/report":       {"deploy", "internal/diag", "internal/spiceruntime"},
	"internal/githubreport": {"deploy", "internal/diag", "internal/redact", "internal/remote"},

	"deploy": {
		"poll", "secretsync", "internal/config", "internal/diag", "internal/redact", "internal/remote",
		"internal/spicecloud", "internal/spicepod", "internal/spiceruntime",
	},

	"internal/ci":              {"internal/gitobject"},
	"secretsync":               {"internal/diag", "internal/redact"},
	"internal/config":          {"internal/diag", "internal/redact", "internal/remote"},
	"internal/config/generate": {"internal/config"},
	"internal/spicecloud":      {"internal/diag", "internal/redact", "internal/remote"},
	"internal/spicepod":        {"internal/diag", "internal/redact"},
	"internal/spiceruntime":    {"internal/diag", "internal/redact", "internal/remote"},

	// These stand by themselves: each could be a library.
	"poll":               nil,
	"internal/diag":      nil,
	"internal/emulator":  nil,
	"internal/gitobject": nil,
	"internal/redact":    nil,
	"internal/remote":    nil,
	"internal/workspace": nil,

	"internal/simulation": nil, // tests only
	"internal/benchmark":  nil, // a program, which runs the binary
}

// edges is what touches the world around the process, and the only files that may.
var edges = map[string][]string{
	"os.Exit":        {"main.go", "internal/benchmark/main.go", "internal/config/generate/main.go"},
	"log.Fatal":      nil,
	"log.Fatalf":     nil,
	"log.Fatalln":    nil,
	"os.Environ":     {"main.go", "internal/cli/*.go"},
	"os.Getenv":      {"internal/cli/*.go"},
	"os.LookupEnv":   {"internal/cli/*.go"},
	"os.ExpandEnv":   nil,
	"os.Setenv":      nil,
	"syscall.Getenv": nil,
	"time.Sleep":     nil, // it does not end with its context
}

// goPackage is what go list says of a package. Its files are those that are no tests.
type goPackage struct {
	ImportPath, Dir string
	GoFiles         []string
	Imports         []string
}

// path is the import path below the module.
func (p goPackage) path() string {
	if p.ImportPath == module {
		return "."
	}
	return strings.TrimPrefix(p.ImportPath, module+"/")
}

// ourPackages is every package of the module.
func ourPackages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Dir,GoFiles,Imports", "./...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var list []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		if p.ImportPath == module || strings.HasPrefix(p.ImportPath, module+"/") {
			list = append(list, p)
		}
	}
}

func TestArchitecture_arrows(t *testing.T) {
	t.Parallel()

	for _, p := range ourPackages(t) {
		allowed, known := arrows[p.path()]
		if !known {
			t.Errorf("%s: no place in the architecture; add it to the arrows", p.path())
			continue
		}
		for _, imported := range p.Imports {
			ours, ok := strings.CutPrefix(imported, module+"/")
			if ok && !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s; it may import %q of ours", p.path(), ours, allowed)
			}
		}
	}
}

func TestArchitecture_edges(t *testing.T) {
	t.Parallel()

	for _, p := range ourPackages(t) {
		for _, name := range p.GoFiles {
			file := path.Join(p.path(), name)
			for _, used := range selectors(t, filepath.Join(p.Dir, name)) {
				allowed, edge := edges[used]
				if edge && !slices.ContainsFunc(allowed, func(pattern string) bool {
					ok, _ := path.Match(pattern, file)
					return ok
				}) {
					t.Errorf("%s uses %s; only %q may", file, used, allowed)
				}
			}
		}
	}
}

// selectors is every package.Name that a file uses, by the package's own name.
func selectors(t *testing.T, name string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	packages := map[string]string{}
	for _, spec := range file.Imports {
		imported := strings.Trim(spec.Path.Value, `"`)
		local := path.Base(imported)
		if spec.Name != nil {
			local = spec.Name.Name
		}
		packages[local] = path.Base(imported)
	}
	var used []string
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && packages[x.Name] != "" {
				used = append(used, packages[x.Name]+"."+s.Sel.Name)
			}
		}
		return true
	})
	return used
}
