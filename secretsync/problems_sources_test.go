package secretsync

import (
	"errors"
	"strings"
	"testing"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/redact"
)

func TestEnvironmentProblems(t *testing.T) {
	t.Parallel()
	environ := []string{"SET=¤", "EMPTY=", "APP_=¤", "APP_1=¤", "APP_A=¤", "APP_B-C=¤", "APP_NIL=", "BAD=¤\xff"}
	env := func(list string) Sources { return Sources{FromEnv: list, Environ: environ} }
	cases := []problemCase{
		{"not_set", env("SET, UNSET_ONE\nUNSET"), nil, []string{
			"secrets-from-env: entry 2, after SET: UNSET_ONE is not set in the environment",
			"secrets-from-env: entry 3, after SET: UNSET is not set in the environment",
		}},
		{"set_but_empty", env("EMPTY"), nil, []string{
			"secrets-from-env: entry 1: EMPTY has an empty value",
		}},
		{"a_pasted_value", env("SET qzX9jK7"), []string{"qzX9jK7"}, []string{
			"secrets-from-env: entry 2, after SET: there is no variable of this name",
		}},
		{"a_pasted_key_id", env("SET AKIAQZX9JK7"), []string{"AKIAQZX9JK7"}, []string{
			"secrets-from-env: entry 2, after SET: there is no variable of this name",
		}},
		{"a_value_instead_of_a_variable", env("PG_PASS=¤ k8s=¤"), noSeparator, []string{
			"secrets-from-env: entry 1: the variable that PG_PASS is to be taken from is not set",
			"secrets-from-env: entry 2: the variable after = is not set",
		}},
		{"bare_star", env("* *=*"), nil, []string{
			"secrets-from-env: entry 1: a bare * would send every variable of the job",
			"secrets-from-env: entry 2: a bare * would send every variable of the job",
		}},
		{"stars_elsewhere", env("*_KEY A*B NEW_*=APP_* KEY=APP_* KEY=* *=APP_ *="), nil, []string{
			"secrets-from-env: entry 1: a * stands only at the end of a prefix, or as *= before one",
			"secrets-from-env: entry 2: a * stands only at the end of a prefix, or as *= before one",
			"secrets-from-env: entry 3: a * stands only at the end of a prefix, or as *= before one",
			"secrets-from-env: entry 4: a * stands only at the end of a prefix, or as *= before one",
			"secrets-from-env: entry 5: a * stands only at the end of a prefix, or as *= before one",
			"secrets-from-env: entry 6: after *= stands a prefix and a *",
			"secrets-from-env: entry 7: the entry is not complete",
		}},
		{"blanks_around_equals", env("SET = ¤"), []string{"qzX9jK7"}, []string{
			"secrets-from-env: entry 2, after SET: the entry is not complete",
			"secrets-from-env: entry 3, after SET: there is no variable of this name",
		}},
		{"bad_names", env("$SET pg-pass ${SET} X-Y=SET"), nil, []string{
			"secrets-from-env: entry 1: the name is not valid",
			"secrets-from-env: entry 2: the name is not valid: it has a dash",
			"secrets-from-env: entry 3: the name is not valid",
			"secrets-from-env: entry 4: the name is not valid: it has a dash",
		}},
		{"pattern_without_match", env("ZULU_* *=ZULU_*"), nil, []string{
			"secrets-from-env: entry 1: no variable begins with this prefix",
			"secrets-from-env: entry 2: no variable begins with this prefix",
		}},
		{"pattern_with_bad_names", env("APP_*"), nil, []string{
			"secrets-from-env: entry 1: APP_B-C would become a secret with a name that is not valid",
			"secrets-from-env: entry 1: APP_NIL has an empty value",
		}},
		{"pattern_cut_to_bad_names", env("*=APP_*"), nil, []string{
			"secrets-from-env: entry 1: APP_ would become a secret with a name that is not valid",
			"secrets-from-env: entry 1: APP_1 would become a secret with a name that is not valid",
			"secrets-from-env: entry 1: APP_B-C would become a secret with a name that is not valid",
			"secrets-from-env: entry 1: NIL has an empty value",
		}},
		{"twice", env("SET,SET"), nil, []string{
			"secrets-from-env: entry 2, after SET: SET is given twice: entry 1 of secrets-from-env and entry 2 of secrets-from-env",
		}},
		{"not_utf8", env("BAD"), nil, []string{
			"secrets-from-env: entry 1: BAD is not valid UTF-8, and JSON cannot carry it byte for byte; encode it, for example as base64",
		}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.run(t)
		})
	}
}

func TestFileProblems(t *testing.T) {
	t.Parallel()
	word := []string{"qzX9jK7", "Zq0vW4kkkkkkkkkkkkkkkkkkk"}
	cases := []problemCase{
		{"dotenv", file(".env", "A=¤\n¤\nB=\"¤\nc-d=¤\nE=\nf=\nG=¤#¤\nH=\"\\¤\"\nA=¤\nI=a\tb\n=¤\nJ.K=¤"), word, []string{
			"secrets-file: .env:2: after A: the line has no = after a name",
			"secrets-file: .env:3: after A: a quote is not closed on the line",
			"secrets-file: .env:4: after A: the name is not valid: it has a dash",
			"secrets-file: .env:5: after A: E has an empty value",
			"secrets-file: .env:6: after A: the value is empty",
			"secrets-file: .env:7: after A: a # inside a value begins a comment for some readers of dotenv files and not for others",
			"secrets-file: .env:8: after A: the value cannot be read",
			"secrets-file: .env:9: after A: A is given twice: line 1 of secrets-file (.env) and line 9 of secrets-file (.env)",
			"secrets-file: .env:10: after A: the value cannot be read",
			"secrets-file: .env:11: after A: the name is not valid",
			"secrets-file: .env:12: after A: the name is not valid",
		}},
		{"dotenv_long_line", file(".env", "A="+strings.Repeat("¤", 70_000)), word[:1], []string{
			"secrets-file: .env:1: the line is longer than 64 KiB",
		}},
		{"yaml_syntax", file("s.yaml", "A: ¤\nB: \"¤\n"), word, []string{
			"secrets-file: s.yaml:3: the text is not valid YAML",
		}},
		{"yaml_unknown_anchor", file("s.yaml", "A: *¤\n"), word, []string{
			"secrets-file: s.yaml:1: the text is not valid YAML",
		}},
		{"yaml_values", file("s.yaml", "A:\n  B: ¤\nC: [¤]\nD:\nE: null\nF: ~\nG: !vault ¤\nh-i: ¤\n? [¤]\n: ¤\nJ: ¤\nj: ¤\n¤ ¤: ¤"), word, []string{
			"secrets-file: s.yaml:1: A has a mapping or a list, not a value",
			"secrets-file: s.yaml:3: C has a mapping or a list, not a value",
			"secrets-file: s.yaml:4: D has an empty value",
			"secrets-file: s.yaml:5: E is null",
			"secrets-file: s.yaml:6: F is null",
			"secrets-file: s.yaml:7: G has a value with a tag, which is not understood",
			"secrets-file: s.yaml:8: h-i is not a valid name",
			"secrets-file: s.yaml:9: a name is not valid",
			"secrets-file: s.yaml:12: J and j differ only in case, and the runtime looks names up in upper case: line 11 of secrets-file (s.yaml) and line 12 of secrets-file (s.yaml)",
			"secrets-file: s.yaml:13: a name is not valid",
		}},
		{"yaml_twice", file("s.yaml", "A: ¤\nA: ¤"), word, []string{
			"secrets-file: s.yaml:2: A is given twice: line 1 of secrets-file (s.yaml) and line 2 of secrets-file (s.yaml)",
		}},
		{"yaml_list", file("s.yaml", "- ¤\n"), word, []string{
			"secrets-file: s.yaml:1: the file is not a YAML mapping",
		}},
		{"yaml_scalar", file("s.yaml", "¤"), word, []string{
			"secrets-file: s.yaml:1: the file is not a YAML mapping",
		}},
		{"yaml_documents", file("s.yaml", "A: ¤\n---\nB: ¤\n"), word, []string{
			"secrets-file: s.yaml:2: a second YAML document begins here",
		}},
		{"yaml_broken_second_document", file("s.yaml", "A: ¤\n---\nB: [¤\n"), word, []string{
			"secrets-file: s.yaml:4: the text is not valid YAML",
		}},
		{"yaml_not_utf8", file("s.yaml", "A: 1\nB: ¤\xff\n"), word, []string{
			"secrets-file: s.yaml:2: the text is not valid UTF-8",
		}},
		{"yaml_control_character", file("s.yaml", "A: ¤\x01"), word, []string{
			"secrets-file: s.yaml: the text is not valid YAML",
		}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.run(t)
		})
	}
}

func TestProblemsOfAllSourcesTogether(t *testing.T) {
	t.Parallel()
	problemCase{
		from: Sources{
			Block: redact.New("A=¤\nB-C=¤"), FromEnv: "A,UNSET_B", Environ: []string{"A=¤"},
			FileName: "s.env", File: []byte("\na=\"¤\"\nD"), Exclude: []string{"[", "OK*"},
		},
		values: noSeparator,
		want: []string{
			`secrets-exclude: entry 1: "[" is not a glob: a [ has no ], or a \ ends it`,
			"secrets: line 2, after A: the name is not valid: it has a dash",
			"secrets-from-env: entry 1: A is given twice: line 1 of secrets and entry 1 of secrets-from-env",
			"secrets-from-env: entry 2: UNSET_B is not set in the environment",
			"secrets-file: s.env:2: A and a differ only in case, and the runtime looks names up in upper case: line 1 of secrets and line 2 of secrets-file (s.env)",
			"secrets-file: s.env:3: the line has no = after a name",
		},
	}.run(t)
}

func TestHints(t *testing.T) {
	t.Parallel()
	const name = "a name begins with a letter or _ and has only letters, digits and _"
	cases := []struct {
		name string
		from Sources
		want string
	}{
		{"first_line", block("x"), "write KEY=VALUE, one on each line; " + pasteHint},
		{"pasted", block("A=1\nx"), pasteHint},
		{"dash_on_a_line", block("a-b=1"), name + ": write _ instead of -"},
		{"dash_in_a_key", block(`{"a-b.c":"1"}`), name + ": write a_b_c"},
		{"digit_in_a_key", block(`{"1a":"1"}`), name + ": write _1a"},
		{"unset_in_the_block", block("A="), `is the CI secret behind it set, and visible to this job? To set an empty value on purpose, write KEY=""`},
		{"unset_in_the_environment", Sources{FromEnv: "A", Environ: []string{"A="}}, "is the CI secret behind it set, and passed to this step under env?"},
		{"bad_name_from_a_pattern", Sources{FromEnv: "*=A_*", Environ: []string{"A_1=x"}}, name + ": write NAME=A_1, or leave it out with secrets-exclude"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := Collect(tc.from)
			problem, ok := errors.AsType[diag.Problem](err)
			if !ok {
				t.Fatalf("expected a problem, got %v", err)
			}
			if got, want := problem.Hint, tc.want; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
		})
	}
}
