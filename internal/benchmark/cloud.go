//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// cloud is an emulator in a process of its own.
type cloud struct {
	cmd        *exec.Cmd
	url, token string
}

// startCloud starts an emulator with a scenario, in the form of the file that emulator-faults names.
func (b *bench) startCloud(ctx context.Context, scenario map[string]any) (*cloud, error) {
	data, err := json.Marshal(scenario)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(b.dir, "scenario.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return nil, err
	}
	c := &cloud{cmd: exec.CommandContext(ctx, b.binary, "emulator", "--emulator-faults", file)}
	c.cmd.Dir, c.cmd.Env = b.dir, []string{"HOME=" + b.dir}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the emulator: %w", err)
	}
	lines := bufio.NewReader(stdout)
	said, err := c.readAddress(lines)
	if err != nil {
		c.stop()
		return nil, fmt.Errorf("start the emulator: %w\n%s", err, said)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }() // a line for each request, until it is stopped
	return c, nil
}

// readAddress reads what the emulator says when it starts, up to the line that tells how to use it.
func (c *cloud) readAddress(lines *bufio.Reader) (said string, err error) {
	for {
		line, err := lines.ReadString('\n')
		said += line
		if err != nil {
			return said, err
		}
		for field := range strings.FieldsSeq(line) {
			if url, ok := strings.CutPrefix(field, "SPICE_API_URL="); ok {
				c.url = url
			}
			if token, ok := strings.CutPrefix(field, "SPICE_API_TOKEN="); ok {
				c.token = token
				return said, nil
			}
		}
	}
}

func (c *cloud) stop() {
	_ = c.cmd.Process.Kill() // it has nothing to tidy up
	_ = c.cmd.Wait()
}

// traffic is what the emulator received in one run.
type traffic struct {
	requests int
	refused  int       // with 429
	created  time.Time // when the create of the deployment was answered; zero where there was none
}

// traffic asks the emulator what it received since it was last reset.
func (c *cloud) traffic(ctx context.Context) (traffic, error) {
	var said struct {
		Requests []struct {
			Method   string    `json:"method"`
			Path     string    `json:"path"`
			Status   int       `json:"status"`
			At       time.Time `json:"received_at"`
			Duration int64     `json:"duration_ms"`
		} `json:"requests"`
	}
	if err := c.control(ctx, http.MethodGet, "requests", "", &said); err != nil {
		return traffic{}, err
	}
	t := traffic{requests: len(said.Requests)}
	for _, r := range said.Requests {
		if r.Status == http.StatusTooManyRequests {
			t.refused++
		}
		if r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/deployments") {
			t.created = r.At.Add(time.Duration(r.Duration) * time.Millisecond)
		}
	}
	return t, nil
}

// control uses a route of the emulator's own.
func (c *cloud) control(ctx context.Context, method, route, body string, into any) (err error) {
	req, err := http.NewRequestWithContext(ctx, method, c.url+"/_emulator/"+route, strings.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if resp.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
		return fmt.Errorf("%s /_emulator/%s: %s: %s", method, route, resp.Status, said)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
