package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// pseudoTerminal is a terminal and what was written to it.
type pseudoTerminal struct {
	*os.File // the side of the person

	mu    sync.Mutex // guards shown
	shown bytes.Buffer
	ended chan struct{}
}

func (p *pseudoTerminal) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shown.String()
}

// resize makes it as wide as columns.
func (p *pseudoTerminal) resize(t *testing.T, columns uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(p.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
}

// openTerminal returns a terminal and the side of the process.
func openTerminal(t *testing.T, columns uint16) (p *pseudoTerminal, process *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("not proven here: this machine makes no terminals (%s)", err)
	}
	t.Cleanup(func() { person.Close() })
	number, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	process, err = os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	p = &pseudoTerminal{File: person, ended: make(chan struct{})}
	p.resize(t, columns)
	return p, process
}

// read keeps what is shown until no process has the terminal any more.
func (p *pseudoTerminal) read() {
	defer close(p.ended)
	part := make([]byte, 4096)
	for {
		n, err := p.Read(part)
		p.mu.Lock()
		p.shown.Write(part[:n])
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// onLaptop is a job that a person starts, in a folder that is no checkout.
func onLaptop(t *testing.T, options emulator.Options) *job {
	t.Helper()
	j := newJob(t, options)
	j.env = map[string]string{
		"SPICE_API_URL": j.env["INPUT_API-URL"], "SPICE_API_TOKEN": j.env["INPUT_API-TOKEN"], "TERM": "xterm-256color",
		"MY_PASSWORD": aPassword, "GORACE": j.env["GORACE"],
	}
	j.cmd.Args = append(j.cmd.Args, "deploy", "--app-name", "shop-app", "--secrets-from-env", "PASSWORD=MY_PASSWORD", "--dataset-ready-timeout-seconds", "0")
	return j
}

const aPassword = "hunter2-hunter2"

// startOn starts a job whose input and output are a terminal of its own.
func (j *job) startOn(t *testing.T, columns uint16) *pseudoTerminal {
	t.Helper()
	p, process := openTerminal(t, columns)
	j.cmd.Stdin, j.cmd.Stdout, j.cmd.Stderr = process, process, process
	j.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	j.start(t)
	process.Close()
	go p.read()
	return p
}

// history is a deployment of the app that took so long.
func (j *job) history(t *testing.T, took time.Duration) {
	t.Helper()
	if _, err := j.cloud.AddDeployment(101, emulator.Deployment{Age: time.Hour, Outcome: lasting(0, took)}); err != nil {
		t.Fatal(err)
	}
}

func lasting(queued, inProgress time.Duration) emulator.Outcome {
	return emulator.Outcome{Queued: &queued, InProgress: &inProgress}
}

// changing is what differs from run to run.
var changing = regexp.MustCompile(`127\.0\.0\.1:[0-9]+|\b[0-9.]+(ms|s)\b`)

func steady(log string) []string {
	return strings.Split(changing.ReplaceAllString(strings.ReplaceAll(log, "\r\n", "\n"), "…"), "\n")
}

// TestTerminal compares what a terminal shows in the end with the log that goes to a file.
func TestTerminal(t *testing.T) {
	t.Parallel()

	cases := []struct {
		name    string
		columns uint16
		env     string
		usual   time.Duration
		outcome emulator.Outcome
		live    string // "" for none
	}{
		{name: "time_left", columns: 100, usual: 30 * time.Second, live: `[0-9]+% █*░+ about [0-9]+s left: 1002 is in_progress`},
		{name: "longer_than_usual", columns: 100, usual: 200 * time.Millisecond, live: `⠋ [1-9]s longer than the usual 1s: 1002 is in_progress`},
		{name: "nothing_known", columns: 100, live: `⠋ [0-9]+s of at most 10m0s: 1001 is in_progress`},
		{name: "narrow", columns: 20, usual: 30 * time.Second, live: `⠋ about [0-9]+s left(?m:$)`},
		{name: "narrower_than_a_label", columns: 5, usual: 30 * time.Second, live: `⠋ a…`},
		{name: "no_size", columns: 0, usual: 30 * time.Second, live: `[0-9]+% █*░+ about [0-9]+s left: 1002 is in_progress`},
		{name: "failed", columns: 80, usual: 30 * time.Second, outcome: emulator.Outcome{Status: "failed", ErrorMessage: "wrong password " + aPassword}, live: `about`},
		{name: "secret_in_the_live_line", columns: 80, usual: 30 * time.Second, outcome: emulator.Outcome{Words: map[string]string{"in_progress": "using " + aPassword}}, live: `left: 1002 is using \*\*\*`},
		{name: "commands_in_the_live_line", columns: 80, usual: 30 * time.Second, outcome: emulator.Outcome{Words: map[string]string{"in_progress": "a\x1b[2Jb\r\nc"}}, live: `left: 1002 is ab  c`},
		{name: "no_color", columns: 100, env: "NO_COLOR=1"},
		{name: "dumb", columns: 100, env: "TERM=dumb"},
		{name: "ci", columns: 100, env: "CI=true"},
		{name: "ci_system", columns: 100, env: "GITLAB_CI=true"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()

			prepared := func() *job {
				j := onLaptop(t, emulator.Options{Queued: 100 * time.Millisecond, InProgress: 2 * time.Second}) // long enough for a busy machine to see both
				if tc.usual != 0 {
					j.history(t, tc.usual)
				}
				if err := j.cloud.AddOutcomes(tc.outcome); err != nil {
					t.Fatal(err)
				}
				if name, value, ok := strings.Cut(tc.env, "="); ok {
					j.env[name] = value
				}
				return j
			}
			toFile := prepared()
			toFile.start(t)
			j := prepared()
			p := j.startOn(t, tc.columns)
			if got, want := j.end(t), toFile.end(t); got != want {
				t.Errorf("expected the exit code %d to be %d", got, want)
			}
			<-p.ended
			output := p.output()
			columns := int(tc.columns)
			if columns == 0 {
				columns = 80
			}
			s := shownOn(t, columns, output)
			if diff := cmp.Diff(steady(toFile.stdout.String()+toFile.stderr.String()), steady(s.text())); diff != "" {
				t.Errorf("shown (-in the file, +on the terminal):\n%s", diff)
			}
			if s.widest >= columns || s.noWrap {
				t.Errorf("the live line used %d columns of %d; lines are not broken now: %t", s.widest, columns, s.noWrap)
			}
			if strings.Contains(output, aPassword) {
				t.Errorf("a secret is shown:\n%q", output)
			}
			if tc.live == "" {
				if strings.Contains(output, "\x1b") {
					t.Errorf("expected plain lines, got %q", output)
				}
				return
			}
			live := strings.Join(liveLines(output), "\n")
			if !regexp.MustCompile(tc.live).MatchString(regexp.MustCompile(`[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]`).ReplaceAllString(live, "⠋")) {
				t.Errorf("the live line never is %q:\n%s", tc.live, live)
			}
			if !strings.Contains(output, "\x1b[2mdeployment  \x1b[0m") {
				t.Errorf("expected colours in %q", output)
			}
		})
	}
}

// drawing is one drawing of the live line.
var drawing = regexp.MustCompile(`\r\x1b\[\?7l(.*?)\x1b\[J\x1b\[\?7h\r`)

// liveLines is what the live line was, without colours.
func liveLines(output string) []string {
	var lines []string
	for _, match := range drawing.FindAllStringSubmatch(output, -1) {
		lines = append(lines, regexp.MustCompile(`\x1b\[[0-9]*m`).ReplaceAllString(match[1], ""))
	}
	return lines
}

// TestTerminal_interrupted presses Ctrl-C while the live line is there.
func TestTerminal_interrupted(t *testing.T) {
	t.Parallel()

	j := onLaptop(t, emulator.Options{})
	if err := j.cloud.AddOutcomes(emulator.Outcome{Status: "stuck"}); err != nil {
		t.Fatal(err)
	}
	p := j.startOn(t, 100)
	j.until(t, "drawn", func() bool { return strings.Contains(p.output(), ": 1001 is ") })
	if _, err := io.WriteString(p, "\x03"); err != nil {
		t.Fatal(err)
	}
	if got := j.end(t); got != 130 {
		t.Errorf("expected the exit code %d to be 130", got)
	}
	<-p.ended
	s := shownOn(t, 100, p.output())
	if s.noWrap {
		t.Error("expected lines to be broken again")
	}
	for line := range strings.Lines(s.text()) {
		if !regexp.MustCompile(`^([ a-z-]{11}|spice-deploy) [^ ].*\n$`).MatchString(line) || strings.Contains(line, "of at most") {
			t.Errorf("expected lines of the log alone, got %q", line)
		}
	}
	if got := s.text(); !strings.Contains(got, "\nresult      cancelled: ") {
		t.Errorf("unexpected log:\n%s", got)
	}
}

// TestTerminal_resized: the live line fits, whatever becomes of the window.
func TestTerminal_resized(t *testing.T) {
	t.Parallel()

	j := onLaptop(t, emulator.Options{})
	j.history(t, time.Hour)
	if err := j.cloud.AddOutcomes(emulator.Outcome{Status: "stuck"}); err != nil {
		t.Fatal(err)
	}
	p := j.startOn(t, 100)
	longest := func(from, to int) func() bool {
		return func() bool {
			lines := liveLines(p.output())
			if len(lines) == 0 {
				return false
			}
			n := utf8.RuneCountInString(lines[len(lines)-1])
			return from <= n && n <= to
		}
	}
	j.until(t, "drawn", longest(60, 99))
	p.resize(t, 30)
	j.until(t, "narrower", longest(20, 29))
	p.resize(t, 70)
	j.until(t, "wider", longest(55, 69))
	j.signal(t, os.Interrupt)
	if got := j.end(t); got != 130 {
		t.Errorf("expected the exit code %d to be 130", got)
	}
	<-p.ended
}

// TestTerminal_closed: the window is gone, and the deployment goes on to its end.
func TestTerminal_closed(t *testing.T) {
	t.Parallel()

	j := onLaptop(t, emulator.Options{Queued: 1, InProgress: time.Second})
	p, process := openTerminal(t, 100)
	j.cmd.Stdout, j.cmd.Stderr = process, process
	j.start(t) // not in a session of its own: a hang-up is for those that have one
	process.Close()
	j.until(t, "asked for a deployment", j.asked("POST", "/projects/101/deployments"))
	if err := p.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		t.Fatal(err)
	}
	if got := j.end(t); got != 0 {
		t.Errorf("expected the exit code %d to be 0", got)
	}
}
