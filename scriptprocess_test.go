package main

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The commands of the scripts that are about processes: the binary under test and git.

func setenv(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 2, 2)
	ts.Setenv(args[0], ts.ReadFile(args[1]))
}

func exitCode(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 2, len(args))
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	whole(ts, "exit code", strconv.Itoa(got), args[0])
}

func await(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 2, 2)
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		var text []byte
		if strings.HasPrefix(args[0], "/_emulator/") {
			text = request(ts, http.MethodGet, args[0], "")
		} else {
			text, _ = os.ReadFile(ts.MkAbs(args[0])) // it may not be there yet
		}
		if match := pattern.FindSubmatch(text); match != nil {
			for i, name := range pattern.SubexpNames() {
				if name != "" {
					ts.Setenv(name, string(match[i]))
				}
			}
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s does not match %q:\n%s", args[0], args[1], text)
		}
	}
}

func sendSignal(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 1, 1)
	w, signals := worldOf(ts), map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM}
	w.signalled, w.sent = ts.BackgroundCmds()[0], time.Now()
	ts.Check(w.signalled.Process.Signal(signals[args[0]]))
}

func ended(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 1, 1)
	w := worldOf(ts)
	if took := time.Since(w.sent); took > 5*time.Second {
		ts.Fatalf("it took %s to stop", took)
	}
	whole(ts, "exit code", strconv.Itoa(w.signalled.ProcessState.ExitCode()), args[0])
}

func commit(ts *testscript.TestScript, neg bool, args []string) {
	positive(ts, neg, args, 1, 1)
	git := func(args ...string) { ts.Check(ts.Exec("git", args...)) }
	if _, err := os.Stat(ts.MkAbs(".git")); err != nil {
		git("init", "-q", "-b", "main")
	}
	git("add", "-A")
	git("commit", "-q", "--allow-empty", "-m", args[0])
	git("rev-parse", "HEAD")
	ts.Setenv("COMMIT", strings.TrimSpace(ts.ReadFile("stdout")))
}
