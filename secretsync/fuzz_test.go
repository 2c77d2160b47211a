package secretsync

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-envparse"
)

// checkDiscreet fails when a message repeats what stands after the name on a line, or a whole line without one.
// Short texts and those without a digit are passed over: the messages themselves could hold them.
func checkDiscreet(t *testing.T, input string, set Set, err error) {
	t.Helper()
	problems, others := messages(set, err)
	said := strings.Join(append(problems, others...), "\n")
	var names []string
	hidden := map[string]bool{}
	for line := range strings.Lines(input) {
		name, separator, rest := splitLine(strings.TrimSpace(line))
		if separator == "" {
			rest = name
		} else {
			names = append(names, name)
		}
		if len(rest) >= 8 && strings.ContainsAny(rest, "0123456789") && !showable(rest) {
			hidden[rest] = true
		}
	}
	for text := range hidden {
		if strings.Contains(said, text) && !strings.Contains(strings.Join(names, "\n"), text) {
			t.Errorf("%q shows in\n%s", text, said)
		}
	}
}

func FuzzBlock(f *testing.F) {
	for _, seed := range []string{
		"", "A=1\nB: 2\nC<<W\nx\nW\n", "A: |\n  x\n y\n", "A: |-\n\n\tx\r\n", "A: >\n  x", `{"A":"1","A":2}`, "{", "\ufeffA=1",
		"KEY=-----BEGIN-----\nMIIEvQIBADANBgkqh0\nc2VjcmV0==\n", "a=\nA=x\n", "A<<\n<<\n=\n:\n#\n\x00\xff=\xff", "A<<W\r\nx\r\nW\r\n",
		"{\"A\":\"\\ud800\", \"b-c\": []}x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		set, err := Collect(block(text))
		checkDiscreet(t, text, set, err)
		for _, secret := range set.Secrets {
			if !validName.MatchString(secret.Name) || !strings.Contains(text, secret.Name) && !strings.Contains(text, "\\u") {
				t.Errorf("%q is no name of %q", secret.Name, text)
			}
		}
	})
}

// FuzzBlockRoundTrip builds a block from values and reads it back byte for byte.
func FuzzBlockRoundTrip(f *testing.F) {
	f.Add("one", "two\nlines", "three")
	f.Add("a\r\nb\r", "\n\nx\n", "  indented\n#x\nK=v\nEOF\n")
	f.Add("{\"a\": 1}", "=", "\t")
	f.Fuzz(func(t *testing.T, first, second, third string) {
		want := map[string]string{}
		var lines strings.Builder
		for i, value := range []string{first, second, third} {
			if strings.TrimSpace(value) == "" || !utf8.ValidString(value) || strings.Contains(value, "\x00") {
				continue
			}
			word := "END"
			for strings.Contains(value, word) {
				word += "_"
			}
			name := fmt.Sprintf("KEY_%d", i)
			fmt.Fprintf(&lines, "%s<<%s\n%s\n%s\n", name, word, value, word)
			want[name] = value
		}
		set, err := Collect(block(lines.String()))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, values(set)); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		asJSON, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		set, err = Collect(block(string(asJSON)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, values(set)); diff != "" {
			t.Errorf("as JSON: -want +got\n%s", diff)
		}
	})
}

func FuzzFromEnv(f *testing.F) {
	for _, seed := range []string{"A", "A,B\nC", "A=B", "A_*", "*=A_*", "*", "*=*", "=", "A=", "=A", "A*B", "$A", "hunter2Hunter2Hunter2", "\ufeffA"} {
		f.Add(seed, "A=1\nA_B=2\nA_C-D=3\nB=")
	}
	f.Fuzz(func(t *testing.T, list, environ string) {
		set, err := Collect(Sources{FromEnv: list, Environ: strings.Split(environ, "\n")})
		if !strings.ContainsAny(list, "=-*") { // names of variables may be shown
			checkDiscreet(t, list+"\n"+strings.ReplaceAll(environ, "\n", "=\n")+"=", set, err)
		}
		known := map[string]bool{}
		for variable := range strings.SplitSeq(environ, "\n") {
			_, value, _ := strings.Cut(variable, "=")
			known[value] = true
		}
		for name, value := range values(set) {
			if !validName.MatchString(name) {
				t.Errorf("%q is not a name", name)
			}
			if !known[value] {
				t.Errorf("the value of %q is none of the environment", name)
			}
		}
		if strings.TrimSpace(list) == "*" && err == nil {
			t.Errorf("a bare * was taken")
		}
	})
}

// FuzzDotenv holds this package's reading of a file against the library's: what is taken whole must be the same,
// and a name that stands twice must be found although the library's map has lost it.
func FuzzDotenv(f *testing.F) {
	for _, seed := range []string{"A=1\nB=2", "A=1\nA=2", "export A=1\nA = 'x' # c", "A=\"\\n\"", "A=x#y", "A=''", "# c\n\nA=", "export =1", "A=\x00", "A==", "\ufeffA=1\r\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		set, err := Collect(file(".env", text))
		checkDiscreet(t, text, set, err)
		if err != nil {
			return
		}
		want, err := envparse.Parse(strings.NewReader(strings.TrimPrefix(text, byteOrderMark)))
		if err != nil {
			t.Fatalf("the library refuses what was taken: %v", err)
		}
		got := values(set)
		if !maps.Equal(got, want) {
			t.Errorf("expected %q to be %q", got, want)
		}
		lines := 0
		for line := range strings.Lines(strings.TrimPrefix(text, byteOrderMark)) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				lines++
			}
		}
		if len(got) != lines {
			t.Errorf("%d secrets from %d lines", len(got), lines)
		}
	})
}
