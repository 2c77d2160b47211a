// Package diag holds the words in which a run ends: the results and their exit codes, the problems found in
// the input, and the table of causes with the remedy for each.
//
// It imports nothing of ours and prints nothing.
package diag

import (
	"fmt"
	"strings"
)

// Result is how a run ended, as the output "result" says it.
type Result string

// The results. README.md documents them with their exit codes.
const (
	Succeeded          Result = "succeeded"
	Submitted          Result = "submitted"
	Planned            Result = "planned"
	Skipped            Result = "skipped"
	Failed             Result = "failed"
	Superseded         Result = "superseded"
	InvalidInput       Result = "invalid-input"
	AuthError          Result = "auth-error"
	TimedOut           Result = "timed-out"
	Unavailable        Result = "unavailable"
	Conflict           Result = "conflict"
	VerificationFailed Result = "verification-failed"
	Rejected           Result = "rejected"
	InternalError      Result = "internal-error"
	Cancelled          Result = "cancelled"
)

// Exit codes that do not follow from the result alone.
const (
	ExitChanges    = 10  // plan --exit-code found changes
	ExitInterrupt  = 130 // SIGINT, the shell's convention of 128 + signal number
	ExitTerminated = 143 // SIGTERM
)

var exitCodes = map[Result]int{
	Succeeded: 0, Submitted: 0, Planned: 0, Skipped: 0,
	Failed: 1, Superseded: 1,
	InvalidInput:       2,
	AuthError:          3,
	TimedOut:           4,
	Unavailable:        5,
	Conflict:           6,
	VerificationFailed: 7,
	Rejected:           8,
	InternalError:      70, // EX_SOFTWARE of sysexits.h
	Cancelled:          ExitInterrupt,
}

// ExitCode is the exit code that belongs to the result; an unknown result is a bug and counts as one.
func (r Result) ExitCode() int {
	if code, ok := exitCodes[r]; ok {
		return code
	}
	return exitCodes[InternalError]
}

// Problem is one thing that is wrong with the input. Message says what was wrong and what to write instead;
// it never holds a secret.
type Problem struct {
	Option  string // the option it is about, "" where it is about none
	Message string
	Hint    string // a second sentence: what to do, "" where Message says it all

	// Where in a file it stands: File is as the user wrote it, Line and Column count from 1 and are 0 where
	// unknown, Text is the line itself and empty where it may hold a secret.
	File         string
	Line, Column int
	Text         string
}

// Error is the problem as one line, or three where the line of a file is shown.
func (p Problem) Error() string {
	var b strings.Builder
	if p.Option != "" {
		b.WriteString(p.Option + ": ")
	}
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d", p.Line)
		}
		if p.Line > 0 && p.Column > 0 {
			fmt.Fprintf(&b, ":%d", p.Column)
		}
		b.WriteString(": ")
	}
	b.WriteString(p.Message)
	if p.Text != "" {
		b.WriteString("\n  " + p.Text)
		if p.Column > 0 {
			b.WriteString("\n  " + strings.Repeat(" ", p.Column-1) + "^")
		}
	}
	return b.String()
}

// Problems is everything that is wrong with the input, in the order it was found.
type Problems []Problem

// Error is one problem a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Summary is the problems in one line.
func (ps Problems) Summary() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		p.Text = ""
		lines[i] = strings.ReplaceAll(p.Error(), "\n", " ")
	}
	if len(ps) == 1 {
		return lines[0]
	}
	return fmt.Sprintf("%d problems with the input: %s", len(ps), strings.Join(lines, "; "))
}

// Unwrap gives errors.As each problem.
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

// Err is the problems as an error, nil where there are none.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// Error is an error that knows how the run ends because of it and what the user can do.
type Error struct {
	Result Result
	Err    error
	Hint   string // what to do next, "" where nothing can be said
}

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }
