package ci_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-envparse"

	"github.com/spicedeploy/spice-deploy/internal/ci"
)

func TestEncodeOutputs(t *testing.T) {
	t.Parallel()
	outs := []ci.Output{
		{Name: "result", Value: "succeeded"},
		{Name: "app-url", Value: "https://spice.ai/acme/shop"},
		{Name: "error-message", Value: ""},
		{Name: "reason", Value: "deployed <main> & verified"},
		{Name: "datasets", Value: `[{"name":"trades","status":"ready"}]`},
	}
	const asJSON = `{
  "result": "succeeded",
  "app-url": "https://spice.ai/acme/shop",
  "error-message": "",
  "reason": "deployed <main> & verified",
  "datasets": "[{\"name\":\"trades\",\"status\":\"ready\"}]"
}
`
	const asDotenv = `RESULT=succeeded
APP_URL=https://spice.ai/acme/shop
ERROR_MESSAGE=
REASON='deployed <main> & verified'
DATASETS='[{"name":"trades","status":"ready"}]'
`
	cases := []struct {
		name, file string
		outs       []ci.Output
		want       string
	}{
		{"json", "out/results.json", outs, asJSON},
		{"json_in_another_case", "RESULTS.JSON", outs, asJSON},
		{"json_of_nothing", "a.json", nil, "{\n}\n"},
		{"dotenv", "deploy.env", outs, asDotenv},
		{"dotenv_without_an_ending", "results", outs, asDotenv},
		{"dotenv_of_nothing", "a.env", nil, ""},
		{"json_of_several_lines", "a.json", []ci.Output{{Name: "a", Value: "x\ny\t\x00"}}, "{\n  \"a\": \"x\\ny\\t\\u0000\"\n}\n"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := ci.EncodeOutputs(tc.file, tc.outs)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, string(got)); diff != "" {
				t.Errorf("unexpected content (-want +got):\n%s", diff)
			}
		})
	}
}

// The readers are sh, which is what "source" comes to in a job, and a dotenv parser.
func TestEncodeOutputs_dotenv_values(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, value string
		want        string // the line after VALUE=
		read        string // what the readers get, "" for the value itself
	}{
		{"digits", "42", `42`, ""},
		{"url", "https://spice.ai/a/b", `https://spice.ai/a/b`, ""},
		{"blank_in_it", "a b", `'a b'`, ""},
		{"blanks_around_it", " a ", `' a '`, ""},
		{"hash", "a #b", `'a #b'`, ""},
		{"dollar_and_backquote", "$HOME `id` $(id)", "'$HOME `id` $(id)'", ""},
		{"backslash", `a\nb\`, `'a\nb\'`, ""},
		{"double_quotes", `say "yes"`, `'say "yes"'`, ""},
		{"single_quote", "it's", `"it's"`, ""},
		{"all_quotes", `it's "$5"`, `'it'"'"'s "$5"'`, ""},
		{"home", "~/x", `'~/x'`, ""},
		{"other_scripts", "schön ✓", `'schön ✓'`, ""},
		{"one_letter_of_another_script", "é", `'é'`, ""},
		{"line_breaks", "a\nb\r\nc\rd", `'a\nb\nc\nd'`, `a\nb\nc\nd`},
		{"tab_and_control_characters", "a\tb\x00c\x7f", `'a b c '`, "a b c "},
		{"not_UTF-8", "caf\xe9", "'caf\uFFFD'", "caf\uFFFD"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			data, err := ci.EncodeOutputs("out.env", []ci.Output{{Name: "value", Value: tc.value}})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := string(data), "VALUE="+tc.want+"\n"; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
			want := tc.read
			if want == "" {
				want = tc.value
			}
			parsed, err := envparse.Parse(bytes.NewReader(data))
			if err != nil || parsed["VALUE"] != want {
				t.Errorf("expected the parser to read %q, got %q, %v", want, parsed["VALUE"], err)
			}
			file := filepath.Join(t.TempDir(), "out.env")
			if err := os.WriteFile(file, data, 0o644); err != nil {
				t.Fatal(err)
			}
			sourced, err := exec.CommandContext(t.Context(), "sh", "-c", `. "$1" && printf %s "$VALUE"`, "sh", file).Output()
			if err != nil || string(sourced) != want {
				t.Errorf("expected the shell to read %q, got %q, %v", want, sourced, err)
			}
		})
	}
}

func TestEncodeOutputs_refuses(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, file string
		outs       []ci.Output
		want       string
	}{
		{"bad_name", "a.env", []ci.Output{{Name: "a b"}}, `write output "a b": not a name`},
		{"no_name", "a.json", []ci.Output{{}}, `write output "": not a name`},
		{"twice", "a.json", []ci.Output{{Name: "a"}, {Name: "a"}}, `write output "a": there are two of this name`},
		{"twice_in_dotenv", "a.env", []ci.Output{{Name: "a-b"}, {Name: "A_b"}}, `write output "A_b": there are two of this name`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := ci.EncodeOutputs(tc.file, tc.outs)
			if err == nil {
				t.Fatal("expected an error")
			}
			if got, want := err.Error(), tc.want; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
		})
	}
}

func FuzzEncodeOutputs(f *testing.F) {
	for _, seed := range []string{"", "42", "it's \"$5\" `x` \\", "'", "''\"", "a\nb\r\n", "#x", " ", "\x00\t", "caf\xe9", "é", "{\"a\":'b'}", "!"} {
		f.Add(seed, "second")
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		outs := []ci.Output{{Name: "error-message", Value: first}, {Name: "plan", Value: second}}

		data, err := ci.EncodeOutputs("out.json", outs)
		if err != nil {
			t.Fatal(err)
		}
		var object map[string]string
		if err := json.Unmarshal(data, &object); err != nil {
			t.Fatalf("%v in %q", err, data)
		}
		// encoding/json replaces each bad byte by itself.
		want := map[string]string{"error-message": string([]rune(first)), "plan": string([]rune(second))}
		if diff := cmp.Diff(want, object); diff != "" {
			t.Errorf("JSON reads back as something else (-want +got):\n%s", diff)
		}

		if data, err = ci.EncodeOutputs("out.env", outs); err != nil {
			t.Fatal(err)
		}
		if len(data) > 60_000 {
			return // the parser reads lines of at most 64 KiB
		}
		parsed, err := envparse.Parse(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("%v in %q", err, data)
		}
		want = map[string]string{"ERROR_MESSAGE": oneLine(first), "PLAN": oneLine(second)}
		if diff := cmp.Diff(want, parsed); diff != "" {
			t.Errorf("dotenv %q reads back as something else (-want +got):\n%s", data, diff)
		}
	})
}

// oneLine is the value as dotenv can hold it.
func oneLine(value string) string {
	value = strings.ToValidUTF8(value, "\uFFFD")
	for _, end := range []string{"\r\n", "\n", "\r"} {
		value = strings.ReplaceAll(value, end, `\n`)
	}
	for c := range rune(' ') {
		value = strings.ReplaceAll(value, string(c), " ")
	}
	return strings.ReplaceAll(value, "\x7f", " ")
}
