//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// longWait prints what a process holds while it follows a deployment. TestSixHours, in fake time, shows the same
// of a wait for which nobody sits there.
func (b *bench) longWait(ctx context.Context) error {
	const name = "while following a deployment"
	if !strings.Contains(name, b.only) {
		return nil
	}
	seconds := 120
	if b.brief {
		seconds = 4
	}
	scenario := app(nil)
	scenario["settings"] = map[string]any{"queued": "0s", "in_progress": fmt.Sprintf("%ds", seconds)}
	c, err := b.startCloud(ctx, scenario)
	if err != nil {
		return err
	}
	defer c.stop()
	if err := os.WriteFile(filepath.Join(b.dir, "spicepod.yaml"), []byte(spicepod), 0o600); err != nil {
		return err
	}
	cmd := b.step(ctx, b.dir, c.url, c.token, []string{"INPUT_SECRETS=SECRET_0=a-value", "INPUT_POLL-INTERVAL-SECONDS=1"})
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	fmt.Fprintf(b.out, "\n| %s | memory | descriptors | threads |\n| --- | --- | --- | --- |\n", name)
	tick := time.NewTicker(time.Duration(seconds) * time.Second / 4)
	defer tick.Stop()
	for start := time.Now(); ; {
		select {
		case err := <-ended:
			return err
		case <-tick.C:
		}
		if h, err := holds(cmd.Process.Pid); err == nil {
			fmt.Fprintf(b.out, "| after %s | %s | %d | %s |\n", time.Since(start).Round(time.Second), mebibytes(h.memory), h.descriptors, h.threads)
		}
	}
}

// held is what a process holds, as Linux tells it.
type held struct {
	memory      int64 // resident, in bytes
	descriptors int
	threads     string
}

func holds(pid int) (h held, err error) {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	descriptors, err := os.ReadDir(filepath.Join(proc, "fd"))
	if err != nil {
		return held{}, err
	}
	status, err := os.ReadFile(filepath.Join(proc, "status"))
	if err != nil {
		return held{}, err
	}
	h.descriptors = len(descriptors)
	for line := range bytes.Lines(status) {
		key, value, _ := strings.Cut(string(line), ":")
		switch fields := strings.Fields(value); key {
		case "VmRSS":
			if h.memory, err = strconv.ParseInt(fields[0], 10, 64); err != nil {
				return held{}, err
			}
			h.memory <<= 10
		case "Threads":
			h.threads = fields[0]
		}
	}
	return h, nil
}
