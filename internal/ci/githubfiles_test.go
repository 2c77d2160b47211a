package ci_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/ci"
)

// files is a host whose output and summary files exist and hold content.
func files(t *testing.T, content string) (host ci.Host, output, summary string) {
	t.Helper()
	env := runner(t, `{}`, nil)
	output, summary = env["GITHUB_OUTPUT"], env["GITHUB_STEP_SUMMARY"]
	for _, path := range []string{output, summary} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return ci.Detect(lookup(env), nil, nil), output, summary
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

var delimiters = regexp.MustCompile(`ghadelimiter_[A-Z2-7]{26}`)

func TestHost_GitHub_WriteOutputs(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, before string
		outs         []ci.Output
		want         string // with D for each delimiter
	}{
		{"none", "", nil, ""},
		{
			"two", "",
			[]ci.Output{{Name: "app-id", Value: "42"}, {Name: "app-name", Value: "shop"}},
			"app-id<<D\n42\nD\napp-name<<D\nshop\nD\n",
		},
		{"empty_value", "", []ci.Output{{Name: "reason", Value: ""}}, "reason<<D\n\nD\n"},
		{"several_lines", "", []ci.Output{{Name: "plan", Value: "{\n}\n"}}, "plan<<D\n{\n}\n\nD\n"},
		{"after_a_line", "a=b\n", []ci.Output{{Name: "result", Value: "x"}}, "a=b\nresult<<D\nx\nD\n"},
		{"after_a_line_without_an_end", "a=b", []ci.Output{{Name: "result", Value: "x"}}, "a=b\nresult<<D\nx\nD\n"},
		{
			"value_that_would_forge", "",
			[]ci.Output{{Name: "error-message", Value: "x\n_GitHubActionsFileCommandDelimeter_\nresult=succeeded\nresult<<EOF\nsucceeded\nEOF"}},
			"error-message<<D\nx\n_GitHubActionsFileCommandDelimeter_\nresult=succeeded\nresult<<EOF\nsucceeded\nEOF\nD\n",
		},
		{"not_UTF-8", "", []ci.Output{{Name: "reason", Value: "caf\xe9"}}, "reason<<D\ncaf\uFFFD\nD\n"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			host, output, _ := files(t, tc.before)
			if err := host.WriteOutputs(tc.outs); err != nil {
				t.Fatal(err)
			}
			if got, want := delimiters.ReplaceAllString(read(t, output), "D"), tc.want; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
		})
	}
}

func TestHost_GitHub_WriteOutputs_delimiters_differ(t *testing.T) {
	t.Parallel()
	host, output, _ := files(t, "")
	for range 2 {
		if err := host.WriteOutputs([]ci.Output{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}}); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]int{}
	for _, delimiter := range delimiters.FindAllString(read(t, output), -1) {
		seen[delimiter]++
	}
	if got, want := len(seen), 4; got != want {
		t.Errorf("expected %d delimiters to be %d: %v", got, want, seen)
	}
}

func TestHost_GitHub_WriteOutputs_bad_name(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "a=b", "a<<b", "a\nb", "1a", "a b"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host, output, _ := files(t, "")
			if err := host.WriteOutputs([]ci.Output{{Name: "good", Value: "x"}, {Name: name, Value: "x"}}); err == nil {
				t.Error("expected an error")
			}
			if got, want := read(t, output), ""; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
		})
	}
}

func TestHost_GitHub_file_cannot_be_written(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		path func(dir string) string
		want string // with the path as <path>
	}{
		{"variable_not_set", func(string) string { return "" }, "the variable is not set"},
		{"not_there", func(dir string) string { return filepath.Join(dir, "absent") }, "open <path>: no such file or directory"},
		{"a_folder", func(dir string) string { return dir }, "open <path>: is a directory"},
		{"no_space", func(string) string { return "/dev/full" }, "write <path>: no space left on device"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			path := tc.path(t.TempDir())
			host := ci.Detect(lookup(runner(t, `{}`, map[string]string{"GITHUB_OUTPUT": path, "GITHUB_STEP_SUMMARY": path})), nil, nil)
			for variable, err := range map[string]error{
				"GITHUB_OUTPUT":       host.WriteOutputs([]ci.Output{{Name: "a", Value: "b"}}),
				"GITHUB_STEP_SUMMARY": host.WriteSummary("# A"),
			} {
				if err == nil {
					t.Fatal("expected an error")
				}
				want := "write " + variable + ": " + strings.ReplaceAll(tc.want, "<path>", path)
				if got := err.Error(); got != want {
					t.Errorf("expected %q to be %q", got, want)
				}
			}
			if _, err := os.Stat(path); tc.name == "not_there" && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("expected nothing to be created, got %v", err)
			}
		})
	}
}

func TestHost_GitHub_WriteSummary(t *testing.T) {
	t.Parallel()
	const note = "\n_The rest of this summary was left out: GitHub takes at most 1 MiB for one step._\n"
	const most = 1 << 20
	line := strings.Repeat("x", 99) + "\n"

	cases := []struct {
		name, before, markdown string
		// what is in the file afterwards begins and ends so, and has at most this size
		prefix, suffix string
		exact          bool // prefix is all of it
	}{
		{"short", "", "# Deployed\n", "# Deployed\n", "", true},
		{"without_an_end_of_line", "", "# Deployed", "# Deployed\n", "", true},
		{"empty", "", "", "", "", true},
		{"after_another", "# Tests\n", "# Deployed\n", "# Tests\n# Deployed\n", "", true},
		{"after_another_without_an_end_of_line", "# Tests", "# Deployed\n", "# Tests\n# Deployed\n", "", true},
		{"just_fits", "", strings.Repeat("x", most-1) + "\n", strings.Repeat("x", most-1) + "\n", "", true},
		{"just_fits_after_another", "a\n", strings.Repeat("x", most-3) + "\n", "a\n" + strings.Repeat("x", most-3) + "\n", "", true},
		{"too_long", "", strings.Repeat(line, 11000), line, line + note, false},
		{"too_long_after_another", strings.Repeat(line, 5000), strings.Repeat(line, 6000), line, line + note, false},
		{"one_line_that_is_too_long", "", strings.Repeat("x", 2*most), note, "", true},
		{"in_a_block_of_code", "", "````diff\n```\n" + strings.Repeat(line, 11000), "````diff\n", line + "````\n" + note, false},
		{"after_a_block_of_code", "", "```diff\n+a\n```\n" + strings.Repeat(line, 11000), "```diff\n", line + note, false},
		{"in_a_folded_section", "", "<details open>\n\n~~~\n" + strings.Repeat(line, 11000), "<details", line + "~~~\n\n</details>\n" + note, false},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			host, _, summary := files(t, tc.before)
			if err := host.WriteSummary(tc.markdown); err != nil {
				t.Fatal(err)
			}
			got := read(t, summary)
			if len(got) > most {
				t.Errorf("expected at most %d bytes, got %d", most, len(got))
			}
			if tc.exact && got != tc.prefix {
				t.Errorf("expected %.200q to be %.200q", got, tc.prefix)
			}
			if !strings.HasPrefix(got, tc.prefix) || !strings.HasSuffix(got, tc.suffix) {
				t.Errorf("expected the file to begin with %.200q and to end in %.200q, got %q … %q",
					tc.prefix, tc.suffix, got[:min(len(got), 200)], got[max(0, len(got)-200):])
			}
			if !tc.exact && len(got) < most-500 {
				t.Errorf("expected the room to be used, got %d bytes", len(got))
			}
		})
	}
}

func TestHost_GitHub_WriteSummary_full(t *testing.T) {
	t.Parallel()
	before := strings.Repeat("x", 1<<20-10)
	host, _, summary := files(t, before)
	err := host.WriteSummary("# Deployed\n")
	if err == nil {
		t.Fatal("expected an error")
	}
	if got, want := err.Error(), "write GITHUB_STEP_SUMMARY: there is no room left for the summary: GitHub takes at most 1 MiB for one step"; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
	if got, want := read(t, summary), before; got != want {
		t.Error("expected the file to be untouched")
	}
}

// parseOutputs reads a file as the GitHub runner's source does (FileCommandManager.cs, as on Linux).
func parseOutputs(t *testing.T, text string) []ci.Output {
	t.Helper()
	var outs []ci.Output
	next := func() (line string, ok bool) {
		if text == "" {
			return "", false
		}
		line, text, _ = strings.Cut(text, "\n")
		return line, true
	}
	for line, ok := next(); ok; line, ok = next() {
		if line == "" {
			continue
		}
		equals, heredoc := strings.Index(line, "="), strings.Index(line, "<<")
		if equals >= 0 && (heredoc < 0 || equals < heredoc) {
			outs = append(outs, ci.Output{Name: line[:equals], Value: line[equals+1:]})
			continue
		}
		if heredoc <= 0 || len(line) == heredoc+2 {
			t.Fatalf("the runner would fail the step at %q", line)
		}
		var value []string
		for {
			inner, ok := next()
			if !ok {
				t.Fatalf("the runner would fail the step: %q has no end", line)
			}
			if inner == line[heredoc+2:] {
				break
			}
			value = append(value, inner)
		}
		outs = append(outs, ci.Output{Name: line[:heredoc], Value: strings.Join(value, "\n")})
	}
	return outs
}

func FuzzWriteOutputs(f *testing.F) {
	f.Add("", "", "")
	f.Add("a=b", "one\ntwo\n", "\n")
	f.Add("a=b\n", "x\nghadelimiter_AAAAAAAAAAAAAAAAAAAAAAAAAA\nresult=y", "<<EOF\nEOF")
	f.Add("", "\r\n", "a\rb\r")
	f.Add("", "\uFEFF\x00", "caf\xe9")
	f.Fuzz(func(t *testing.T, before, first, second string) {
		if strings.Contains(before, "<<") || !utf8.ValidString(before) {
			before = "other=x" // an unfinished value of somebody else is not ours to mend
		}
		host, output, _ := files(t, "")
		for line := range strings.SplitSeq(before, "\n") {
			if line != "" && !strings.Contains(line, "=") {
				before = "other=x" // nor is a line that is none
			}
		}
		if err := os.WriteFile(output, []byte(before), 0o644); err != nil {
			t.Fatal(err)
		}
		want := parseOutputs(t, before)
		outs := []ci.Output{{Name: "error-message", Value: first}, {Name: "plan", Value: second}}
		if err := host.WriteOutputs(outs); err != nil {
			t.Fatal(err)
		}
		for _, out := range outs {
			want = append(want, ci.Output{Name: out.Name, Value: strings.ToValidUTF8(out.Value, "\uFFFD")})
		}
		if diff := cmp.Diff(want, parseOutputs(t, read(t, output))); diff != "" {
			t.Errorf("the runner would read something else (-written +read):\n%s", diff)
		}
	})
}
