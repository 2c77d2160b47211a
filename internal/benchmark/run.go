//go:build unix

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// scene is a situation that is measured: what is there, and what the step is given.
type scene struct {
	scenario map[string]any
	files    map[string]string // of the checkout, by name
	inputs   []string          // INPUT_NAME=value
}

// result is one run.
type result struct {
	timing

	created time.Duration // from the start to the answer to the create
	log     int64         // length of the log in bytes
	traffic
}

// run lets a scene happen n times, each time from the same state, and returns the results by how long they took.
func (b *bench) run(ctx context.Context, s scene, n int) (results []result, err error) {
	checkout, err := os.MkdirTemp(b.dir, "checkout")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(checkout)) }()
	for name, content := range s.files {
		if err := os.WriteFile(filepath.Join(checkout, name), []byte(content), 0o600); err != nil {
			return nil, err
		}
	}
	for range n {
		r, err := b.once(ctx, s, checkout)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	slices.SortFunc(results, func(x, y result) int { return cmp.Compare(x.Took, y.Took) })
	return results, nil
}

func (b *bench) once(ctx context.Context, s scene, checkout string) (r result, err error) {
	c, err := b.startCloud(ctx, s.scenario)
	if err != nil {
		return result{}, err
	}
	defer c.stop()
	for _, name := range []string{"outputs", "summary"} {
		if err := os.WriteFile(filepath.Join(b.dir, name), nil, 0o600); err != nil {
			return result{}, err
		}
	}
	log, err := os.Create(filepath.Join(b.dir, "log"))
	if err != nil {
		return result{}, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	if r.timing, err = b.time(b.step(ctx, checkout, c.url, c.token, s.inputs), log); err != nil {
		return result{}, err
	}
	if r.Exit != 0 {
		said, _ := os.ReadFile(log.Name())
		return result{}, fmt.Errorf("the run ended with exit code %d:\n%s", r.Exit, said[max(0, len(said)-4096):])
	}
	if info, err := log.Stat(); err == nil {
		r.log = info.Size()
	}
	if r.traffic, err = c.traffic(ctx); err != nil {
		return result{}, err
	}
	r.created = r.traffic.created.Sub(r.Start)
	return r, nil
}

// step is the process of a step of GitHub Actions, and nothing of the environment that the benchmark runs in.
func (b *bench) step(ctx context.Context, checkout, url, token string, inputs []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, b.binary)
	cmd.Dir = checkout
	cmd.Env = append([]string{
		"HOME=" + b.dir, "PATH=/usr/local/bin:/usr/bin:/bin",
		"GITHUB_ACTIONS=true", "GITHUB_EVENT_NAME=push", "GITHUB_SHA=c0ffee1c0ffee1c0ffee1c0ffee1c0ffee1c0ffe",
		"GITHUB_REF=refs/heads/main", "GITHUB_REF_NAME=main", "GITHUB_REPOSITORY=acme/shop", "GITHUB_REPOSITORY_OWNER=acme",
		"GITHUB_WORKSPACE=" + checkout,
		"GITHUB_OUTPUT=" + filepath.Join(b.dir, "outputs"), "GITHUB_STEP_SUMMARY=" + filepath.Join(b.dir, "summary"),
		"INPUT_API-URL=" + url, "INPUT_API-TOKEN=" + token, "INPUT_APP-NAME=shop-app",
	}, inputs...)
	return cmd
}
