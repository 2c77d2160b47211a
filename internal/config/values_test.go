package config_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/config"
)

func TestLoad_tags(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, tags string
		want       map[string]string
	}{
		{"yaml", "team: data\n# why\nenv: 'prod' # here\n", map[string]string{"team": "data", "env": "prod"}},
		{"json", `{"team": "data", "a.b/c": ""}`, map[string]string{"team": "data", "a.b/c": ""}},
		{"flow", "{team: data, n: 1}", map[string]string{"team": "data", "n": "1"}},
		{"as_written", "a: 0123\nb: yes\nc: 1e3\nd: null\ne:\nf: \"x\"", map[string]string{
			"a": "0123", "b": "yes", "c": "1e3", "d": "null", "e": "", "f": "x",
		}},
		{"lines_that_are_no_yaml", "owner: @data\nenv:prod\r\n", map[string]string{"owner": "@data", "env": "prod"}},
		{"only_a_comment", "# none", map[string]string{}},
		{"longest", "k" + strings.Repeat("x", 62) + ": " + strings.Repeat("v", 256), map[string]string{
			"k" + strings.Repeat("x", 62): strings.Repeat("v", 256),
		}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o := mustLoad(t, "deploy", []string{"--app-id=1"}, "INPUT_TAGS="+tc.tags)
			if diff := cmp.Diff(tc.want, o.Tags); diff != "" {
				t.Errorf("tags (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoad_tag_problems(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, tags, want string }{
		{"keys_and_values", "1st: a\nurl: https://x\nref: a/b", `` +
			`tags: the key "1st" is refused; expected a letter, then up to 62 letters, digits, or any of _ . / -` + "\n" +
			`tags: the value of "url" is refused: "https://x"; expected up to 256 letters, digits, or any of _ @ -` + "\n" +
			`tags: the value of "ref" is refused: "a/b"; expected up to 256 letters, digits, or any of _ @ -`},
		{"value_too_long", "k: " + strings.Repeat("v", 257), `tags: the value of "k" is refused: "` + strings.Repeat("v", 80) +
			`…"; expected up to 256 letters, digits, or any of _ @ -`},
		{"twice", "a: 1\na: 2", `tags: the key "a" is given twice`},
		{"list", "- a", `tags: expected a YAML or JSON map such as "team: data", got "- a"`},
		{"nested", "a:\n  b: c", `tags: expected a map of plain values, got a list, a map or an alias under "a"`},
		{"alias", "a: &x b\nc: *x", `tags: expected a map of plain values, got a list, a map or an alias under "c"`},
		{"not_yaml", "{a: b", "tags: expected a YAML or JSON map: line 2: did not find expected ',' or '}'"},
		{"two_documents", "a: b\n---\nc: d", "tags: expected a YAML or JSON map: expected single document, found multiple"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := load("deploy", []string{"--app-id=1"}, "INPUT_TAGS="+tc.tags)
			if err == nil || err.Error() != tc.want {
				t.Errorf("expected\n%v\nto be\n%s", err, tc.want)
			}
		})
	}
}

func TestCommitSubject(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, message, want string }{
		{"first_line", "Fix it\n\nLong story", "Fix it"},
		{"leading_blank_lines", "\n \r\nFix it \r\nmore", "Fix it"},
		{"carriage_return", "Fix it\rmore", "Fix it"},
		{"blank", " \n\t", ""},
		{"500_characters", strings.Repeat("é", 501), strings.Repeat("é", 500)},
		{"not_utf8", "a\xffb", "a\uFFFDb"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := config.CommitSubject(tc.message); got != tc.want {
				t.Errorf("expected %q to be %q", got, tc.want)
			}
		})
	}
}

func FuzzCommitSubject(f *testing.F) {
	f.Add("Fix it\n\nmore")
	f.Add(strings.Repeat("é", 600) + "\xff")
	f.Fuzz(func(t *testing.T, message string) {
		got := config.CommitSubject(message)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > 500 || strings.ContainsAny(got, "\r\n") {
			t.Errorf("expected one line of valid UTF-8, at most 500 characters, got %q", got)
		}
	})
}
