package spiceruntime_test

import (
	"net/http"
	"testing"

	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
)

func TestRun_sql_expectations_in_short(t *testing.T) {
	t.Parallel()
	const two = `[{"n":42,"t":"rows"},{"n":null}]`
	cases := []struct{ name, answer, expect, detail, error string }{
		{"more", two, "rows > 0", "2 row(s)", ""},
		{"not_more", two, "rows > 2", "", "expected rows >2, got 2"},
		{"at_least", two, "rows >= 2", "2 row(s)", ""},
		{"not_at_least", two, "rows>=3", "", "expected rows >=3, got 2"},
		{"less", two, "'rows<3 '", "2 row(s)", ""},
		{"not_less", two, "rows < 2", "", "expected rows <2, got 2"},
		{"at_most", two, "rows <= 2", "2 row(s)", ""},
		{"not_at_most", two, "rows <= 1", "", "expected rows <=1, got 2"},
		{"equal", two, "rows = 2", "2 row(s)", ""},
		{"not_equal", two, "rows == 3", "", "expected rows =3, got 2"},
		{"other", two, "rows != 3", "2 row(s)", ""},
		{"not_other", two, "rows != 2", "", "expected rows !=2, got 2"},
		{"number", two, "42", "2 row(s); n is 42", ""},
		{"number_differs", two, "43", "", `expected 43 in column "n" of the first row, got 42`},
		{"number_beyond_a_float", `[{"n":9007199254740993}]`, "9007199254740992", "", "got 9007199254740993"},
		{"text", `[{"t":"rows"}]`, "rows", `1 row(s); t is "rows"`, ""},
		{"text_that_ends_with_equals", `[{"t":"abc=="}]`, "abc==", `1 row(s); t is "abc=="`, ""},
		{"text_with_an_arrow", `[{"t":"x -> y"}]`, "x -> y", `1 row(s); t is "x -> y"`, ""},
		{"comparison_as_a_value", `[{"t":"n = 3"}]`, "{value: n = 3}", `1 row(s); t is "n = 3"`, ""},
		{"truth", `[{"t":true}]`, "true", "1 row(s); t is true", ""},
		{"truth_differs", `[{"t":true}]`, "false", "", "expected false"},
		{"no_row", `[]`, "42", "", "expected a row, got none"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := serve(t, map[string]http.HandlerFunc{"POST /v1/sql": says(200, tc.answer)})
			o := r.run(t, spiceruntime.Inputs{SQL: "- sql: SELECT 1\n  expect: " + tc.expect})
			if o.OK != (tc.error == "") || o.Detail != tc.detail {
				t.Errorf("got %t with %q and %q", o.OK, o.Detail, o.Error)
			}
			contains(t, "the error", o.Error, tc.error)
		})
	}
}
