package ci_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/spicedeploy/spice-deploy/internal/ci"
)

func TestDefuse(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, in, want string }{
		{"empty", "", ""},
		{"plain", "12:00:01 deployment 7 is queued", "12:00:01 deployment 7 is queued"},
		{"other_scripts_stay", "schön 日本語 ✓ 🚀", "schön 日本語 ✓ 🚀"},
		{"command", "::error::no", ": :error::no"},
		{"command_with_properties", "::error file=a::no", ": :error file=a::no"},
		{"command_after_blanks", "  \t::error::no", "   : :error::no"},
		{"command_after_a_wide_blank", "\u3000::error::no", "\u3000: :error::no"},
		{"command_after_a_blank_that_does_not_break", "\u00a0::add-mask::a", "\u00a0: :add-mask::a"},
		{"word_that_ends_stop-commands", "::4f1c::", ": :4f1c::"},
		{"many_colons", "::::error::no", ": : : :error::no"},
		{"after_a_prefix", "error: ::add-mask::a", "error: : :add-mask::a"},
		{"in_brackets", "(::add-mask::a)", "(: :add-mask::a)"},
		{"inside_a_word", "std::string and Foo::Bar::baz", "std::string and Foo::Bar::baz"},
		{"address", "http://[::1]:8090", "http://[::1]:8090"},
		{"address_at_the_beginning", "::1 is this machine", ": :1 is this machine"},
		{"old_command", "##[error]no", "## [error]no"},
		{"old_command_anywhere", "it says ##[add-mask]a", "it says ## [add-mask]a"},
		{"old_command_with_more_hashes", "###[group]", "### [group]"},
		{"Azure", "x ##vso[task.setvariable variable=a]b", "x ## vso[task.setvariable variable=a]b"},
		{"Azure_in_another_case", "##VSO[task.complete]", "## VSO[task.complete]"},
		{"TeamCity", "##teamcity[buildStatus status='SUCCESS']", "## teamcity[buildStatus status='SUCCESS']"},
		{"heading", "## Result", "## Result"},
		{"line_breaks", "one\r\n::error::two\n##[error]three\u2028four\u0085five", "one  : :error::two ## [error]three four five"},
		{"tab", "a\tb", "a b"},
		{"colours", "\x1b[1;31mred\x1b[0m", "red"},
		{"title_of_the_terminal", "a\x1b]0;title\x07b\x1b]8;;http://x\x1b\\c", "abc"},
		{"string_without_an_end", "a\x1b]0;title", "a0;title"},
		{"short_sequences", "a\x1bMb\x1b(Bc\x1b7d", "abcd"},
		{"sequence_in_C1", "a\u009b31mb", "ab"},
		{"sequence_that_another_hides", "\x1b\x1b[0m[31mred", "[31mred"},
		{"command_that_a_sequence_hides", ":\x1b[0m:error::no", ": :error::no"},
		{"command_that_a_control_character_hides", "#\x00#[error]", "## [error]"},
		{"command_that_invisible_characters_hide", ":\u200b:error::no #\ufeff#[error] \u00ad::add-mask::a", ": :error::no ## [error] : :add-mask::a"},
		{"command_that_a_bad_byte_hides", "#\xff#[error]", "## [error]"},
		{"backspaces_and_bell", "a\b\b\ab", "ab"},
		{"turned_direction", "user\u202etxt.exe \u2066a\u2069", "usertxt.exe a"},
		{"not_UTF-8", "caf\xe9 \xc3", "caf "},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got, want := ci.Defuse(tc.in), tc.want; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
		})
	}
}

// commandIn finds a command by the rules of the GitHub runner's source (ActionCommand.cs), whatever its name, and by
// those of Azure Pipelines and TeamCity.
func commandIn(line string) string {
	trimmed := strings.TrimLeftFunc(line, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) })
	if strings.HasPrefix(trimmed, "::") {
		return trimmed
	}
	return regexp.MustCompile(`(?i)##(vso|teamcity)?\[.*`).FindString(line)
}

func FuzzDefuse(f *testing.F) {
	for _, seed := range []string{
		"", "::error::no", " \u3000::a::", ":::", "##[error]x", "####vso[x]", "#\x1b[0m#[x", ":\x00:a::", "\x1b]0;\x1b\x1b[m::a::",
		"\u009b\u009b31m##\u200bteamcity[", "a\r\n::a::\u2028::b::", "\xc3::\xffa::", "::1", "x ::y::z",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		got := ci.Defuse(line)
		if found := commandIn(got); found != "" {
			t.Errorf("Defuse(%q) = %q, in which a runner finds %q", line, got, found)
		}
		if strings.ContainsFunc(got, func(r rune) bool {
			return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
		}) || !utf8.ValidString(got) {
			t.Errorf("Defuse(%q) = %q, which is not one visible line", line, got)
		}
		if again := ci.Defuse(got); again != got {
			t.Errorf("Defuse(%q) = %q, and once more %q", line, got, again)
		}
	})
}
