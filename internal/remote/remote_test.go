package remote_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spicedeploy/spice-deploy/internal/remote"
)

func TestBaseURL(t *testing.T) {
	t.Parallel()

	cases := []struct{ name, raw, want, wantErr string }{
		{name: "https", raw: "https://api.spice.ai/", want: "https://api.spice.ai"},
		{name: "with_a_path", raw: "https://proxy.example.com/spice/", want: "https://proxy.example.com/spice"},
		{name: "http_to_this_machine", raw: "http://127.0.0.1:4790", want: "http://127.0.0.1:4790"},
		{name: "http_to_another", raw: "http://api.spice.ai", wantErr: `base URL "http://api.spice.ai": plain http would show the credentials`},
		{name: "no_scheme", raw: "api.spice.ai", wantErr: "expected https://HOST"},
		{name: "another_scheme", raw: "ftp://api.spice.ai", wantErr: "expected https://HOST"},
		{name: "query", raw: "https://api.spice.ai?a=b", wantErr: "must not have a query"},
		{name: "password_is_not_repeated", raw: "https://user:hunter2@api.spice.ai", wantErr: `base URL "https://user:xxxxx@api.spice.ai": credentials do not belong in it`},
		{name: "broken_with_a_password", raw: "https://user:hunter2@api.spice.ai:port", wantErr: "base URL: not a URL"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()

			got, err := remote.BaseURL("base URL", tc.raw)
			if got != tc.want {
				t.Errorf("expected %q to be %q", got, tc.want)
			}
			if tc.wantErr == "" && err != nil || tc.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tc.wantErr)) {
				t.Errorf("expected error %v to hold %q", err, tc.wantErr)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the password shows in %q", err)
			}
		})
	}
}

func TestLoopback(t *testing.T) {
	t.Parallel()

	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST": true, "a.localhost": true, "127.0.0.1": true, "127.9.9.9": true, "::1": true,
		"::ffff:127.0.0.1": true, "10.0.0.1": false, "localhost.example.com": false, "api.spice.ai": false, "": false,
	} {
		if got := remote.Loopback(host); got != want {
			t.Errorf("%q: expected %t to be %t", host, got, want)
		}
	}
}

func TestOneLine(t *testing.T) {
	t.Parallel()

	cases := []struct {
		name, text string
		limit      int
		want       string
	}{
		{"as_it_is", "not found", 20, "not found"},
		{"blanks_and_control_characters_become_one_blank", " a\r\n\t\x1b b ", 20, "a b"},
		{"cut", "abcdefgh", 5, "abcd…"},
		{"cut_at_a_character", "ääääää", 4, "äää…"},
		{"empty", "", 5, ""},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()

			got := remote.OneLine(tc.text, tc.limit)
			if got != tc.want || utf8.RuneCountInString(got) > tc.limit {
				t.Errorf("expected %q to be %q", got, tc.want)
			}
		})
	}
}
