//go:build unix

package main

import (
	"context"
	"fmt"
	"strings"
)

// growth prints how time and memory grow with what is there and what the step is given: at a quarter, a half and
// the whole of each size.
func (b *bench) growth(ctx context.Context) error {
	fmt.Fprintf(b.out, "\nProcessor time, memory, requests and length of the log of a whole run:\n\n| with | a quarter | a half | all of it |\n| --- | --- | --- | --- |\n")
	for _, g := range []struct {
		name string
		full int
		make func(n int) scene
	}{
		{"10,000 deployments in the history", 10_000, longHistory},
		{"spicepod of 1 MiB with 5,000 datasets, all of them changed", 5000, largeSpicepod},
		{"1,000 secrets of 32 KiB in a file", 1000, largeSecrets},
		{"5,000 apps in the organization", 5000, manyApps},
		{"step log of 10 MiB", 1000, longLog},
	} {
		if !strings.Contains(g.name, b.only) {
			continue
		}
		fmt.Fprintf(b.out, "| %s ", g.name)
		for _, share := range []int{4, 2, 1} {
			n := g.full / share
			if b.brief {
				n /= 50
			}
			results, err := b.run(ctx, g.make(n), b.times(3))
			if err != nil {
				return fmt.Errorf("%s: %w", g.name, err)
			}
			m := median(results)
			fmt.Fprintf(b.out, "| %s, %s, %d requests, %s ", processor(results), memory(results), m.requests, mebibytes(m.log))
		}
		fmt.Fprintln(b.out, "|")
	}
	return nil
}

func longHistory(n int) scene {
	var history []any
	for i := range n {
		history = append(history, map[string]any{"age": fmt.Sprintf("%dm", n-i+60), "commit_sha": fmt.Sprintf("%040x", i)})
	}
	return scene{scenario: app(map[string]any{"deployments": history}), files: map[string]string{"spicepod.yaml": spicepod}, inputs: []string{"INPUT_SECRETS=SECRET_0=a-value"}}
}

func largeSpicepod(n int) scene {
	datasets := func(interval string) string {
		var out strings.Builder
		out.WriteString("version: v2\nkind: Spicepod\nname: large\ndatasets:\n")
		for i := range n {
			fmt.Fprintf(&out, "  - from: postgres:public.t%d\n    name: t%d\n    params:\n      pg_host: db.example.com\n"+
				"      pg_pass: ${ secrets:SECRET_0 }\n    acceleration:\n      enabled: true\n      refresh_check_interval: %s\n", i, i, interval)
		}
		return out.String()
	}
	return scene{
		scenario: app(map[string]any{"spicepod": datasets("10m")}),
		files:    map[string]string{"spicepod.yaml": datasets("5m")}, inputs: []string{"INPUT_SECRETS=SECRET_0=a-value"},
	}
}

func largeSecrets(n int) scene {
	return scene{scenario: app(nil), files: map[string]string{"spicepod.yaml": spicepod, ".env": secrets(n, 32<<10)}, inputs: []string{"INPUT_SECRETS-FILE=.env"}}
}

func manyApps(n int) scene {
	scenario := app(nil)
	apps := []any{}
	for i := range n - 1 {
		apps = append(apps, map[string]any{"name": fmt.Sprintf("another-app-%d", i)})
	}
	scenario["apps"] = append(apps, scenario["apps"].([]any)...)
	return scene{scenario: scenario, files: map[string]string{"spicepod.yaml": spicepod}, inputs: []string{"INPUT_SECRETS=SECRET_0=a-value"}}
}

// longLog is n secrets whose names take 10 KiB each in the one line that lists them.
func longLog(n int) scene {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, "SECRET_%d_%s=%s\n", i, strings.Repeat("ABCDEFGHI_", 1023), fmt.Sprintf("a-value-%06d", i))
	}
	return scene{
		scenario: app(nil), inputs: []string{"INPUT_SECRETS-FILE=.env"},
		files: map[string]string{"spicepod.yaml": "version: v2\nkind: Spicepod\nname: shop\n", ".env": out.String()},
	}
}
