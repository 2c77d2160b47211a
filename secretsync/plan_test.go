package secretsync

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/redact"
)

// given is a set of secrets by these names.
func given(names ...string) Set {
	var set Set
	for _, name := range names {
		set.Secrets = append(set.Secrets, Secret{Name: name, Value: redact.New("value of " + name), Source: "secrets"})
	}
	return set
}

func (s Set) without(globs ...string) Set {
	s.Exclude = globs
	return s
}

func TestPlan(t *testing.T) {
	t.Parallel()
	type plan = []Outcome
	excluded := given("A").without("KEEP_*")
	excluded.Excluded = []string{"KEEP_GIVEN"}
	cases := []struct {
		name       string
		set        Set
		existing   []string
		prune      bool
		referenced []string
		want       plan
	}{
		{"nothing", Set{}, nil, true, nil, nil},
		{"create_and_update", given("B", "C"), []string{"C", "A"}, false, nil, plan{{Name: "A", Action: "kept"}, {Name: "B", Action: "create"}, {Name: "C", Action: "update"}}},
		{"prune", given("B"), []string{"A", "B"}, true, nil, plan{{Name: "A", Action: "delete"}, {Name: "B", Action: "update"}}},
		{"prune_spares_what_the_spicepod_needs", given("B"), []string{"PG_PASS", "pg_user", "X"}, true, []string{"pg_pass", "PG_USER"}, plan{{Name: "B", Action: "create"}, {Name: "PG_PASS", Action: "kept"}, {Name: "X", Action: "delete"}, {Name: "pg_user", Action: "kept"}}},
		{"prune_spares_what_the_runtime_finds_by_its_prefix", given("B"), []string{"SPICE_PG_PASS"}, true, []string{"pg_pass"}, plan{{Name: "B", Action: "create"}, {Name: "SPICE_PG_PASS", Action: "kept"}}},
		{"prune_spares_another_spelling", given("B"), []string{"b"}, true, nil, plan{{Name: "B", Action: "create"}, {Name: "b", Action: "kept"}}},
		{"prune_without_secrets", given(), []string{"A"}, true, nil, plan{{Name: "A", Action: "kept"}}},
		{"excluded_are_neither_written_nor_deleted", excluded, []string{"keep_there", "X", "KEEP_GIVEN"}, true, nil, plan{{Name: "A", Action: "create"}, {Name: "KEEP_GIVEN", Action: "excluded"}, {Name: "X", Action: "delete"}, {Name: "keep_there", Action: "excluded"}}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := Plan(tc.set, tc.existing, tc.prune, tc.referenced)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name       string
		references []string
		set        Set
		existing   []string
		want       []MissingSecret
	}{
		{"nothing_needed", nil, given("A"), []string{"B"}, nil},
		{"given_or_there", []string{"A", "B"}, given("A"), []string{"B"}, nil},
		{"looked_up_in_upper_case", []string{"pg_pass"}, given("PG_PASS"), nil, nil},
		{"neither", []string{"C", "b", "C", "B"}, given("A"), nil, []MissingSecret{{Name: "B"}, {Name: "C"}}},
		{"given_in_lower_case", []string{"pg_pass"}, given("pg_pass"), nil, []MissingSecret{{Name: "PG_PASS", StoredAs: "pg_pass"}}},
		{"there_in_lower_case", []string{"PG_PASS"}, Set{}, []string{"Pg_Pass"}, []MissingSecret{{Name: "PG_PASS", StoredAs: "Pg_Pass"}}},
		{"there_with_the_runtime_s_prefix", []string{"openai_api_key"}, Set{}, []string{"SPICE_OPENAI_API_KEY"}, nil},
		{"both_spellings", []string{"PG_PASS"}, given("pg_pass"), []string{"PG_PASS"}, nil},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := Missing(tc.references, tc.set, tc.existing)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}
