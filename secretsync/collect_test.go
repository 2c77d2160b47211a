package secretsync

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/redact"
)

// values makes a set comparable and readable: name to value.
func values(set Set) map[string]string {
	out := map[string]string{}
	for _, secret := range set.Secrets {
		out[secret.Name] = secret.Value.Reveal()
	}
	return out
}

func block(text string) Sources { return Sources{Block: redact.New(text)} }

func file(name, text string) Sources { return Sources{FileName: name, File: []byte(text)} }

const pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg+/=\nc2VjcmV0==\n-----END PRIVATE KEY-----"

func TestCollectReadsBlock(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		text string
		want map[string]string
	}{
		{"nothing", "", map[string]string{}},
		{"blank_lines", "\n  \n\t\n", map[string]string{}},
		{"equals_sign", "KEY=value", map[string]string{"KEY": "value"}},
		{"colon", "KEY: value", map[string]string{"KEY": "value"}},
		{"blanks_around_both", "  KEY \t=  value  ", map[string]string{"KEY": "value"}},
		{"colon_first", "URL: https://h:8080/?a=1&b=2", map[string]string{"URL": "https://h:8080/?a=1&b=2"}},
		{"equals_first", "URL=https://h:8080/?a=1&b=2#c", map[string]string{"URL": "https://h:8080/?a=1&b=2#c"}},
		{"no_comment_in_a_value", "KEY=a # b", map[string]string{"KEY": "a # b"}},
		{"no_escapes", `KEY=a\nb\"`, map[string]string{"KEY": `a\nb\"`}},
		{"no_types", "A=0123\nB: yes\nC: 1e3\nD: null\nE: ~", map[string]string{"A": "0123", "B": "yes", "C": "1e3", "D": "null", "E": "~"}},
		{"double_quotes", `KEY=" a b "`, map[string]string{"KEY": " a b "}},
		{"single_quotes", `KEY: 'a b'`, map[string]string{"KEY": "a b"}},
		{"one_pair_only", `KEY=""a""`, map[string]string{"KEY": `"a"`}},
		{"quotes_that_do_not_match", `KEY="a'`, map[string]string{"KEY": `"a'`}},
		{"a_lone_quote", `KEY="`, map[string]string{"KEY": `"`}},
		{"empty_on_purpose", "A=\"\"\nB: ''", map[string]string{"A": "", "B": ""}},
		{"equals_sign_in_quotes", `A="="`, map[string]string{"A": "="}},
		{"braces_in_a_value", `KEY={"a": [1]}`, map[string]string{"KEY": `{"a": [1]}`}},
		{"angles_later", "KEY=a<<b", map[string]string{"KEY": "a<<b"}},
		{"pipe_after_equals", "KEY=|", map[string]string{"KEY": "|"}},
		{"comments", "# a: b\n  # c=d\nKEY=value", map[string]string{"KEY": "value"}},
		{"crlf", "A=1234\r\n\r\nB: 5678\r\n", map[string]string{"A": "1234", "B": "5678"}},
		{"tabs", "\tKEY\t=\tvalue\t", map[string]string{"KEY": "value"}},
		{"byte_order_mark", "\ufeffKEY=value", map[string]string{"KEY": "value"}},
		{"heredoc", "A=1\nKEY<<EOF\n" + pem + "\nEOF\nB=2", map[string]string{"A": "1", "KEY": pem, "B": "2"}},
		{"heredoc_with_blanks", "  KEY << EOF\na\nEOF", map[string]string{"KEY": "a"}},
		{"heredoc_keeps_everything", "KEY<<EOF\n# no comment\n\n EOF\nEOF \nEOFEOF\nX=y\n\nEOF", map[string]string{"KEY": "# no comment\n\n EOF\nEOF \nEOFEOF\nX=y\n"}},
		{"heredoc_keeps_cr", "KEY<<EOF\na\r\nb\r\nEOF", map[string]string{"KEY": "a\r\nb\r"}},
		{"heredoc_in_crlf_text", "KEY<<EOF\r\na\r\nb\r\nEOF\r\nB=2\r\n", map[string]string{"KEY": "a\r\nb", "B": "2"}},
		{"literal_block", "KEY: |\n  a\n    b\n\n  c\n\n\nB=2", map[string]string{"KEY": "a\n  b\n\nc\n", "B": "2"}},
		{"literal_block_stripped", "KEY: |-\n  a\n  b\n", map[string]string{"KEY": "a\nb"}},
		{"literal_block_in_an_indented_text", "  KEY: |-\n    a\n     b\n  B: 2", map[string]string{"KEY": "a\n b", "B": "2"}},
		{"literal_block_with_tabs", "KEY: |-\n\ta\n\t\tb", map[string]string{"KEY": "a\n\tb"}},
		{"literal_block_with_mixed_blanks", "KEY: |-\n\t a\n\t\tb", map[string]string{"KEY": " a\n\tb"}},
		{"literal_block_in_crlf_text", "KEY: |\r\n  a\r\n  b\r\nB: 2\r\n", map[string]string{"KEY": "a\nb\n", "B": "2"}},
		{"literal_block_with_what_looks_like_lines", "KEY: |-\n  # a\n  X=y\n  Z<<W", map[string]string{"KEY": "# a\nX=y\nZ<<W"}},
		{"literal_block_begins_blank", "KEY: |-\n\n  a", map[string]string{"KEY": "\na"}},
		{"json", ` {"A": "1", "B": "x\ny", "C": "\u00e9:=#"}` + "\n", map[string]string{"A": "1", "B": "x\ny", "C": "é:=#"}},
		{"json_empty_object", "{}", map[string]string{}},
		{"json_escapes", `{"A": "\uD83D\uDE00 \\ud800 \ufffd \""}`, map[string]string{"A": "😀 \\ud800 \uFFFD \""}},
		{"json_with_byte_order_mark", "\ufeff{\"A\": \"1\"}", map[string]string{"A": "1"}},
		{"json_of_github", "{\n  \"github_token\": \"ghs_x\",\n  \"PG_PASS\": \"p\"\n}", map[string]string{"PG_PASS": "p"}},
		{"json_keeps_other_spellings", `{"GITHUB_TOKEN": "t"}`, map[string]string{"GITHUB_TOKEN": "t"}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			set, err := Collect(block(tc.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, values(set)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestCollectReadsFiles(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, file string
		text       string
		want       map[string]string
	}{
		{"dotenv", ".env", "# c\nA=1\nexport B='x # y' # z\nC=\"a\\nb\"\n\nD=\"\"\n", map[string]string{"A": "1", "B": "x # y", "C": "a\nb", "D": ""}},
		{"dotenv_of_any_name", "secrets.txt", "\ufeffA=1\r\nB = 2 # c\r\n", map[string]string{"A": "1", "B": "2"}},
		{"dotenv_does_not_interpolate", ".env", "A=$HOME\nB=${A}", map[string]string{"A": "$HOME", "B": "${A}"}},
		{"json", "s.JSON", `{"A": "1"}`, map[string]string{"A": "1"}},
		{"yaml_scalars_as_written", "s.yaml", "A: 0123\nB: yes\nC: 1e3\nD: 2026-01-02\nE: 'q'\nF: \"x\\ty\"\n", map[string]string{"A": "0123", "B": "yes", "C": "1e3", "D": "2026-01-02", "E": "q", "F": "x\ty"}},
		{"yaml_blocks", "s.yml", "A: |\n  a\n  b\nB: >-\n  a\n  b\n", map[string]string{"A": "a\nb\n", "B": "a b"}},
		{"yaml_quoted_empty_and_null", "s.yaml", "A: \"\"\nB: 'null'\nC: !!str 12\n", map[string]string{"A": "", "B": "null", "C": "12"}},
		{"yaml_alias", "s.yaml", "A: &x same\nB: *x\n", map[string]string{"A": "same", "B": "same"}},
		{"yaml_comments_only", "s.yaml", "# nothing yet\n", map[string]string{}},
		{"yaml_excluded_keys", "s.yaml", "OLD-a: 1\nOLD_b: [x]\nA: b", map[string]string{"A": "b"}},
		{"yaml_byte_order_mark", "s.yaml", "\ufeffA: b\r\n", map[string]string{"A": "b"}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			from := file(tc.file, tc.text)
			from.Exclude = []string{"OLD?*"}
			set, err := Collect(from)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, values(set)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestCollectReadsEnvironment(t *testing.T) {
	t.Parallel()
	environ := []string{
		"=C:=C:\\", "APP_KEY=k1\n", "APP_URL=a=b=c", "OTHER=o", "OTHER=second", "GITHUB_TOKEN=ghs", "GITHUB_SHA=abc",
		"MY_GITHUB_TOKEN=own", "lower=case",
	}
	cases := []struct {
		name, list string
		want       map[string]string
	}{
		{"names_by_comma_blank_and_line", "APP_KEY, OTHER\tlower\r\nAPP_URL,\n", map[string]string{"APP_KEY": "k1\n", "OTHER": "o", "lower": "case", "APP_URL": "a=b=c"}},
		{"another_name", "KEY=APP_KEY", map[string]string{"KEY": "k1\n"}},
		{"prefix", "APP_*", map[string]string{"APP_KEY": "k1\n", "APP_URL": "a=b=c"}},
		{"prefix_cut_off", "*=APP_*", map[string]string{"KEY": "k1\n", "URL": "a=b=c"}},
		{"the_job_token_by_pattern", "GITHUB_*", map[string]string{"GITHUB_SHA": "abc"}},
		{"the_job_token_by_name", "GITHUB_TOKEN", map[string]string{"GITHUB_TOKEN": "ghs"}},
		{"a_token_of_the_users_own", "*=MY_*", map[string]string{"GITHUB_TOKEN": "own"}},
		{"only_separators", " ,\n", map[string]string{}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			set, err := Collect(Sources{FromEnv: tc.list, Environ: environ})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, values(set)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestCollectJoinsSources(t *testing.T) {
	t.Parallel()
	set, err := Collect(Sources{
		Block:       redact.New("ZULU=from the block\nLEGACY_A=not-a-token\nDEPLOY=pat-12345\nPIN=123\nNONE=\"\""),
		FromEnv:     "MIKE",
		Environ:     []string{"MIKE=from the environment"},
		FileName:    "s.json",
		File:        []byte(`{"ALFA": "from the file", "github_token": "ghs", "legacy-b": "x", "LEGACY_C": 7, "legacy_d": ""}`),
		Exclude:     []string{"LEGACY?*", "GONE"},
		Credentials: []redact.Secret{{}, redact.New("pat-12345")},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := Set{
		Secrets: []Secret{
			{"ALFA", redact.New("from the file"), "secrets-file"},
			{"MIKE", redact.New("from the environment"), "secrets-from-env"},
			{"NONE", redact.New(""), "secrets"},
			{"PIN", redact.New("123"), "secrets"},
			{"ZULU", redact.New("from the block"), "secrets"},
		},
		Excluded: []string{"LEGACY_A", "LEGACY_C", "legacy-b", "legacy_d"},
		Exclude:  []string{"LEGACY?*", "GONE"},
		Notices: []string{
			"secrets-file: github_token is left out: it is the job's own token and ends with the job",
			`secrets-exclude: "GONE" matches none of the secrets that were given`,
		},
		Warnings: []string{
			"secrets: DEPLOY is left out: it has the value of a credential of this run",
			"secrets: PIN is shorter than 4 characters, so it is not masked in the log",
			"secrets: NONE is given as an empty value; if a CI secret was to be pasted there, it is not set",
		},
	}
	same := cmp.Comparer(func(a, b redact.Secret) bool { return a.Reveal() == b.Reveal() })
	if diff := cmp.Diff(want, set, same); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestCollectWithEmptyAsWarning(t *testing.T) {
	t.Parallel()
	set, err := Collect(Sources{
		Block:          redact.New("PG_PASS=\nquiet:\nGIVEN=1234\nMULTI<<EOF\n\nEOF"),
		FromEnv:        "UNSET EMPTY API_*",
		Environ:        []string{"EMPTY="},
		FileName:       ".env",
		File:           []byte("FILE_KEY="),
		EmptyIsWarning: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"GIVEN": "1234"}, values(set)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	want := []string{
		"line 1 of secrets: PG_PASS has an empty value; it is left out",
		"line 2 of secrets: the value is empty; it is left out",
		"line 4 of secrets: MULTI has an empty value; it is left out",
		"entry 1 of secrets-from-env: UNSET is not set in the environment",
		"entry 2 of secrets-from-env: EMPTY has an empty value; it is left out",
		"entry 3 of secrets-from-env: no variable begins with this prefix",
		"line 1 of secrets-file (.env): FILE_KEY has an empty value; it is left out",
	}
	if diff := cmp.Diff(want, set.Warnings); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestCollectWithProblemsStillReturnsTheRest(t *testing.T) {
	t.Parallel()
	set, err := Collect(block("A=1234\nno separator\nB=5678"))
	if err == nil {
		t.Fatal("expected an error")
	}
	if diff := cmp.Diff(map[string]string{"A": "1234", "B": "5678"}, values(set)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestCollectWarnsOfAnEmptyFile(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"s.json", "s.yaml", ".env"} {
		set, err := Collect(file(name, "\ufeff \n"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"secrets-file: " + name + " is empty"}, set.Warnings); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
}

func TestCollectTakesLargeValues(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 1000*1000)
	set, err := Collect(block("KEY=" + large))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := values(set)["KEY"], large; got != want {
		t.Errorf("the value did not arrive as it is")
	}
}
