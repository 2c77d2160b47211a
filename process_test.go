package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// job is a run of the binary in a step on GitHub, against a Spice Cloud of its own.
type job struct {
	cloud  *emulator.Emulator
	cmd    *exec.Cmd
	env    map[string]string
	stdout bytes.Buffer
	stderr bytes.Buffer
	sent   time.Time // the last signal
}

func newJob(t *testing.T, options emulator.Options) *job {
	t.Helper()
	name, err := exec.LookPath("spice-deploy") // where TestMain has put it
	if err != nil {
		t.Fatal(err)
	}
	j := &job{cloud: emulator.New(options)}
	if _, err := j.cloud.AddApp(emulator.App{Name: "shop-app"}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(j.cloud)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	dir := t.TempDir()
	for name, content := range map[string]string{"spicepod.yaml": "version: v1\nkind: Spicepod\nname: shop\n", "event.json": "{}", "output": "", "summary": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	j.env = map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_SHA": "c0ffee0000000000000000000000000000000000", "GITHUB_REF_NAME": "main",
		"GITHUB_WORKSPACE": dir, "GITHUB_EVENT_PATH": filepath.Join(dir, "event.json"),
		"GITHUB_OUTPUT": filepath.Join(dir, "output"), "GITHUB_STEP_SUMMARY": filepath.Join(dir, "summary"),
		"INPUT_API-URL": server.URL, "INPUT_API-TOKEN": j.cloud.Token(), "INPUT_APP-NAME": "shop-app",
		"INPUT_SECRETS": "PASSWORD=hunter2-hunter2", "GORACE": "atexit_sleep_ms=10",
	}
	j.cmd = exec.Command(name)
	j.cmd.Dir = dir
	j.cmd.Stdout, j.cmd.Stderr = &j.stdout, &j.stderr
	return j
}

func (j *job) start(t *testing.T) {
	t.Helper()
	j.cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	for name, value := range maps.All(j.env) {
		j.cmd.Env = append(j.cmd.Env, name+"="+value)
	}
	if err := j.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.cmd.Process.Kill() })
}

func (j *job) signal(t *testing.T, s os.Signal) {
	t.Helper()
	j.sent = time.Now()
	if err := j.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// end waits for the process and returns its exit code, -1 where a signal killed it, as it does one that does not end.
func (j *job) end(t *testing.T) int {
	t.Helper()
	late := time.AfterFunc(30*time.Second, func() { _ = j.cmd.Process.Kill() })
	defer late.Stop()
	err := j.cmd.Wait()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	return j.cmd.ProcessState.ExitCode()
}

// until waits for something to come true of the job.
func (j *job) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			_ = j.cmd.Process.Kill()
			_ = j.cmd.Wait()
			t.Fatalf("never %s\n%s%s", what, j.stdout.String(), j.stderr.String())
		}
	}
}

// asked tells whether a request is under way or was answered.
func (j *job) asked(method, path string) func() bool {
	pattern := regexp.MustCompile("^/v1" + path + "$")
	return func() bool {
		for _, r := range j.cloud.Requests() {
			if r.Method == method && pattern.MatchString(r.Path) {
				return true
			}
		}
		return false
	}
}

// read is the content of a file of the job.
func (j *job) read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(j.cmd.Dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// held is a fault that keeps a request without an answer.
func held(method, path string, afterEffect bool) func(emulator.Incoming) *emulator.Fault {
	pattern := regexp.MustCompile("^/v1" + path + "$")
	return func(in emulator.Incoming) *emulator.Fault {
		if in.Method != method || !pattern.MatchString(in.Path) {
			return nil
		}
		return &emulator.Fault{Kind: emulator.Slow, Delay: time.Hour, AfterEffect: afterEffect}
	}
}

// TestSignal stops the binary at each stage of a run that the scripts result_cancelled do not stop it at.
func TestSignal(t *testing.T) {
	t.Parallel()

	cases := []struct {
		name         string
		method, path string
		reason       string
		changed      bool
	}{
		{name: "planning", method: "GET", path: "/projects", reason: "before anything was changed"},
		{name: "reading_side_by_side", method: "GET", path: "/projects/101/secrets", reason: "before anything was changed"},
		{name: "updating_the_app", method: "PUT", path: "/projects/101", reason: "stopped by", changed: true},
		{name: "writing_secrets", method: "POST", path: "/projects/101/secrets", reason: "before a deployment was created; the spicepod was updated, the tags were updated, 1 secret perhaps written", changed: true},
		{name: "following", method: "GET", path: "/projects/101/deployments/1001", reason: "while deployment 1001 was queued; it goes on without this run", changed: true},
	}
	for _, tc := range cases {
		for signal, exit := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
			t.Run(fmt.Sprintf("%s_%d", tc.name, exit), func(t *testing.T) {
				t.Parallel()

				j := newJob(t, emulator.Options{FaultFor: held(tc.method, tc.path, false)})
				j.env["GITHUB_REPOSITORY"] = "acme/shop"
				j.start(t)
				j.until(t, "asked", j.asked(tc.method, tc.path))
				j.signal(t, signal)
				j.holdStopped(t, exit, tc.reason)
				if got := len(j.cloud.Apps()[0].Deployments); tc.name != "following" && got != 0 {
					t.Errorf("expected %d deployments to be none", got)
				}
				if wrote := j.asked("PUT", "/projects/101")() || j.asked("POST", ".*")(); wrote != tc.changed {
					t.Errorf("expected %t to be %t: something was changed", wrote, tc.changed)
				}
			})
		}
	}
}

// holdStopped waits for the end of a job that was stopped, and holds what it leaves behind.
func (j *job) holdStopped(t *testing.T, exit int, reason string) {
	t.Helper()
	if got := j.end(t); got != exit {
		t.Errorf("expected the exit code %d to be %d\n%s%s", got, exit, j.stdout.String(), j.stderr.String())
	}
	if took := time.Since(j.sent); took > 5*time.Second {
		t.Errorf("it took %s to stop", took)
	}
	outputs, err := parseOutputs(j.read(t, "output"))
	if err != nil {
		t.Fatal(err)
	}
	if got := outputs["result"]; got != "cancelled" {
		t.Errorf("result: expected %q to be cancelled", got)
	}
	if got := outputs["reason"]; !strings.Contains(got, reason) {
		t.Errorf("reason: expected %q to hold %q", got, reason)
	}
	if got := j.read(t, "summary"); !strings.HasPrefix(got, "## 🛑 Cancelled") {
		t.Errorf("unexpected summary %q", got)
	}
	log := j.stdout.String()
	if opened, closed := strings.Count(log, "::group::"), strings.Count(log, "::endgroup::"); opened != closed {
		t.Errorf("%d groups were opened and %d closed:\n%s", opened, closed, log)
	}
}

// TestSignal_whileASecretIsTyped: a run that waits for its standard input stops as well.
func TestSignal_whileASecretIsTyped(t *testing.T) {
	t.Parallel()

	j := newJob(t, emulator.Options{})
	delete(j.env, "INPUT_API-TOKEN")
	j.cmd.Args = append(j.cmd.Args, "deploy", "--api-token", "-")
	input, err := j.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	j.start(t)
	// More than a pipe holds: that it could be written shows that the binary reads, and it has not come to the end.
	if _, err := io.WriteString(input, strings.Repeat("x", 1<<20)); err != nil {
		t.Fatal(err)
	}
	j.signal(t, syscall.SIGTERM)
	j.holdStopped(t, 143, "before anything was changed")
}

// TestSignal_asPID1 stops the binary as the first process of a PID namespace, which it is in a container: there the
// kernel has no default action for signals.
func TestSignal_asPID1(t *testing.T) {
	t.Parallel()

	flags := []string{"--pid", "--fork", "--kill-child"}
	if err := exec.Command("unshare", append(flags, "true")...).Run(); err != nil {
		flags = append([]string{"--user"}, flags...)
		if err := exec.Command("unshare", append(flags, "true")...).Run(); err != nil {
			t.Skipf("not proven here: this machine makes no PID namespaces (unshare: %s)", err)
		}
	}
	for _, second := range []bool{false, true} {
		t.Run(fmt.Sprintf("second_signal_%t", second), func(t *testing.T) {
			t.Parallel()

			fault := held("GET", "/projects/101/deployments/1001", false)
			if second { // what it does after the first signal, it does for 3 s
				create := held("POST", "/projects/101/deployments", true)
				list := held("GET", "/projects/101/deployments", false)
				var mu sync.Mutex
				lists := 0
				fault = func(in emulator.Incoming) *emulator.Fault {
					if f := create(in); f != nil {
						return f
					}
					f := list(in)
					mu.Lock()
					defer mu.Unlock()
					if f != nil {
						lists++
					}
					if lists < 2 {
						return nil
					}
					return f
				}
			}
			j := newJob(t, emulator.Options{FaultFor: fault})
			var err error
			j.cmd.Args = append(append([]string{"unshare"}, flags...), j.cmd.Path)
			if j.cmd.Path, err = exec.LookPath("unshare"); err != nil {
				t.Fatal(err)
			}
			j.start(t)
			if second {
				j.until(t, "asked for a deployment", j.asked("POST", "/projects/101/deployments"))
			} else {
				j.until(t, "followed", j.asked("GET", "/projects/101/deployments/1001"))
			}
			process := firstProcess(t, j.cmd.Process.Pid)
			j.sent = time.Now()
			if err := process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if !second {
				j.holdStopped(t, 143, "while deployment 1001 was queued")
			} else {
				time.Sleep(200 * time.Millisecond)
				j.sent = time.Now()
				if err := process.Signal(syscall.SIGINT); err != nil {
					t.Fatal(err)
				}
				if got := j.end(t); got != 130 {
					t.Errorf("expected the exit code %d to be 130\n%s", got, j.stdout.String())
				}
				if took := time.Since(j.sent); took > 2*time.Second {
					t.Errorf("it took %s to end at once", took)
				}
			}
		})
	}
}

// firstProcess is the one that unshare has made, which is the first of its namespace.
func firstProcess(t *testing.T, unshare int) *os.Process {
	t.Helper()
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", unshare, unshare))
	if err != nil {
		t.Fatal(err)
	}
	pid := strings.TrimSpace(string(children))
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^NSpid:.*\t1$`).Match(status) || !regexp.MustCompile(`(?m)^Name:\tspice-deploy$`).Match(status) {
		t.Fatalf("it is not the first process:\n%s", status)
	}
	number, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	p, err := os.FindProcess(number)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestClosedLog: nobody reads the log any more, as in spice-deploy | head -1, and the deployment goes on.
func TestClosedLog(t *testing.T) {
	t.Parallel()

	broken := func(t *testing.T) *os.File {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		t.Cleanup(func() { w.Close() })
		return w
	}
	cases := []struct {
		name    string
		stdout  func(t *testing.T) *os.File
		stderr  bool // closed too
		status  string
		exit    int
		warning string
	}{
		{name: "broken_pipe", stdout: broken, exit: 0, warning: "broken pipe"},
		{name: "broken_pipes", stdout: broken, stderr: true, exit: 0},
		{name: "broken_pipe_and_a_failure", stdout: broken, status: "failed", exit: 1, warning: "broken pipe"},
		{name: "full_disk", exit: 0, warning: "no space left on device", stdout: func(t *testing.T) *os.File {
			f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
			return f
		}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()

			j := newJob(t, emulator.Options{Queued: 1, InProgress: 1})
			if tc.status != "" {
				if err := j.cloud.Apply(emulator.Scenario{Outcomes: []emulator.Outcome{{Status: tc.status}}}); err != nil {
					t.Fatal(err)
				}
			}
			j.cmd.Stdout = tc.stdout(t)
			if tc.stderr {
				j.cmd.Stderr = broken(t)
			}
			j.start(t)
			if got := j.end(t); got != tc.exit {
				t.Errorf("expected the exit code %d to be %d\n%s", got, tc.exit, j.stderr.String())
			}
			if got := j.stderr.String(); tc.warning != "" && (!strings.HasPrefix(got, "warning: not all of the log") || !strings.Contains(got, tc.warning)) {
				t.Errorf("unexpected stderr %q", got)
			}
			outputs, err := parseOutputs(j.read(t, "output"))
			if err != nil || outputs["deployment-id"] != "1001" || outputs["result"] == "" {
				t.Errorf("unexpected outputs %v, %v", outputs, err)
			}
		})
	}
}
