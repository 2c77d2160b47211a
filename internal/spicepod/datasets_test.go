package spicepod_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/spicepod"
)

func TestDatasets(t *testing.T) {
	t.Parallel()
	const head = "version: v1\nkind: Spicepod\nname: shop\n"
	cases := []struct {
		name, text string
		want       []spicepod.Dataset
	}{
		{"none", "", nil},
		{"empty", "datasets: []\n", nil},
		{"in_order", "datasets:\n  - {from: 's3://b/', name: Trips-EU}\n  - {name: orders, from: 'postgres:orders'}\n", []spicepod.Dataset{{Name: "Trips-EU", From: "s3://b/"}, {Name: "orders", From: "postgres:orders"}}},
		{"without_from", "datasets:\n  - {name: orders}\n", []spicepod.Dataset{{Name: "orders"}}},
		{"from_that_a_secret_is_part_of", "datasets:\n  - {name: orders, from: 's3://${ secrets:BUCKET }/a'}\n", []spicepod.Dataset{{Name: "orders"}}},
		{"from_that_the_environment_is_part_of", "datasets:\n  - {name: orders, from: 's3://${env:BUCKET}/a'}\n", []spicepod.Dataset{{Name: "orders"}}},
		{"reference_to_a_file", "datasets:\n  - {ref: datasets/orders}\n", nil},
		{"merged_keys", "x: &base {from: 'postgres:orders'}\ndatasets:\n  - <<: *base\n    name: orders\n", []spicepod.Dataset{{Name: "orders", From: "postgres:orders"}}},
		{"views_are_none", "views:\n  - {name: v, sql: SELECT 1}\n", nil},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m, err := spicepod.Parse("spicepod.yaml", []byte(head+tc.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, m.Datasets()); diff != "" {
				t.Errorf("datasets (-want, +got):\n%s", diff)
			}
		})
	}
}

// TestDatasets_deployed reads what a service says: nothing of it was checked.
func TestDatasets_deployed(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, raw string
		want      []spicepod.Dataset
	}{
		{"object", `{"datasets":[{"name":"orders","from":"postgres:orders"}]}`, []spicepod.Dataset{{Name: "orders", From: "postgres:orders"}}},
		{"text", `"datasets:\n  - name: orders\n    from: postgres:orders\n"`, []spicepod.Dataset{{Name: "orders", From: "postgres:orders"}}},
		{"no_datasets", `{"name":"shop"}`, nil},
		{"no_list", `{"datasets":{"name":"orders"}}`, nil},
		{"null", `{"datasets":null}`, nil},
		{"entries_that_are_none", `{"datasets":[null,"orders",7,{},{"name":""},{"name":7},{"name":null,"from":"a"},["name"]]}`, nil},
		{"from_that_is_no_text", `{"datasets":[{"name":"orders","from":7}]}`, []spicepod.Dataset{{Name: "orders"}}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m, err := spicepod.FromJSON(json.RawMessage(tc.raw))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, m.Datasets()); diff != "" {
				t.Errorf("datasets (-want, +got):\n%s", diff)
			}
		})
	}
}
