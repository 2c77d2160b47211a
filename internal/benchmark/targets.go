//go:build unix

package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// targets prints what there is a target for.
func (b *bench) targets(ctx context.Context) error {
	fmt.Fprintf(b.out, "\n| what | target | measured |\n| --- | --- | --- |\n")
	for _, m := range []struct {
		name, target string
		measure      func(context.Context) (string, error)
	}{
		{"from the start to the first request", "≤ 10 ms", b.firstRequest},
		{"a run whose deployment succeeds at once", "≤ 0.05 s, ≤ 24 MiB", b.alreadyDone},
		{"20 secrets, tags and a spicepod at 50 ms per request: up to the answer to the create", "≤ 0.5 s", b.usual},
		{"1,000 secrets at 20 ms per request", "≤ 3 s", b.thousand(0)},
		{"1,000 secrets at 20 ms per request, of which the server takes 100 a second", "≤ 12 s", b.thousand(100)},
		{"size of the binary", "≤ 12 MiB", b.size},
	} {
		if !strings.Contains(m.name, b.only) {
			continue
		}
		got, err := m.measure(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		fmt.Fprintf(b.out, "| %s | %s | %s |\n", m.name, m.target, got)
	}
	return nil
}

const spicepod = "version: v2\nkind: Spicepod\nname: shop\ndatasets:\n  - from: postgres:orders\n    name: orders\n    params:\n      pg_pass: ${ secrets:SECRET_0 }\n"

// app is the scenario with one app, whose deployments succeed at once.
func app(more map[string]any) map[string]any {
	one := map[string]any{"name": "shop-app"}
	maps.Copy(one, more)
	return map[string]any{
		"settings": map[string]any{"queued": "0s", "in_progress": "0s"},
		"apps":     []any{one},
	}
}

// slow delays every answer of a scenario.
func slow(scenario map[string]any, by string) map[string]any {
	scenario["faults"] = []any{map[string]any{"delay": by, "times": -1}}
	return scenario
}

func (b *bench) firstRequest(ctx context.Context) (string, error) {
	arrived := make(chan time.Time, 100)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{
		ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			arrived <- time.Now()
			http.Error(w, `{"error": "no"}`, http.StatusForbidden) // which ends the run
		}),
	}
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Close() }()
	if err := os.WriteFile(b.dir+"/spicepod.yaml", []byte(spicepod), 0o600); err != nil {
		return "", err
	}
	var all []time.Duration
	for range b.times(51) {
		cmd := b.step(ctx, b.dir, "http://"+listener.Addr().String(), "a-token-of-nobody", []string{"INPUT_SECRETS=SECRET_0=a-value"})
		start := time.Now()
		said, _ := cmd.CombinedOutput() // it ends with the code of a refusal
		select {
		case first := <-arrived:
			all = append(all, first.Sub(start))
		default:
			return "", fmt.Errorf("there was no request:\n%s", said)
		}
		for len(arrived) > 0 {
			<-arrived
		}
	}
	return spread(all), nil
}

func (b *bench) alreadyDone(ctx context.Context) (string, error) {
	results, err := b.run(ctx, scene{
		scenario: app(nil), files: map[string]string{"spicepod.yaml": spicepod}, inputs: []string{"INPUT_SECRETS=SECRET_0=a-value"},
	}, b.times(31))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, %s, %d requests", spread(took(results)), memory(results), median(results).requests), nil
}

func (b *bench) usual(ctx context.Context) (string, error) {
	results, err := b.run(ctx, scene{
		scenario: slow(app(nil), "50ms"),
		files:    map[string]string{"spicepod.yaml": spicepod, ".env": secrets(20, 40)},
		inputs:   []string{"INPUT_SECRETS-FILE=.env", "INPUT_TAGS=team: data"},
	}, b.times(11))
	if err != nil {
		return "", err
	}
	var created []time.Duration
	for _, r := range results {
		created = append(created, r.created)
	}
	return fmt.Sprintf("%s, %d requests with the look after it", spread(created), median(results).requests), nil
}

// thousand writes 1,000 secrets where the server takes so many requests per second, 0 for any number.
func (b *bench) thousand(limit int) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		n := 1000
		if b.brief {
			n = 200
		}
		scenario := slow(app(nil), "20ms")
		scenario["settings"] = map[string]any{"queued": "0s", "in_progress": "0s", "rate_limit": limit}
		results, err := b.run(ctx, scene{
			scenario: scenario,
			files:    map[string]string{"spicepod.yaml": spicepod, ".env": secrets(n, 40)},
			inputs:   []string{"INPUT_SECRETS-FILE=.env"},
		}, b.times(5))
		if err != nil {
			return "", err
		}
		m := median(results)
		return fmt.Sprintf("%s, %d requests, %d of them refused", spread(took(results)), m.requests, m.refused), nil
	}
}

func (b *bench) size(context.Context) (string, error) {
	info, err := os.Stat(b.binary)
	if err != nil {
		return "", err
	}
	return mebibytes(info.Size()), nil
}

// secrets is a file of n secrets with values of so many bytes.
func secrets(n, length int) string {
	var out strings.Builder
	r := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		value := make([]byte, (length+3)/4*3)
		for j := range value {
			value[j] = byte(r.Uint32())
		}
		fmt.Fprintf(&out, "SECRET_%d=%s\n", i, base64.RawURLEncoding.EncodeToString(value)[:length])
	}
	return out.String()
}
