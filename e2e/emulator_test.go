package e2e

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
)

// spiceCloud is an emulator in another process, with the app my-app.
type spiceCloud struct{ url, token string }

// app is what the emulator knows of an app.
type app struct {
	Secrets     []string     `json:"secrets"`
	Deployments []deployment `json:"deployments"`
}

type deployment struct {
	Status  string `json:"status"`
	Branch  string `json:"branch"`
	Commit  string `json:"commit_sha"`
	Message string `json:"commit_message"`
}

// startCloud serves a Spice Cloud on loopback until the test ends; more is added to its scenario.
func startCloud(t *testing.T, more string) spiceCloud {
	t.Helper()
	scenario := filepath.Join(t.TempDir(), "scenario.yaml")
	text := "settings: {queued: 10ms, in_progress: 10ms}\napps: [{name: my-app}]\n" + more
	if err := os.WriteFile(scenario, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program(t, "spice-deploy"), "emulator", "--listen", "127.0.0.1:0", "--emulator-faults", scenario)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var cloud spiceCloud
	lines := bufio.NewScanner(stdout)
	for cloud.token == "" && lines.Scan() {
		if match := regexp.MustCompile(`^emulator .* at (\S+);`).FindStringSubmatch(lines.Text()); match != nil {
			cloud.url = match[1]
		}
		if match := regexp.MustCompile(`^api-token +(\S+)$`).FindStringSubmatch(lines.Text()); match != nil {
			cloud.token = match[1]
		}
	}
	read := make(chan struct{})
	go func() { // or it would block once the pipe is full
		defer close(read)
		for lines.Scan() {
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-read
		if err := cmd.Wait(); err != nil {
			t.Errorf("emulator: %v", err)
		}
	})
	if cloud.url == "" || cloud.token == "" {
		t.Fatal("the emulator did not say its address and token")
	}
	return cloud
}

// app is the state of my-app.
func (c spiceCloud) app(t *testing.T) app {
	t.Helper()
	resp, err := http.Get(c.url + "/_emulator/state")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var state struct {
		Apps []app `json:"apps"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&state); err != nil || len(state.Apps) != 1 {
		t.Fatalf("state of the emulator: %d apps, %v", len(state.Apps), err)
	}
	return state.Apps[0]
}
