package secretsync

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/redact"
)

// In the inputs of these tests ¤ stands for the text of a value. Every row is run with values that differ in
// text and in length and must give the same messages to the letter.
var pastedValues = []string{"qzX9/+jK7", "Zq0+/vW4kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk", "w=J:8<<Q{\"}'#"}

// with puts a value into every text of the sources.
func (s Sources) with(value string) Sources {
	put := strings.NewReplacer("¤", value)
	s.Block = redact.New(put.Replace(s.Block.Reveal()))
	s.FromEnv = put.Replace(s.FromEnv)
	s.File = []byte(put.Replace(string(s.File)))
	environ := make([]string, len(s.Environ))
	for i, variable := range s.Environ {
		environ[i] = put.Replace(variable)
	}
	s.Environ = environ
	return s
}

// messages is everything that people see of a collection.
func messages(set Set, err error) (problems, others []string) {
	all, _ := errors.AsType[diag.Problems](err)
	for _, p := range all {
		problems = append(problems, p.Error())
		others = append(others, p.Hint, p.Text)
	}
	return problems, append(append(others, set.Notices...), set.Warnings...)
}

// leaks returns a piece of three bytes of the value that stands in the text, "" where there is none.
func leaks(text, value string) string {
	for i := range max(len(value)-2, 0) {
		if strings.Contains(text, value[i:i+3]) {
			return value[i : i+3]
		}
	}
	return ""
}

type problemCase struct {
	name   string
	from   Sources
	values []string // nil: all of pastedValues; some inputs are wrong only around certain values
	want   []string
}

func (tc problemCase) run(t *testing.T) {
	t.Helper()
	values := tc.values
	if values == nil {
		values = pastedValues
	}
	for _, value := range values {
		set, err := Collect(tc.from.with(value))
		problems, others := messages(set, err)
		if diff := cmp.Diff(tc.want, problems); diff != "" {
			t.Errorf("with the value %q: -want +got\n%s", value, diff)
		}
		if piece := leaks(strings.Join(append(problems, others...), "\n"), value); piece != "" {
			t.Errorf("the value %q shows as %q in\n%q\n%q", value, piece, problems, others)
		}
	}
}

// noSeparator are values that hold neither =, : nor <<, as base64 and words do.
var noSeparator = pastedValues[:2]

func TestBlockProblems(t *testing.T) {
	t.Parallel()
	cases := []problemCase{
		{"a_lone_value", block("¤"), noSeparator, []string{
			"secrets: line 1: the line has no =, : or << after a name",
		}},
		{"a_second_line", block("A=1\n\nPEM=¤\n¤\nB=2"), noSeparator, []string{
			"secrets: line 4, after PEM: the line has no =, : or << after a name; it looks like the second line of a pasted value",
		}},
		{"a_pasted_pem", block("A=1\nPEM=-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,¤\n\n¤\n¤/¤\n¤/c2==\n-----END RSA PRIVATE KEY-----\nB=2\n¤"), noSeparator, []string{
			"secrets: line 3, after PEM: the name is not valid: it has a dash",
			"secrets: line 5, after PEM: the line has no =, : or << after a name; it looks like a line of a pasted value, and so do 3 after it",
			"secrets: line 10, after B: the line has no =, : or << after a name; it looks like the second line of a pasted value",
		}},
		{"the_tail_of_base64", block("KEY=¤\nc2VjcmV0Zq0==\nB=2"), nil, []string{
			"secrets: line 2, after KEY: only = stands after the name; it looks like the second line of a pasted value",
		}},
		{"the_tail_of_base64_with_one_pad", block("KEY=¤\nc2VjcmV0Zq0vvW4=\nB=2"), nil, []string{
			"secrets: line 2, after KEY: the value is empty",
		}},
		{"the_tail_of_base64_after_its_lines", block("KEY=¤\n¤\nc2VjcmV0Zq0vvW4=\nB=2"), noSeparator, []string{
			"secrets: line 2, after KEY: the line has no =, : or << after a name; it looks like a line of a pasted value, and so do 1 after it",
		}},
		{"the_tail_of_base32", block("KEY=¤\nJBSWY3DPZQ0======"), nil, []string{
			"secrets: line 2, after KEY: only = stands after the name; it looks like the second line of a pasted value",
		}},
		{"only_equals", block("KEY==\nB: ="), nil, []string{
			"secrets: line 1: only = stands after the name; it looks like a line of a pasted value, and so do 1 after it",
		}},
		{"an_unset_ci_secret", block("A=¤\nPG_PASS=\nTOKEN: \nlower=\nB=1"), nil, []string{
			"secrets: line 2, after A: PG_PASS has an empty value",
			"secrets: line 3, after A: TOKEN has an empty value",
			"secrets: line 4, after A: the value is empty",
		}},
		{"an_unset_ci_secret_in_a_heredoc", block("A<<W\n\nW\nB<<W\nW\nC: |\n\n   \nD: |-\nE=¤"), nil, []string{
			"secrets: line 1: A has an empty value",
			"secrets: line 4: B has an empty value",
			"secrets: line 6: C has an empty value",
			"secrets: line 9: D has an empty value",
		}},
		{"a_dash_in_the_name", block("A=1\npg-pass: ¤\npg-user: ¤"), nil, []string{
			"secrets: line 2, after A: the name is not valid: it has a dash",
			"secrets: line 3, after A: the name is not valid: it has a dash",
		}},
		{"other_bad_names", block("1A=¤\n.b=¤\nexport C=¤\n=¤"), nil, []string{
			"secrets: line 1: the name is not valid",
			"secrets: line 2: the name is not valid; it looks like a line of a pasted value, and so do 2 after it",
		}},
		{"export", block("export C=¤"), nil, []string{
			"secrets: line 1: the line begins with export",
		}},
		{"a_value_with_blanks_before_the_separator", block("A=1\nsome ¤ words: ¤"), nil, []string{
			"secrets: line 2, after A: the name is not valid; it looks like the second line of a pasted value",
		}},
		{"an_open_heredoc", block("A=1\nKEY<<EOF\n¤\n EOF\nB=2"), nil, []string{
			"secrets: line 2, after A: the block that begins at line 2 for KEY has no closing line",
		}},
		{"a_heredoc_without_a_word", block("KEY<<\nB=2"), nil, []string{
			"secrets: line 1: after << stands the word that ends the value, without blanks or quotes",
		}},
		{"a_heredoc_with_a_quoted_word", block("KEY<<'EOF'\n¤\nEOF"), noSeparator, []string{
			"secrets: line 1: after << stands the word that ends the value, without blanks or quotes",
			"secrets: line 2: the line has no =, : or << after a name; it looks like a line of a pasted value, and so do 1 after it",
		}},
		{"other_block_forms", block("A: >\n  ¤\nB: |+\n  ¤\nC: >-\n  ¤\nD: |2\n  ¤\nE: 1"), nil, []string{
			"secrets: line 1: of YAML's block forms only | and |- are taken",
			"secrets: line 3: of YAML's block forms only | and |- are taken",
			"secrets: line 5: of YAML's block forms only | and |- are taken",
			"secrets: line 7: of YAML's block forms only | and |- are taken",
		}},
		{"a_value_that_leaves_its_block", block("KEY: |\n  ¤\n¤\nB=2"), noSeparator, []string{
			"secrets: line 3, after KEY: the line has no =, : or << after a name; it looks like the second line of a pasted value",
		}},
		{"twice", block("A=¤\nB=1\nA: ¤"), nil, []string{
			"secrets: line 3, after B: A is given twice: line 1 of secrets and line 3 of secrets",
		}},
		{"twice_but_for_case", block("pg_pass=¤\nPG_PASS=¤"), nil, []string{
			"secrets: line 2, after pg_pass: pg_pass and PG_PASS differ only in case, and the runtime looks names up in upper case: line 1 of secrets and line 2 of secrets",
		}},
		{"a_nul_byte", block("A=¤\x00¤"), nil, []string{
			"secrets: line 1: A holds a NUL byte, which an environment variable of the runtime cannot carry",
		}},
		{"not_utf8", block("A=¤\xff¤"), nil, []string{
			"secrets: line 1: A is not valid UTF-8, and JSON cannot carry it byte for byte; encode it, for example as base64",
		}},
		{"too_large", block("A=¤" + strings.Repeat("\x01", 200_000)), nil, []string{
			"secrets: line 1: A is too large: Spice Cloud takes requests of at most 1 MiB",
		}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.run(t)
		})
	}
}

func TestJSONProblems(t *testing.T) {
	t.Parallel()
	// plain are values that need no escaping.
	plain := noSeparator
	cases := []problemCase{
		{"values_that_are_not_strings", block("{\n\"A\": 1,\n\"B\": null, \"C\": true,\n\"D\": [\"¤\"],\n\"E\": {\"F\": \"¤\"},\n\"G\": \"¤\"}"), plain, []string{
			"secrets: line 2: A is a number, not a string",
			"secrets: line 3: B is null, not a string",
			"secrets: line 3: C is a boolean, not a string",
			"secrets: line 4: D is a list, not a string",
			"secrets: line 5: E is an object, not a string",
		}},
		{"the_same_key_twice", block("{\"A\": \"¤\",\n\"B\": \"1\",\n\"A\": \"¤\"}"), plain, []string{
			"secrets: line 3: A is given twice: line 1 of secrets and line 3 of secrets",
		}},
		{"an_empty_value", block(`{"A": "", "B": "¤"}`), plain, []string{
			"secrets: line 1: A has an empty value",
		}},
		{"names", block(`{"pg-pass": "¤", "1a": "¤", "a b": "¤", "": "¤"}`), plain, []string{
			"secrets: line 1: pg-pass is not a valid name",
			"secrets: line 1: 1a is not a valid name",
			"secrets: line 1: a name is not valid",
			"secrets: line 1: a name is not valid",
		}},
		{"half_a_character", block(`{"A": "¤\ud800", "B": "\udc00¤", "C": "\uD83Dx\uDE00", "D": "\ud800\ud800", "E": "\ud800\n¤", "F": "\ud800\u0041"}`), plain, []string{
			`secrets: line 1: A holds half of a character, an unpaired \ud800 to \udfff, which cannot arrive as it is`,
			`secrets: line 1: B holds half of a character, an unpaired \ud800 to \udfff, which cannot arrive as it is`,
			`secrets: line 1: C holds half of a character, an unpaired \ud800 to \udfff, which cannot arrive as it is`,
			`secrets: line 1: D holds half of a character, an unpaired \ud800 to \udfff, which cannot arrive as it is`,
			`secrets: line 1: E holds half of a character, an unpaired \ud800 to \udfff, which cannot arrive as it is`,
			`secrets: line 1: F holds half of a character, an unpaired \ud800 to \udfff, which cannot arrive as it is`,
		}},
		{"a_nul_byte", block(`{"A": "¤\u0000"}`), plain, []string{
			"secrets: line 1: A holds a NUL byte, which an environment variable of the runtime cannot carry",
		}},
		{"a_quote_in_a_pasted_value", block("{\n\"A\": \"¤\",\n\"B\": \"{\"¤\"}\"\n}"), plain, []string{
			"secrets: line 3, after B: the text is not valid JSON from here on",
		}},
		{"a_line_break_in_a_pasted_value", block("{\n\"A\": \"¤\",\n\"B\": \"¤\n¤\"\n}"), plain, []string{
			"secrets: line 3, after A: the text is not valid JSON from here on",
		}},
		{"no_end", block("{\"A\": \"¤\""), plain, []string{
			"secrets: line 1, after A: the text is not valid JSON from here on",
		}},
		{"only_a_brace", block("{"), nil, []string{
			"secrets: line 1: the text is not valid JSON from here on",
		}},
		{"a_brace_and_a_value", block("{¤"), nil, []string{
			"secrets: line 1: the text is not valid JSON from here on",
		}},
		{"a_comma_at_the_end", block("{\"A\": \"¤\",\n}"), plain, []string{
			"secrets: line 2, after A: the text is not valid JSON from here on",
		}},
		{"something_after_it", block("{\"A\": \"¤\"}\nB=¤"), plain, []string{
			"secrets: line 2: something follows the JSON object",
		}},
		{"not_utf8", block("{\n\"A\": \"¤\xff\"}"), plain, []string{
			"secrets: line 2: the text is not valid UTF-8",
		}},
		{"a_file_with_a_list", file("s.json", `["¤"]`), plain, []string{
			"secrets-file: s.json: the text is not a JSON object",
		}},
		{"a_file_with_a_problem", file("s.json", "{\n\"A\": 1, \"B\": \"¤\"}"), plain, []string{
			"secrets-file: s.json:2: A is a number, not a string",
		}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.run(t)
		})
	}
}
