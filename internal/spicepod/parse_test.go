package spicepod_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/spicepod"
)

const head = "version: v2\nkind: Spicepod\nname: test\n"

func TestParse_quickstart(t *testing.T) {
	t.Parallel()

	data, err := os.ReadFile("../../examples/quickstart/spicepod.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m := parse(t, string(data))
	if got, want := m.Name, "taxi-quickstart"; got != want {
		t.Errorf("got name %q, want %q", got, want)
	}
	if got := m.Warnings(); len(got) > 0 {
		t.Errorf("got warnings %v, want none", got)
	}
	refs := m.References()
	if len(refs) != 1 || refs[0].Key != "OPENAI_API_KEY" || !refs[0].Managed || refs[0].Elsewhere {
		t.Errorf("got references %+v, want one to the app's secret OPENAI_API_KEY", refs)
	}
}

// TestParse_unreadable holds what is no text at all, or too much of it.
func TestParse_unreadable(t *testing.T) {
	t.Parallel()

	filler := func(n int) string { return "# " + strings.Repeat("x", n-3) + "\n" }
	cases := []struct {
		name, data string
		want       []string
	}{
		{"empty", "", []string{"spicepod: spicepod.yaml: is empty: a spicepod begins with version: v2, kind: Spicepod and name: NAME"}},
		{"nul_byte", head + "a: \x00", []string{"spicepod: spicepod.yaml: holds a NUL byte, at byte 41: not a text file, or one in UTF-16; save it as UTF-8"}},
		{"not_utf8", head + "a: ä\xff", []string{"spicepod: spicepod.yaml:4:5: not UTF-8: save the file in that encoding\n  a: ä\uFFFD\n      ^"}},
		{"utf16", "\xff\xfev\x00e\x00", []string{"spicepod: spicepod.yaml: holds a NUL byte, at byte 3: not a text file, or one in UTF-16; save it as UTF-8"}},
		{"control_character", head + "a: \x1b[31m", []string{"spicepod: spicepod.yaml:4:4: the control character U+001B is not allowed in YAML: remove it\n  a: \uFFFD[31m\n     ^"}},
		{"one_byte_too_many", head + filler(1<<20-len(head)+1), []string{"spicepod: spicepod.yaml: is 1048577 bytes, Spice Cloud takes at most 1 MiB (1048576 bytes)"}},
		{
			"too_many_in_the_request", head + strings.Repeat("#\n", 400_000),
			[]string{"spicepod: spicepod.yaml: is 1200056 bytes in the request that sends it, where line breaks and quotes take two, and Spice Cloud takes at most 1 MiB (1048576 bytes): remove comments, shorten long texts"},
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := spicepod.Parse("spicepod.yaml", []byte(tc.data))
			problems, ok := err.(diag.Problems)
			if !ok {
				t.Fatalf("got %v, want problems", err)
			}
			var got []string
			for _, p := range problems {
				got = append(got, p.Error())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("unexpected problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParse_as_large_as_allowed(t *testing.T) {
	t.Parallel()

	// The request has 15 bytes around the text, and each of its four line breaks takes two.
	data := head + "# " + strings.Repeat("<", 1<<20-len(head)-len(`{"spicepod":""}`)-len("# ")-len("\n")-4) + "\n"
	if _, err := spicepod.Parse("spicepod.yaml", []byte(data)); err != nil {
		t.Errorf("got %v for %d bytes, want no error", err, len(data))
	}
	if _, err := spicepod.Parse("spicepod.yaml", []byte(data+"#")); err == nil {
		t.Errorf("got no error for %d bytes, want one", len(data)+1)
	}
}

func TestParse_lists_a_hundred_problems(t *testing.T) {
	t.Parallel()

	_, err := spicepod.Parse("spicepod.yaml", []byte(head+"datasets:\n"+strings.Repeat("  - x\n", 150)))
	problems, ok := err.(diag.Problems)
	if !ok || len(problems) != 101 {
		t.Fatalf("got %d problems, want 100 and the number of the others", len(problems))
	}
	if got, want := problems[100].Message, "50 more problems are not listed"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// bomb is YAML in which each of n anchors stands for nine times the one before.
func bomb(n int) string {
	var b strings.Builder
	b.WriteString(head + "x0: &x0 [lol, lol, lol]\n")
	for i := range n {
		fmt.Fprintf(&b, "x%d: &x%d [%s*x%d]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*x%d, ", i), 8), i)
	}
	return b.String()
}

// TestParse_hostile holds files that are made to take all memory or time there is.
func TestParse_hostile(t *testing.T) {
	t.Parallel()

	const size = 1 << 16
	lines := func(each string) string {
		var b strings.Builder
		for i := 0; b.Len() < size; i++ {
			b.WriteString(strings.ReplaceAll(each, "N", fmt.Sprint(i)))
		}
		return b.String()
	}
	cases := []struct{ name, data, want string }{
		{"aliases_of_aliases", bomb(30), "larger than 16 MiB once its aliases"},
		{"aliases_of_a_long_text", head + "a: &a " + strings.Repeat("x", size) + "\nb:\n" + strings.Repeat("  - *a\n", 300), "larger than 16 MiB once its aliases"},
		{"merges_of_a_large_map", head + "a: &a {" + lines("kN: 1, ") + "}\nb:\n" + strings.Repeat("  - <<: *a\n", 1000), "larger than 16 MiB once its aliases"},
		{"chain_of_aliases", head + "a0: &a0 [x]\n" + func() string {
			var b strings.Builder
			for i := 1; i < 5000; i++ {
				fmt.Fprintf(&b, "a%d: &a%d [*a%d]\n", i, i, i-1)
			}
			return b.String()
		}(), "more than 100 levels"},
		{"deep_brackets", head + "a: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "more than 100 levels"},
		{"endless_brackets", head + "a: " + strings.Repeat("[", size), "not valid YAML: exceeded max depth"},
		{"endless_dashes", strings.Repeat("- ", size/2), "not valid YAML: exceeded max depth"},
		{"one_key_over_and_over", strings.Repeat("a:\n", size/3), "is given twice"},
		{"one_flow_list", head + "a: [" + strings.Repeat("a,", size/2) + "]", ""},
		{"references_in_one_line", head + "a: [" + strings.Repeat("\"${a:b}\",", size/9) + "]", ""},
		{"references_in_one_text", head + "a: " + strings.Repeat("${a:b}", size/6), ""},
		{"escaped_references", head + lines("kN: \"\\u0024{a:b}\"\n"), ""},
		{"almost_references", head + "a: " + strings.Repeat("${ a:", size/5) + "x", ""},
		{"pairs_in_one_text", head + "a: '" + strings.Repeat("token=a ", size/8) + "'", ""},
		{"urls_in_one_text", head + "a: '" + strings.Repeat("a://b:@", size/7) + "'", ""},
		{"problems_inside_one_secret", head + "key:\n" + strings.Repeat("  - {a: 1, a: 2}\n", size/16), "is given twice"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			m, err := spicepod.Parse("spicepod.yaml", []byte(tc.data))
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("got %.300s, want no error", err.Error())
			case tc.want == "":
				spicepod.Compare(nil, m)
			case err == nil || !strings.Contains(err.Error(), tc.want):
				t.Errorf("got %.300s, want an error with %q", fmt.Sprint(err), tc.want)
			}
			// Most take milliseconds; the limit leaves room for the race detector on a busy machine.
			if took := time.Since(start); took > time.Minute {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestManifest_References(t *testing.T) {
	t.Parallel()

	m := parse(t, head+`x-shared: &shared
  pg_pass: ${ secrets:SHARED }
datasets:
  - name: orders
    params:
      <<: *shared
      url: mysql://${env:USER}:${ env:pass-word }@h/${ secrets:_DB }
  - name: customers
    params: *shared
views:
  - sql: |
      -- ${ secrets:IN_A_COMMENT_OF_SQL }
      SELECT '${ secrets:IN_SQL
      }'
    name: "äö ü"
metadata:
  ${ secrets:IN_A_KEY }: 1
  # ${ secrets:IN_A_COMMENT }
  escaped: "\u0024{ secrets:ESCAPED }"
  none: [ "${{ secrets:A }}", "${secrets:}", "${:A}", "${secrets A}", "$ {secrets:A}", "${1:A}" ]
`)
	var got []string
	for _, r := range m.References() {
		got = append(got, fmt.Sprintf("%d:%d %s %s:%s", r.Line, r.Column, r.Path, r.Store, r.Key))
	}
	want := []string{
		"5:12 datasets.orders.params.pg_pass secrets:SHARED",
		"10:20 datasets.orders.params.url env:USER",
		"10:32 datasets.orders.params.url env:pass-word",
		"10:53 datasets.orders.params.url secrets:_DB",
		`15:10 views."äö ü".sql secrets:IN_A_COMMENT_OF_SQL`,
		`16:15 views."äö ü".sql secrets:IN_SQL`,
		`20:3 metadata."${ secrets:IN_A_KEY }" secrets:IN_A_KEY`,
		"22:12 metadata.escaped secrets:ESCAPED",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected references (-want +got):\n%s", diff)
	}
}

func TestManifest_References_stores(t *testing.T) {
	t.Parallel()

	cases := []struct {
		name, secrets, reference string
		managed, elsewhere       bool
	}{
		{"secrets", "", "${ secrets:K }", true, false},
		{"environment", "", "${ env:K }", true, false},
		{"unknown", "", "${ vault:K }", false, false},
		{"environment_by_another_name", "secrets: [{from: env, name: foo}]", "${ foo:K }", true, false},
		{"environment_with_a_selector", "secrets: [{from: 'env:x', name: foo}]", "${ foo:K }", true, false},
		{"other_store", "secrets: [{from: 'kubernetes:app', name: k8s}]", "${ k8s:K }", false, true},
		{"other_store_named_like_the_environment", "secrets: [{from: keyring, name: env}]", "${ env:K }", false, true},
		{"any_store_with_the_environment_alone", "secrets: [{from: env, name: env}]", "${ secrets:K }", true, false},
		{"any_store_with_another", "secrets: [{from: env, name: env}, {from: keyring, name: ring}]", "${ secrets:K }", true, true},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			refs := parse(t, head+tc.secrets+"\nmetadata: {a: '"+tc.reference+"'}\n").References()
			if len(refs) != 1 {
				t.Fatalf("got %d references, want 1", len(refs))
			}
			if got, want := [2]bool{refs[0].Managed, refs[0].Elsewhere}, [2]bool{tc.managed, tc.elsewhere}; got != want {
				t.Errorf("got managed and elsewhere %v, want %v", got, want)
			}
		})
	}
}

func TestManifest_References_of_JSON(t *testing.T) {
	t.Parallel()

	refs := fromJSON(t, `{"datasets":[{"name":"orders","params":{"pg_pass":"${secrets:PG_PASS}"}}]}`).References()
	want := []spicepod.Reference{{Store: "secrets", Key: "PG_PASS", Path: "datasets.orders.params.pg_pass", Managed: true}}
	if diff := cmp.Diff(want, refs); diff != "" {
		t.Errorf("unexpected references (-want +got):\n%s", diff)
	}
}
