package spicepod_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/spicedeploy/spice-deploy/internal/spicepod"
)

// addFiles makes every manifest of testdata a seed.
func addFiles(f *testing.F) {
	f.Helper()
	for _, folder := range []string{"problems", "accepted"} {
		files, err := filepath.Glob(filepath.Join("testdata", folder, "*.yaml"))
		if err != nil || len(files) == 0 {
			f.Fatalf("no files in testdata/%s: %v", folder, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
}

// FuzzParse holds, for every input, that Parse does not panic, that a manifest equals itself, also on the way
// back from the service, and that positions are inside of the file.
func FuzzParse(f *testing.F) {
	addFiles(f)
	f.Add([]byte(bomb(5)))
	f.Add([]byte(head + "a: &a {<<: [*a, {b: ~}]}\n? [x]\n: !!int '3'\n"))
	f.Add([]byte("\uFEFF" + head + "a: \"\\u0024{ secrets:A }\"\r\n"))

	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := spicepod.Parse("spicepod.yaml", data)
		if err != nil {
			if m != nil || err.Error() == "" {
				t.Errorf("got the manifest %v and the error %q", m, err)
			}
			return
		}
		if d := spicepod.Compare(m, m); !d.Empty() {
			t.Errorf("a manifest differs from itself: %+v", d)
		}
		if d := spicepod.Compare(nil, m); len(d.Changes) == 0 || d.Unified == "" {
			t.Errorf("a manifest does not differ from nothing: %+v", d)
		}
		raw, err := json.Marshal(m.Source())
		if err != nil {
			t.Fatal(err)
		}
		back, err := spicepod.FromJSON(raw)
		if err != nil {
			t.Fatalf("a manifest that was accepted cannot be read back: %v", err)
		}
		if d := spicepod.Compare(back, m); !d.Empty() {
			t.Errorf("a manifest differs from what was sent: %+v", d)
		}
		lines := strings.Count(strings.ReplaceAll(string(data), "\r", "\n"), "\n") + 1
		for _, r := range m.References() {
			if r.Line < 1 || r.Line > lines {
				t.Errorf("got line %d of %d for %+v", r.Line, lines, r)
			}
		}
	})
}

// FuzzCompare holds, for every two JSON values, that two manifests are the same exactly when the difference
// is empty in words and as lines, and that none of the lines can break out of its line.
func FuzzCompare(f *testing.F) {
	f.Add(`{"a":1}`, `{"a":1.0}`)
	f.Add(`{"datasets":[{"name":"a","from":"x://u:p@h"},{"name":"b"}]}`, `{"datasets":[{"name":"b"},{"name":"c","from":"x://u:q@h"}]}`)
	f.Add(`{"views":[{"name":"a"},{"name":"a"}],"k":{}}`, `{"views":[{"name":"a"}],"k":[]}`)
	f.Add(`{"a":{"password":["x",{"y":"z"}]}}`, `{"a":{"password":["z",{"y":"x"}]}}`)
	f.Add(`{"a":"x\ny\n"}`, `{"a":" x\ny\u001b"}`)
	f.Add(`{"a\n- b":null}`, `{"a\r":"\u2028"}`)

	f.Fuzz(func(t *testing.T, before, after string) {
		a, err := spicepod.FromJSON(json.RawMessage(before))
		if err != nil {
			return
		}
		b, err := spicepod.FromJSON(json.RawMessage(after))
		if err != nil {
			return
		}
		there, back := spicepod.Compare(a, b), spicepod.Compare(b, a)
		if there.Empty() != back.Empty() {
			t.Errorf("a differs from b (%+v), but b does not differ from a (%+v)", there, back)
		}
		for _, d := range []spicepod.Difference{there, back} {
			if (len(d.Changes) == 0) != (d.Unified == "") {
				t.Errorf("words and lines do not agree: %+v", d)
			}
			for _, change := range d.Changes {
				said := change.String()
				if strings.ContainsFunc(said, func(r rune) bool { return !unicode.IsPrint(r) }) || !utf8.ValidString(said) {
					t.Errorf("the words %q hold what moves a cursor", change)
				}
			}
			for line := range strings.Lines(d.Unified) {
				if !strings.ContainsRune("-+ @", rune(line[0])) {
					t.Errorf("the line %q stands in no difference", line)
				}
			}
		}
	})
}

// secretMark stands at both ends of the literals that must not be seen.
const secretMark = "S3CR3T"

// FuzzHidden holds that a literal under a key that looks like a credential, or in the user part of a URL,
// shows neither in a difference nor in a message, whatever it is.
func FuzzHidden(f *testing.F) {
	f.Add("pg_pass", "", "x")
	f.Add("OPENAI_API_KEY", "a\nb: c\n", "'\"")
	f.Add("clientSecret", "${ secrets:A }", "${ secrets:A")
	f.Add("access-token", "@/:?#", "}")
	f.Add("private_key", "\n        key: value\n", "\t#")

	f.Fuzz(func(t *testing.T, key, one, two string) {
		if !utf8.ValidString(key) || !utf8.ValidString(one) || !utf8.ValidString(two) {
			return
		}
		if len(key) > 40 || strings.ContainsFunc(key, func(r rune) bool { return !unicode.IsLetter(r) && r != '_' && r != '-' }) {
			key = ""
		}
		key += "_password"
		one, two = secretMark+one+secretMark, secretMark+two+secretMark
		d := spicepod.Compare(hiddenIn(t, key, one), hiddenIn(t, key, two))
		if got := sentences(d.Changes) + d.Unified; strings.Contains(got, secretMark) {
			t.Errorf("a literal under %s shows in\n%s", key, got)
		}
		if (one == two) != d.Empty() {
			t.Errorf("got %+v for %q and %q", d, one, two)
		}
		// A key twice, YAML that breaks off: each message shows a line of the file.
		for _, tail := range []string{"", "\n      a: 1\n      a: 2\n", "\n  - [\n", "\n\t- x: y: z\n"} {
			yaml := fmt.Sprintf("%sdatasets:\n  - name: a\n    params:\n      %s: %s%s", head, key, inOneLine(one), tail)
			m, err := spicepod.Parse("spicepod.yaml", []byte(yaml))
			if err != nil && strings.Contains(err.Error(), secretMark) {
				t.Errorf("a literal under %s shows in\n%v\nof\n%s", key, err, yaml)
			}
			if m != nil && strings.Contains(fmt.Sprint(m.Warnings()), secretMark) {
				t.Errorf("a literal under %s shows in\n%v\nof\n%s", key, m.Warnings(), yaml)
			}
		}
	})
}

// inOneLine is a text without what YAML takes for a line break: what follows one belongs to no key.
func inOneLine(s string) string {
	return strings.NewReplacer("\n", " ", "\r", " ", "\u0085", " ", "\u2028", " ", "\u2029", " ").Replace(s)
}

// hiddenIn is a deployed manifest that holds the literal in every place where it must not be seen.
func hiddenIn(t *testing.T, key, literal string) *spicepod.Manifest {
	t.Helper()
	user := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune(`"'<>`, r) {
			return '_'
		}
		return r
	}, literal)
	params := map[string]any{
		key:        literal,
		"url":      "postgres://reader:" + user + "@db.example.com/orders",
		"headers":  map[string]any{key: []any{literal, map[string]any{"nested": literal}}},
		"user":     "x://" + strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(user, "/", ""), "?", ""), "#", "") + "@h",
		"two_urls": "a://b:" + user + "@h, c://d:" + user + "@h",
	}
	raw, err := json.Marshal(map[string]any{"datasets": []any{map[string]any{"name": "orders", "params": params}}})
	if err != nil {
		t.Fatal(err)
	}
	return fromJSON(t, string(raw))
}
