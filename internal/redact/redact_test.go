package redact_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/spicedeploy/spice-deploy/internal/redact"
)

func TestSecret_neverShows(t *testing.T) {
	t.Parallel()

	secret := redact.New("hunter2-hunter2")
	asJSON, err := json.Marshal(map[string]any{"a": secret})
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("m", "secret", secret)

	cases := []struct {
		name string
		got  string
	}{
		{"print", fmt.Sprint(secret)},
		{"string_verb", fmt.Sprintf("%s", secret)},
		{"quoted_verb", fmt.Sprintf("%q", secret)},
		{"hex_verb", fmt.Sprintf("%x", secret)},
		{"go_syntax", fmt.Sprintf("%#v", secret)},
		{"inside_a_struct", fmt.Sprintf("%+v", struct{ S redact.Secret }{secret})},
		{"behind_a_pointer", fmt.Sprintf("%v", &secret)},
		{"wrong_verb", fmt.Sprintf("%d", secret)},
		{"json", string(asJSON)},
		{"log", logged.String()},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()

			if strings.Contains(tc.got, "hunter2") || strings.Contains(tc.got, "68756e") {
				t.Errorf("the secret shows in %q", tc.got)
			}
			if !strings.Contains(tc.got, redact.Cover) {
				t.Errorf("expected %q to hold %q", tc.got, redact.Cover)
			}
		})
	}
	if got, want := secret.Reveal(), "hunter2-hunter2"; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()

	const pem = "-----BEGIN KEY-----\nMIIEvQIBADAN\n}\n-----END KEY-----\n"
	cases := []struct {
		name    string
		secrets []string
		facts   []string
		text    string
		want    string
	}{
		{name: "no_secrets", text: "nothing to hide", want: "nothing to hide"},
		{name: "whole", secrets: []string{"hunter2"}, text: "password is hunter2!", want: "password is ***!"},
		{name: "twice_side_by_side", secrets: []string{"hunter2"}, text: "hunter2hunter2", want: "******"},
		{name: "shorter_than_four_is_left", secrets: []string{"abc"}, text: "abc", want: "abc"},
		{name: "line_of_many", secrets: []string{pem}, text: "got MIIEvQIBADAN } there", want: "got *** } there"},
		{name: "whole_of_many_lines", secrets: []string{"ab\ncd\nef"}, text: "x ab\ncd\nef y", want: "x *** y"},
		{name: "json_form", secrets: []string{`pa"ss\wd`}, text: `{"v":"pa\"ss\\wd"}`, want: `{"v":"***"}`},
		{name: "json_form_with_html_escapes", secrets: []string{`a<b>&c`}, text: `"a\u003cb\u003e\u0026c"`, want: `"***"`},
		{name: "query_form", secrets: []string{"p@ss w/rd"}, text: "https://x/?q=p%40ss+w%2Frd", want: "https://x/?q=***"},
		{name: "path_form", secrets: []string{"p@ss w/rd"}, text: "https://x/p@ss%20w%2Frd", want: "https://x/***"},
		{name: "query_form_in_small_letters", secrets: []string{"101|pé@ss"}, text: "https://x/?q=101%7cp%c3%a9%40ss", want: "https://x/?q=***"},
		{name: "path_form_in_small_letters", secrets: []string{"p@ss w/rd"}, text: "https://x/p@ss%20w%2frd", want: "https://x/***"},
		{name: "html_form", secrets: []string{`a<b>&"c'd`}, text: "<p>a&lt;b&gt;&amp;&#34;c&#39;d</p>", want: "<p>***</p>"},
		{name: "html_form_with_names", secrets: []string{`a<b>&"c'd`}, text: "<p>a&lt;b&gt;&amp;&quot;c&apos;d</p>", want: "<p>***</p>"},
		{name: "html_form_with_hexadecimal_digits", secrets: []string{`a<b>&"c'd`}, text: "<p>a&lt;b&gt;&amp;&quot;c&#x27;d</p>", want: "<p>***</p>"},
		{name: "html_form_of_a_bar", secrets: []string{"101|0f3a"}, text: "<p>101&#124;0f3a</p>", want: "<p>***</p>"},
		{name: "base64_form", secrets: []string{"hunter2"}, text: base64.StdEncoding.EncodeToString([]byte("hunter2")), want: "***"},
		{name: "one_line_form", secrets: []string{"correct  horse\tbattery"}, text: "said: correct horse battery", want: "said: ***"},
		{name: "cut_short", secrets: []string{"hunter2-hunter2"}, text: "token hunter2-hu…", want: "token ***…"},
		{name: "cut_short_below_four_is_left", secrets: []string{"hunter2-hunter2"}, text: "token hun…", want: "token hun…"},
		{name: "begins_alike_and_is_cut_short", secrets: []string{"hunter2-hunter2"}, text: "a hunting…", want: "a hunting…"},
		{name: "longer_secret_wins", secrets: []string{"hunter2", "hunter2-extended"}, text: "hunter2-extended", want: "***"},
		{name: "overlapping_secrets", secrets: []string{"abcdef", "defghi"}, text: "xabcdefghix", want: "x***x"},
		{name: "fact_is_spared", secrets: []string{"prod"}, facts: []string{"my-prod-app"}, text: "my-prod-app is in prod", want: "my-prod-app is in ***"},
		{name: "fact_equal_to_a_secret", secrets: []string{"main"}, facts: []string{"main"}, text: "branch main", want: "branch main"},
		{name: "secret_that_outgrows_a_fact", secrets: []string{"cdefgh"}, facts: []string{"abcd"}, text: "abcdefgh", want: "ab***"},
		{name: "secret_that_begins_as_a_fact", secrets: []string{"main-key"}, facts: []string{"main"}, text: "main-key", want: "***"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()

			r := redact.NewRedactor()
			for _, s := range tc.secrets {
				r.Add(redact.New(s))
			}
			r.Spare(tc.facts...)
			if got := r.Redact(tc.text); got != tc.want {
				t.Errorf("expected %q to be %q", got, tc.want)
			}
		})
	}
}

func TestRedact_base64InsideSomethingLonger(t *testing.T) {
	t.Parallel()

	const secret = "correct-horse-battery"
	r := redact.NewRedactor()
	r.Add(redact.New(secret))
	for _, user := range []string{"a:", "ab:", "abc:"} {
		got := r.Redact(base64.StdEncoding.EncodeToString([]byte(user + secret + "!")))
		if !strings.Contains(got, redact.Cover) || len(got) > 16 {
			t.Errorf("user %q: expected most of %q to be covered", user, got)
		}
	}
}

// FuzzWriter holds the promise of the Writer: whatever the secret, the text around it and the pieces it
// arrives in, no form of the secret comes out.
func FuzzWriter(f *testing.F) {
	f.Add("hunter2", "the password is ", " indeed", 3, 5)
	f.Add("line one\nline two\n}", "begin ", " end", 1, 2)
	f.Add("aaaa", "aaa", "aa", 1, 1)
	f.Add("****", "*", "*", 2, 2)
	f.Fuzz(func(t *testing.T, secret, before, after string, one, two int) {
		if len(strings.TrimSpace(secret)) < redact.MinLength || strings.Contains(redact.Cover+redact.Cover, secret) {
			return // not covered by design
		}
		shown, _ := json.Marshal(secret)
		text := before + secret + after + string(shown) + url.QueryEscape(secret) + base64.StdEncoding.EncodeToString([]byte(secret)) +
			secret[:len(secret)/2+1] + "…" + after
		r := redact.NewRedactor()
		r.Add(redact.New(secret))
		var out strings.Builder
		w := r.NewWriter(&out)
		for rest := text; rest != ""; {
			n := max(1, min(len(rest), abs(one)%17+1))
			one, two = two, one
			if _, err := w.Write([]byte(rest[:n])); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if got, want := out.String(), r.Redact(text); got != want {
			t.Errorf("in pieces %q, at once %q", got, want)
		}
		// The cover itself, and what stands beside it, may by chance spell the secret again ("*" and "***").
		if !strings.Contains(secret, "*") && strings.Contains(out.String(), secret) {
			t.Errorf("the secret %q shows in %q", secret, out.String())
		}
	})
}

func abs(n int) int {
	if n < 0 {
		return -(n + 1)
	}
	return n
}

func TestWriter_holdsBackOnlyWhatMayBeASecret(t *testing.T) {
	t.Parallel()

	r := redact.NewRedactor()
	r.Add(redact.New("hunter2"))
	var out strings.Builder
	w := r.NewWriter(&out)
	steps := []struct{ write, want string }{
		{"a line\n", "a line\n"},
		{"the hun", "a line\nthe "},
		{"gry", "a line\nthe hungry"},
		{" hunt", "a line\nthe hungry "},
		{"er2\n", "a line\nthe hungry ***\n"},
	}
	for _, step := range steps {
		if _, err := w.Write([]byte(step.write)); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); got != step.want {
			t.Fatalf("after %q: expected %q to be %q", step.write, got, step.want)
		}
	}
}

func BenchmarkRedact_thousandSecrets(b *testing.B) {
	r := redact.NewRedactor()
	for i := range 1000 {
		r.Add(redact.New(strings.Repeat(fmt.Sprintf("secret-%d-", i), 100)))
	}
	line := strings.Repeat("a log line of the usual length with nothing in it ", 2)
	for b.Loop() {
		r.Redact(line)
	}
}

// TestRedactor_otherEncoders holds what the encoders of other languages make of a secret.
func TestRedactor_otherEncoders(t *testing.T) {
	t.Parallel()
	const secret = "it's (pä/ss) & wörd+😀"
	for name, encoded := range map[string]string{
		"JavaScript's encodeURIComponent": "it's%20(p%C3%A4%2Fss)%20%26%20w%C3%B6rd%2B%F0%9F%98%80",
		"Python's quote":                  "it%27s%20%28p%C3%A4%2Fss%29%20%26%20w%C3%B6rd%2B%F0%9F%98%80",
		"Python's json.dumps":             `it's (p\u00e4/ss) & w\u00f6rd+\ud83d\ude00`,
		"PHP's json_encode, unescaped":    `it's (pä\/ss) & wörd+😀`,
	} {
		r := redact.NewRedactor()
		r.Add(redact.New(secret))
		if got, want := r.Redact("<"+encoded+">"), "<***>"; got != want {
			t.Errorf("%s: expected %q to be %q", name, got, want)
		}
	}
}
