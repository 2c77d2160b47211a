//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// timed is the first argument of the process that starts and times another one.
const timed = "timed"

// timing is what the system says of a process that has ended.
type timing struct {
	Start     time.Time
	Took      time.Duration
	Processor time.Duration // of all cores, for the program and the system
	Memory    int64         // most that was resident, in bytes
	Exit      int
}

// time runs a step with a process of its own between us and it: on Linux a process begins with the peak of the
// one that started it, so that one must be small (exec_mmap in https://github.com/torvalds/linux/blob/v6.12/fs/exec.c).
func (b *bench) time(step *exec.Cmd, log *os.File) (timing, error) {
	self, err := os.Executable()
	if err != nil {
		return timing{}, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return timing{}, err
	}
	defer r.Close()
	step.Args = []string{self, timed, step.Path}
	step.Path = self
	step.Stdout, step.Stderr, step.ExtraFiles = log, log, []*os.File{w}
	err = step.Run()
	_ = w.Close()
	if err != nil {
		return timing{}, fmt.Errorf("time a run: %w", err)
	}
	var t timing
	if err := json.NewDecoder(r).Decode(&t); err != nil {
		return timing{}, fmt.Errorf("time a run: %w", err)
	}
	return t, nil
}

// runTimed runs a program in the environment of this process and tells what it took on the third descriptor.
func runTimed(program string) error {
	cmd := exec.Command(program) //nolint:noctx // it ends with whoever started this process
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	t := timing{Start: time.Now()}
	err := cmd.Run()
	t.Took = time.Since(t.Start)
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		return err
	}
	t.Exit = cmd.ProcessState.ExitCode()
	t.Processor = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		t.Memory = usage.Maxrss << 10 // KiB on Linux
	}
	return json.NewEncoder(os.NewFile(3, "result")).Encode(t)
}
