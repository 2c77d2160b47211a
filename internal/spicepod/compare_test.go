package spicepod_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/spicepod"
)

// parse reads a manifest that is known to be fine.
func parse(t *testing.T, yaml string) *spicepod.Manifest {
	t.Helper()
	m, err := spicepod.Parse("spicepod.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// fromJSON reads a deployed manifest that is known to be fine.
func fromJSON(t *testing.T, raw string) *spicepod.Manifest {
	t.Helper()
	m, err := spicepod.FromJSON(json.RawMessage(raw))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestCompare runs over testdata/compare: each file holds what is deployed (JSON, or nothing), what is wanted,
// and the difference in words and as lines. The secrets in there all begin with "hunter".
func TestCompare(t *testing.T) {
	t.Parallel()

	files, err := filepath.Glob("testdata/compare/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in testdata/compare: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			given, _, _ := strings.Cut(string(data), "-- changes --\n")
			about, manifests, _ := strings.Cut(given, "-- deployed.json --\n")
			deployed, wanted, _ := strings.Cut(manifests, "-- wanted.yaml --\n")

			d := spicepod.Compare(fromJSON(t, deployed), parse(t, wanted))
			result := "-- changes --\n" + sentences(d.Changes) + "\n-- unified --\n" + d.Unified
			if strings.Contains(result, "hunter") {
				t.Error("the difference shows a literal secret")
			}
			golden(t, file, about+"-- deployed.json --\n"+deployed+"-- wanted.yaml --\n"+wanted+result)
		})
	}
}

// TestCompare_same holds pairs that mean the same, whatever they look like.
func TestCompare_same(t *testing.T) {
	t.Parallel()

	cases := []struct {
		name, deployed, wanted string
	}{
		{"order_of_keys", `{"b":1,"a":{"d":1,"c":2}}`, "a: {c: 2, d: 1}\nb: 1\n"},
		{"numbers", `{"a":[1,1.0,1e0,16,8,0.5,-3,100]}`, "a: [1, +1, 01.0, 0x10, 0o10, .5, -3, 1e2]\n"},
		{"large_numbers", `{"a":9007199254740993}`, "a: 9007199254740993\n"},
		{"nothing", `{"a":[null,null,null]}`, "a: [~, null, Null]\nb: &x\n"},
		{"booleans", `{"a":[true,false]}`, "a: [True, FALSE]\n"},
		{"texts_that_look_like_others", `{"a":["yes","on","2024-01-01","1_000","0b11","12:30:45","null","1"]}`, "a: [yes, on, 2024-01-01, 1_000, 0b11, 12:30:45, 'null', !!str 1]\n"},
		{"block_text", `{"a":"SELECT 1\nFROM b\n"}`, "a: |\n  SELECT 1\n  FROM b\n"},
		{"line_breaks_of_windows", `{"a":"SELECT 1\nFROM b\n"}`, "a: |\r\n  SELECT 1\r\n  FROM b\r\n"},
		{"comments", `{"a":1}`, "# first\na: 1 # second\n"},
		{"aliases", `{"x":{"k":1},"a":{"k":1},"b":[{"k":1}]}`, "x: &x {k: 1}\na: *x\nb: [*x]\n"},
		{"merge_keys", `{"x":{"k":1,"l":2},"y":{"k":3,"m":4},"a":{"k":1,"l":5,"m":4}}`, "x: &x {k: 1, l: 2}\ny: &y {k: 3, m: 4}\na:\n  <<: [*x, *y]\n  l: 5\n"},
		{"keys_that_are_no_text", `{"a":{"1":"x","true":"y","null":"z"}}`, "a: {1.0: x, True: y, ~: z}\n"},
		{"as_a_string_of_yaml", `"b: 1\na: {d: 1, c: 2}\n"`, "a: {c: 2, d: 1}\nb: 1\n"},
		{"byte_order_mark", `{"a":1}`, "\uFEFFa: 1\n"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			const head = "version: v2\nkind: Spicepod\nname: same\n"
			deployed := strings.Replace(tc.deployed, "{", `{"version":"v2","kind":"Spicepod","name":"same",`, 1)
			wanted := tc.wanted + head
			switch tc.name {
			case "as_a_string_of_yaml":
				deployed = strings.Replace(tc.deployed, `"b:`, `"version: v2\nkind: Spicepod\nname: same\nb:`, 1)
			case "nothing":
				deployed = strings.Replace(deployed, "}", `,"b":null}`, 1)
			}
			if got, want := spicepod.Compare(fromJSON(t, deployed), parse(t, wanted)), (spicepod.Difference{}); !got.Empty() {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// TestCompare_different holds pairs that look alike without being the same: a push must not be left out.
func TestCompare_different(t *testing.T) {
	t.Parallel()

	cases := []struct {
		name, deployed, wanted string
	}{
		{"number_and_text", `{"a":1}`, "a: '1'"},
		{"boolean_and_text", `{"a":true}`, "a: 'true'"},
		{"nothing_and_text", `{"a":null}`, "a: ''"},
		{"nothing_and_absent", `{"a":null}`, "b: 1"},
		{"empty_map_and_list", `{"a":{}}`, "a: []"},
		{"empty_list_of_components", `{"datasets":[]}`, "{}"},
		{"numbers_beyond_53_bits", `{"a":9007199254740992}`, "a: 9007199254740993"},
		{"order_of_a_list", `{"a":[1,2]}`, "a: [2, 1]"},
		{"order_of_components", `{"views":[{"name":"a"},{"name":"b"}]}`, "views: [{name: b}, {name: a}]"},
		{"trailing_blank", `{"a":"x "}`, "a: x"},
		{"trailing_line_break", `{"a":"x\ny\n"}`, "a: |-\n  x\n  y"},
		{"hidden_text", `{"a":{"password":"one"}}`, "a: {password: two}"},
		{"hidden_number_and_text", `{"a":{"password":1}}`, "a: {password: '1'}"},
		{"hidden_in_a_key", `{"a":{"x://u:one@h":1}}`, "a: {'x://u:two@h': 1}"},
		{"hidden_in_a_name", `{"views":[{"name":"x://u:one@h"}]}`, "views: [{name: 'x://u:two@h'}]"},
		{"long_texts_with_one_end", `{"a":"` + strings.Repeat("x", 100) + `1"}`, "a: " + strings.Repeat("x", 100) + "2"},
		{"two_components_of_one_name", `{"views":[{"name":"a","sql":"1"},{"name":"a","sql":"2"}]}`, "views: [{name: a, sql: '1'}]"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			wanted, err := spicepod.FromJSON(quoted(t, tc.wanted))
			if err != nil {
				t.Fatal(err)
			}
			got := spicepod.Compare(fromJSON(t, tc.deployed), wanted)
			if got.Empty() || len(got.Changes) == 0 || got.Unified == "" {
				t.Errorf("got %+v, want a difference in words and in lines", got)
			}
		})
	}
}

// sentences is what changed, a sentence a line.
func sentences(changes []spicepod.Change) string {
	lines := make([]string, len(changes))
	for i, change := range changes {
		lines[i] = change.String()
	}
	return strings.Join(lines, "\n")
}

// quoted is a text as JSON, the way a service returns a manifest that it did not parse.
func quoted(t *testing.T, s string) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestCompare_absent(t *testing.T) {
	t.Parallel()

	m := parse(t, "version: v2\nkind: Spicepod\nname: new\ndatasets:\n  - name: orders\n")
	want := []spicepod.Change{{Kind: "dataset", Name: "orders", What: "added"}}
	if diff := cmp.Diff(want, spicepod.Compare(nil, m).Changes); diff != "" {
		t.Errorf("unexpected changes (-want +got):\n%s", diff)
	}
	if got := spicepod.Compare(nil, nil); !got.Empty() {
		t.Errorf("got %+v for nothing and nothing, want no difference", got)
	}
}

func TestFromJSON_absent(t *testing.T) {
	t.Parallel()

	for _, raw := range []string{"", " ", "null", `""`, `"\n"`, "{}"} {
		m, err := spicepod.FromJSON(json.RawMessage(raw))
		if m != nil || err != nil {
			t.Errorf("FromJSON(%q): got %v, %v, want neither a manifest nor an error", raw, m, err)
		}
	}
}

func TestFromJSON_unreadable(t *testing.T) {
	t.Parallel()

	cases := []struct{ name, raw, want string }{
		{"truncated", `{"version":`, "read the deployed spicepod: unexpected EOF"},
		{"list", `[]`, "read the deployed spicepod: neither an object nor a text"},
		{"text_that_is_no_map", `"spicepod"`, "read the deployed spicepod: text instead of a map"},
		{"text_that_is_no_yaml", `"a: b: c"`, "read the deployed spicepod: spicepod: the deployed spicepod:1:5: not valid YAML: mapping values are not allowed"},
		{"too_deep", `{"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`, "read the deployed spicepod: more than 100 levels"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := spicepod.FromJSON(json.RawMessage(tc.raw))
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) {
				t.Errorf("got %v, want an error that begins with %q", err, tc.want)
			}
		})
	}
}
