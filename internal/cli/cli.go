// Package cli holds the commands and wires the packages together; it is the only one that knows them all and
// the only one that reads the environment, which it is given as a value.
//
// It never exits the process: [Main] returns the exit code.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/ci"
	"github.com/spicedeploy/spice-deploy/internal/config"
	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/report"
)

// Process is what a process is given.
type Process struct {
	Args           []string // without the program's name
	Environ        []string // KEY=VALUE
	Stdin          io.Reader
	Stdout, Stderr io.Writer

	// For simulations: what stands in for the network, nil for the network itself, and what decides the random part
	// of pauses, 0 for chance.
	Transport http.RoundTripper
	Seed      uint64
}

// Main runs the command that the arguments name, deploy where they name none, and returns the exit code. When
// ctx ends with a diag.Interrupted as its cause the code is that of the signal.
func Main(ctx context.Context, p Process) (code int) {
	c := newCommand(p)
	bug := diag.Guard(func() error {
		code = c.main(ctx)
		return nil
	})
	if bug != nil {
		code = c.crashed(bug)
	}
	if err := c.log.flush(); err != nil {
		fmt.Fprintf(p.Stderr, "warning: not all of the log could be written: %s\n", err)
	}
	return code
}

func (c *command) main(ctx context.Context) int {
	name, args := split(c.Args)
	switch name {
	case "help":
		return c.help(args)
	case "version":
		fmt.Fprintln(c.Stdout, versionLine())
		return 0
	}
	c.host = ci.Detect(c.getenv, commands{c.log, c.Stdout}, c.helper(ctx))
	c.facts = c.host.Facts()
	c.log.watched(terminalOf(c.Stdout, c.facts.System, c.getenv))
	options, err := config.Load(name, args, config.Env{Environ: c.Environ, Stdin: stoppable{ctx, c.Stdin}, ReadFile: secretFiles(ctx)})
	if errors.Is(err, flag.ErrHelp) {
		config.Help(c.Stdout, name)
		return 0
	}
	c.options = options
	c.maskCredentials()
	if stop, ok := errors.AsType[diag.Interrupted](context.Cause(ctx)); ok { // while it waited for a secret
		result := deploy.Refused(&diag.Error{Result: diag.Cancelled, Err: fmt.Errorf("%w before anything was changed", stop)})
		result.ExitCode = stop.Exit
		return c.finish(&inputs{}, result)
	}
	switch name {
	case "delete":
		return c.delete(ctx, err)
	case "emulator":
		return c.emulator(ctx, err)
	case "deploy", "plan", "verify":
		return c.deploy(ctx, err)
	}
	return c.finish(&inputs{}, deploy.Refused(err)) // there is no such command, so nothing else is known of the run
}

// help prints the commands and the options of the main one, or those of the command that is named.
func (c *command) help(args []string) int {
	if len(args) == 0 {
		config.Help(c.Stdout, "")
		fmt.Fprintln(c.Stdout)
		config.Help(c.Stdout, "deploy")
		return 0
	}
	// Asking for help is how a name is checked: everything else that is wrong does not matter here.
	if _, err := config.Load(args[0], []string{"--help"}, config.Env{}); !errors.Is(err, flag.ErrHelp) {
		c.log.line("input", "%s", err)
		return diag.InvalidInput.ExitCode()
	}
	config.Help(c.Stdout, args[0])
	return 0
}

// split takes the command's name off the arguments. Without one the main job is meant: a CI step has no
// arguments at all.
func split(args []string) (name string, rest []string) {
	switch {
	case len(args) == 0:
		return "deploy", nil
	case args[0] == "-h" || args[0] == "--help" || args[0] == "-help":
		return "help", args[1:]
	case args[0] == "--version" || args[0] == "-version":
		return "version", args[1:]
	case strings.HasPrefix(args[0], "-"):
		return "deploy", args
	}
	return args[0], args[1:]
}

// command is the state that the commands share.
type command struct {
	Process

	host     ci.Host
	facts    ci.Facts
	redactor *redact.Redactor
	masking  sync.Mutex // guards masked: a token may be renewed while others are masked
	masked   map[redact.Secret]bool
	log      *log
	options  *config.Options
}

func newCommand(p Process) *command {
	c := &command{Process: p, redactor: redact.NewRedactor(), masked: map[redact.Secret]bool{}}
	c.redactor.Spare(vocabulary()...)
	c.log = newLog(p.Stdout, c.redactor)
	return c
}

// getenv returns a variable of the process.
func (c *command) getenv(name string) string {
	for _, variable := range c.Environ {
		if value, ok := strings.CutPrefix(variable, name+"="); ok {
			return value
		}
	}
	return ""
}

// mask makes secrets known to the CI system and to our own redactor, before anything else is printed.
func (c *command) mask(secrets ...redact.Secret) {
	c.redactor.Add(secrets...)
	c.masking.Lock()
	defer c.masking.Unlock()
	for _, s := range secrets {
		if !s.IsZero() && !c.masked[s] && !everyday(s) {
			c.masked[s] = true
			c.host.Mask(s.Reveal())
		}
	}
}

func (c *command) maskCredentials() {
	o := c.options
	c.mask(o.APIToken, o.ClientSecret, o.GitHubToken)
	c.mask(o.Ignored...)
}

// crashed reports a bug outside of a run. The outputs of a run may have been written before, so only those that
// must change are: what happened to the run is not known here.
func (c *command) crashed(bug error) int {
	result := deploy.Refused(bug)
	c.explain(bug)
	// What broke may break again.
	_ = diag.Guard(func() error {
		c.log.line("result", "%s: %s", result.Result, result.Reason)
		c.log.line("what to do", "%s", result.Hint)
		outputs := slices.DeleteFunc(c.outputs(report.Outputs(result)), func(o ci.Output) bool {
			return o.Name != "result" && o.Name != "reason" && o.Name != "error-message"
		})
		c.warnIf("the outputs could not be written", c.host.WriteOutputs(outputs))
		c.warnIf("the job summary could not be written", c.host.WriteSummary(c.redactor.Redact(report.Summary(result, c.facts.BuildURL, c.redactor.Redact))))
		return nil
	})
	return result.ExitCode
}

// explain prints where a bug is. The text of a panic is covered and defused like all others.
func (c *command) explain(err error) {
	if bug, ok := errors.AsType[*diag.Panic](err); ok {
		stderr := newLog(c.Stderr, c.redactor)
		stderr.text(fmt.Sprintf("%s\n%s", bug, bug.Stack))
		_ = stderr.flush()
	}
}
