package main_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/config"
	"github.com/spicedeploy/spice-deploy/internal/diag"
)

//go:generate go test -run ^TestDocs . -update

var update = flag.Bool("update", false, "write the generated parts of docs")

// checkRegions compares the parts of a page between <!-- name:begin --> and <!-- name:end --> with what the code says.
func checkRegions(t *testing.T, path string, regions map[string]string) {
	t.Helper()
	page := readPage(t, path)
	wanted := page
	for name, content := range regions {
		begin, end := "<!-- "+name+":begin -->", "<!-- "+name+":end -->"
		before, rest, found := strings.Cut(wanted, begin)
		_, after, closed := strings.Cut(rest, end)
		if !found || !closed {
			t.Fatalf("%s lacks %s and %s", path, begin, end)
		}
		wanted = before + begin + "\n\n" + content + "\n" + end + after
	}
	if page == wanted {
		return
	}
	if !*update {
		t.Fatalf("%s differs from the code, run: go generate . (-want +got)\n%s", path, cmp.Diff(wanted, page))
	}
	if err := os.WriteFile(path, []byte(wanted), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readPage(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// placeholders are what the page says for the words of a remedy that a run fills in.
var placeholders = map[string]string{
	"scope":      "that the message names",
	"choices":    "those that the message lists",
	"names":      "the ones that the message names",
	"by":         "that the message names",
	"former":     "the former version, if there is one, keeps serving",
	"option":     "the limit that the message names",
	"host":       "the host of api-url",
	"code":       "its code is in error-code",
	"create":     ". To create it, set create-app-if-missing: true and region",
	"org":        "",
	"hint":       "",
	"deployment": "the deployment that the message names",
	"else":       ". Where that is no failure, set fail-on-test-error: false",
}

var inBraces = regexp.MustCompile(` ?\{([a-z]+)\}`)

// readable is a text of the table of remedies without braces, as a cell of a table.
func readable(t *testing.T, text string) string {
	t.Helper()
	text = inBraces.ReplaceAllStringFunc(text, func(match string) string {
		word, known := placeholders[strings.Trim(match, " {}")]
		if !known {
			t.Errorf("placeholders lacks a word for %s in %q", match, text)
		}
		if word == "" {
			return ""
		}
		return match[:strings.Index(match, "{")] + word
	})
	return strings.ReplaceAll(text, "|", `\|`)
}

// TestDocs_whenItFails: the page has every row of the table of remedies, under the result that it ends with.
func TestDocs_whenItFails(t *testing.T) {
	t.Parallel()

	regions := map[string]string{}
	for _, remedy := range diag.Remedies() {
		region := string(remedy.Result)
		if region == "" {
			region = "any"
		}
		if regions[region] == "" {
			regions[region] = "| what happened | what to do |\n| --- | --- |\n"
		}
		regions[region] += "| " + readable(t, remedy.When) + " | " + readable(t, remedy.Do) + " |\n"
	}
	checkRegions(t, "docs/when-it-fails.md", regions)
	readme, page := readPage(t, "README.md"), readPage(t, "docs/when-it-fails.md")
	for result := range regions {
		if result == "any" {
			continue
		}
		code := diag.Result(result).ExitCode()
		if !strings.Contains(page, fmt.Sprintf("\n## Exit %d: `%s`\n", code, result)) {
			t.Errorf("docs/when-it-fails.md lacks the heading of %s with its exit code %d", result, code)
		}
		if !strings.Contains(readme, fmt.Sprintf("\n| %d | `%s` |", code, result)) {
			t.Errorf("the README's table of results lacks %s with its exit code %d", result, code)
		}
	}
}

// TestDocs_order: who reads the README from the top finds what it takes to use the tool first. Sections that are not
// named here may stand anywhere.
func TestDocs_order(t *testing.T) {
	t.Parallel()

	order := []string{
		"Use it", "Inputs", "Outputs", "Permissions and scopes", "When it fails", "Other CI systems", "Rehearse locally",
		"Verify a release", "How it decides", "Links",
	}
	var got []int
	for _, match := range regexp.MustCompile(`(?m)^## (.*)$`).FindAllStringSubmatch(readPage(t, "README.md"), -1) {
		if i := slices.Index(order, match[1]); i >= 0 {
			got = append(got, i)
		}
	}
	if !slices.IsSorted(got) || len(got) < 8 {
		t.Errorf("expected the sections of the README in the order %q, got their places %v", order, got)
	}
}

// TestDocs_whenItFails_quotes: the page quotes every remedy that is no row of the table, in the words of the code.
func TestDocs_whenItFails_quotes(t *testing.T) {
	t.Parallel()

	var code strings.Builder
	for _, pattern := range []string{"deploy/*.go", "internal/cli/*.go", "internal/spiceruntime/run.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				code.WriteString(readPage(t, file))
			}
		}
	}
	spoken := strings.ReplaceAll(code.String(), "\" +\n\t\t\t\t\"", "") // literals over several lines
	_, quotes, _ := strings.Cut(readPage(t, "docs/when-it-fails.md"), "<!-- quotes:begin -->")
	quotes, _, closed := strings.Cut(quotes, "<!-- quotes:end -->")
	rows := regexp.MustCompile(`(?m)^\| .* \| ([a-z].*) \|$`).FindAllStringSubmatch(quotes, -1)
	if !closed || len(rows) < 5 {
		t.Fatalf("docs/when-it-fails.md has %d quotes", len(rows))
	}
	for _, row := range rows[1:] { // the first is the head of the table
		if !strings.Contains(spoken, row[1]) {
			t.Errorf("docs/when-it-fails.md quotes a remedy that the code does not have: %s", row[1])
		}
	}
	hints := regexp.MustCompile(`[Hh]int(?: =|:) +"([A-Za-z][^"]+)"`).FindAllStringSubmatch(spoken, -1)
	_, ofProbes, _ := strings.Cut(spoken, "\nfunc hint(")
	ofProbes, _, _ = strings.Cut(ofProbes, "\n}\n")
	hints = append(hints, regexp.MustCompile("(?m)return [\"`](.+)[\"`]$").FindAllStringSubmatch(ofProbes, -1)...)
	if len(hints) < 10 {
		t.Errorf("found only %d remedies that are written where they are used", len(hints))
	}
	for _, hint := range hints {
		if !strings.Contains(quotes, "| "+hint[1]+" |") {
			t.Errorf("docs/when-it-fails.md lacks the remedy %s", hint[1])
		}
	}
}

// TestDocs_moving: the page has every input and output of the official action, in the order of the option table and
// with the default that the table has.
func TestDocs_moving(t *testing.T) {
	t.Parallel()

	generated, err := config.WriteREADME([]byte("<!-- inputs:begin --><!-- inputs:end --><!-- outputs:begin --><!-- outputs:end -->"))
	if err != nil {
		t.Fatal(err)
	}
	inputs, outputs, _ := strings.Cut(string(generated), "<!-- outputs:begin -->")
	var want, got [][]string
	for _, row := range regexp.MustCompile("(?m)^\\| (`[a-z-]+`)† \\| (.*?) \\|").FindAllStringSubmatch(inputs, -1) {
		want = append(want, []string{row[1], strings.TrimSpace(row[2])})
	}
	for _, row := range regexp.MustCompile("(?m)^\\| (`[a-z-]+`)† \\|").FindAllStringSubmatch(outputs, -1) {
		want = append(want, []string{row[1]})
	}
	page := readPage(t, "docs/moving.md")
	_, tables, _ := strings.Cut(page, "\n## Inputs side by side\n")
	inputs, outputs, _ = strings.Cut(tables, "\n## Outputs side by side\n")
	outputs, _, _ = strings.Cut(outputs, "\n## ")
	for _, row := range regexp.MustCompile("(?m)^\\| (`[a-z-]+`) \\| .*? \\| (.*?) \\| .* \\|$").FindAllStringSubmatch(inputs, -1) {
		got = append(got, []string{row[1], strings.TrimSpace(row[2])})
	}
	for _, row := range regexp.MustCompile("(?m)^\\| (`[a-z-]+`) \\| .* \\|$").FindAllStringSubmatch(outputs, -1) {
		got = append(got, []string{row[1]})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/moving.md differs from the option table (-want +got):\n%s", diff)
	}
	if len(want) < 40 {
		t.Errorf("expected more than %d inputs and outputs of the official action", len(want))
	}
}

// TestDocs_architecture: the page lists every package with the first sentence of its documentation and the imports that
// the architecture allows it, and every decision.
func TestDocs_architecture(t *testing.T) {
	t.Parallel()

	list, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.ImportPath}}\t{{.Doc}}", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	meaning := map[string]string{}
	for line := range strings.Lines(string(list)) {
		name, doc, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if name = strings.TrimPrefix(strings.TrimPrefix(name, module), "/"); name == "" {
			name = "."
		}
		meaning[name] = regexp.MustCompile(`^(Package|Command) \S+ `).ReplaceAllString(doc, "")
	}
	packages := "| package | does | imports of ours, at most |\n| --- | --- | --- |\n"
	for _, name := range slices.Sorted(maps.Keys(arrows)) {
		var imports []string
		for _, imported := range arrows[name] {
			imports = append(imports, "`"+imported+"`")
		}
		if meaning[name] == "" {
			t.Errorf("%s has no documentation", name)
		}
		packages += fmt.Sprintf("| `%s` | %s | %s |\n", name, meaning[name], strings.Join(imports, ", "))
	}
	files, err := filepath.Glob("docs/decisions/[0-9]*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("docs/decisions: %d files, %v", len(files), err)
	}
	var decisions strings.Builder
	for _, file := range files {
		title, _, _ := strings.Cut(readPage(t, file), "\n")
		fmt.Fprintf(&decisions, "- [%s](decisions/%s)\n", strings.TrimPrefix(title, "# "), filepath.Base(file))
	}
	checkRegions(t, "docs/architecture.md", map[string]string{"packages": packages, "decisions": decisions.String()})
}
