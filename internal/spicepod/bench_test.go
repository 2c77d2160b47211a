package spicepod_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/spicedeploy/spice-deploy/internal/spicepod"
)

// large is a manifest of n datasets, about 200 bytes each: 5,000 of them fill the megabyte that Spice Cloud takes.
func large(n int, interval string) []byte {
	var b strings.Builder
	b.WriteString("version: v2\nkind: Spicepod\nname: large\ndatasets:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - from: postgres:public.t%d\n    name: t%d\n    params:\n      pg_host: db.example.com\n"+
			"      pg_pass: ${ secrets:PG_PASS }\n    acceleration:\n      enabled: true\n      refresh_check_interval: %s\n", i, i, interval)
	}
	return []byte(b.String())
}

func BenchmarkParseAndCompare(b *testing.B) {
	before, after := large(5000, "10m"), large(5000, "5m")
	b.SetBytes(int64(len(before) + len(after)))
	for b.Loop() {
		deployed, err := spicepod.Parse("a.yaml", before)
		if err != nil {
			b.Fatal(err)
		}
		wanted, err := spicepod.Parse("b.yaml", after)
		if err != nil {
			b.Fatal(err)
		}
		if got, want := len(spicepod.Compare(deployed, wanted).Changes), 5000; got != want {
			b.Fatalf("got %d changes, want %d", got, want)
		}
	}
}
