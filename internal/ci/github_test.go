package ci_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spicedeploy/spice-deploy/internal/ci"
)

func TestHost_GitHub_Mask(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, value, want string }{
		{"one_line", "s3cr3t-value", "::add-mask::s3cr3t-value\n" + "::add-mask::czNjcjN0LXZhbHVl\n"},
		{"empty", "", ""},
		{"blank", "  \n ", ""},
		{"short", "abc", ""},
		{"four_characters", "abcd", "::add-mask::abcd\n::add-mask::YWJjZA==\n"},
		{"four_characters_that_are_more_bytes", "äöü€", "::add-mask::äöü€\n::add-mask::w6TDtsO84oKs\n"},
		{"outer_blanks", " token \n", "::add-mask::token\n::add-mask::IHRva2VuIAo=\n"},
		{"percent_and_command", "100%::stop", "::add-mask::100%25::stop\n::add-mask::MTAwJTo6c3RvcA==\n"},
		{"quotes", `pa"ss`, "::add-mask::pa\"ss\n" + "::add-mask::cGEic3M=\n" + "::add-mask::pa\\\"ss\n"},
		{
			"key_file_whose_braces_are_not_masked",
			"{\n  \"key\": \"abc\"\n}\n",
			"::add-mask::\"key\": \"abc\"\n" +
				"::add-mask::ewogICJrZXkiOiAiYWJjIgp9Cg==\n" +
				`::add-mask::{\n  \"key\": \"abc\"\n}` + "\n",
		},
		{
			"lines_end_in_CRLF_and_one_is_there_twice",
			"line one\r\nab\r\nline one\rline two",
			"::add-mask::line one\n::add-mask::line two\n" +
				"::add-mask::bGluZSBvbmUNCmFiDQpsaW5lIG9uZQ1saW5lIHR3bw==\n" +
				`::add-mask::line one\r\nab\r\nline one\rline two` + "\n",
		},
		{"short_lines_only", "ab\ncd", "::add-mask::YWIKY2Q=\n" + `::add-mask::ab\ncd` + "\n"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			ci.Detect(lookup(runner(t, `{}`, nil)), &out, nil).Mask(tc.value)
			if got, want := out.String(), tc.want; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
		})
	}
}

func TestHost_GitHub_Group(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	end := ci.Detect(lookup(runner(t, `{}`, nil)), &out, nil).Group("Secrets\n::error::\x1b[31mno")
	end()
	end()
	if got, want := out.String(), "::group::Secrets : :error::no\n::endgroup::\n"; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
}

func TestHost_GitHub_Annotate(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		in   ci.Annotation
		want string
	}{
		{"error", ci.Annotation{Level: ci.Error, Message: "no such app"}, "::error::no such app\n"},
		{"warning", ci.Annotation{Level: ci.Warning, Message: "replicas"}, "::warning::replicas\n"},
		{"notice", ci.Annotation{Level: ci.Notice, Message: "skipped"}, "::notice::skipped\n"},
		{
			"at_a_place",
			ci.Annotation{Level: ci.Error, Title: "spicepod", Message: "unknown kind", File: "apps/demo/spicepod.yaml", Line: 3, Column: 7},
			"::error col=7,file=apps/demo/spicepod.yaml,line=3,title=spicepod::unknown kind\n",
		},
		{"in_a_file", ci.Annotation{Level: ci.Error, Message: "empty", File: "spicepod.yaml", Column: 7}, "::error file=spicepod.yaml::empty\n"},
		{"line_without_a_file", ci.Annotation{Level: ci.Error, Message: "empty", Line: 7}, "::error::empty\n"},
		{"several_lines", ci.Annotation{Level: ci.Error, Message: "one\r\ntwo\n\nthree"}, "::error::one%0Atwo%0A%0Athree\n"},
		{"percent", ci.Annotation{Level: ci.Error, Message: "100% done %s %0A"}, "::error::100%25 done %25s %250A\n"},
		{
			"a_title_that_would_add_a_property",
			ci.Annotation{Level: ci.Error, Title: "x,file=/etc/passwd::y\n::add-mask::", Message: "m"},
			"::error title=x%2Cfile=/etc/passwd%3A%3Ay %3A %3Aadd-mask%3A%3A::m\n",
		},
		{
			"a_file_that_would_end_the_command",
			ci.Annotation{Level: ci.Error, File: "a::b,c\n::error::", Message: "m"},
			"::error file=a%3A%3Ab%2Cc%0A%3A%3Aerror%3A%3A::m\n",
		},
		{
			"remote_text",
			ci.Annotation{Level: ci.Error, Message: "\x1b[31mfailed\x1b[0m\n::add-mask::a\n##[error]b\u202e"},
			"::error::failed%0A: :add-mask::a%0A## [error]b\n",
		},
		{"level_unknown", ci.Annotation{Level: "fatal", Message: "m"}, "::error::m\n"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			ci.Detect(lookup(runner(t, `{}`, nil)), &out, nil).Annotate(tc.in)
			if got, want := out.String(), tc.want; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
		})
	}
}

func TestHost_GitHub_Annotate_long(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, message string
		length        int // of the message in bytes
		cut           bool
	}{
		{"fits", strings.Repeat("x", 4096), 4096, false},
		{"one_too_many", strings.Repeat("x", 4097), 4096, true},
		{"between_runes", strings.Repeat("€", 2000), 4095 /* 1364 of three bytes, and the mark */, true},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			ci.Detect(lookup(runner(t, `{}`, nil)), &out, nil).Annotate(ci.Annotation{Level: ci.Error, Message: tc.message})
			message := strings.TrimSuffix(strings.TrimPrefix(out.String(), "::error::"), "\n")
			if got, want := len(message), tc.length; got != want {
				t.Errorf("expected %d bytes to be %d", got, want)
			}
			if got, want := strings.HasSuffix(message, "…"), tc.cut; got != want {
				t.Errorf("expected the mark of a cut to be %t", want)
			}
			if !utf8.ValidString(message) {
				t.Error("expected whole runes")
			}
		})
	}
}

// closed is a stream that nobody reads any more.
type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestHost_GitHub_closed_stdout(t *testing.T) {
	t.Parallel()
	host := ci.Detect(lookup(runner(t, `{}`, nil)), closed{}, nil)
	host.Mask("s3cr3t-value") // that nothing panics is the test
	host.Annotate(ci.Annotation{Level: ci.Error, Message: "m"})
	host.Group("title")()
}

func TestHost_none(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]map[string]string{
		"laptop":          {},
		"switched_off":    {"GITHUB_ACTIONS": "false", "GITHUB_OUTPUT": "/dev/full"},
		"something_to_do": {"GITHUB_OUTPUT": "/dev/full", "GITHUB_STEP_SUMMARY": "/dev/full"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			host := ci.Detect(lookup(env), &out, nil)
			host.Mask("s3cr3t-value")
			host.Group("title")()
			host.Annotate(ci.Annotation{Level: ci.Error, Message: "m"})
			if err := errors.Join(host.WriteOutputs([]ci.Output{{Name: "a", Value: "b"}}), host.WriteSummary("# A")); err != nil {
				t.Error(err)
			}
			if got, want := out.String(), ""; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
			if got, want := host.Facts().System, ""; got != want {
				t.Errorf("expected system %q to be %q", got, want)
			}
		})
	}
}
