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
	"os"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/ci"
	"github.com/spicedeploy/spice-deploy/internal/config"
	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/redact"
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
	defer func() {
		if bug := recover(); bug != nil {
			code = c.crashed(bug, debug.Stack())
		}
	}()
	defer c.log.flush()

	name, args := split(p.Args)
	switch name {
	case "help":
		return c.help(args)
	case "version":
		fmt.Fprintln(p.Stdout, versionLine())
		return 0
	}
	options, err := config.Load(name, args, config.Env{Environ: p.Environ, Stdin: p.Stdin, ReadFile: os.ReadFile})
	if errors.Is(err, flag.ErrHelp) {
		config.Help(p.Stdout, name)
		return 0
	}
	c.options = options
	c.maskCredentials()
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
	c.host = ci.Detect(c.getenv, p.Stdout)
	c.facts = c.host.Facts()
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
		if !s.IsZero() && !c.masked[s] {
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

// crashed reports a bug: what is printed is covered like everything else, since a stack can hold arguments.
func (c *command) crashed(bug any, stack []byte) int {
	text := c.redactor.Redact(fmt.Sprintf("%v\n%s", bug, stack))
	fmt.Fprintf(c.Stderr, "internal-error: %s\n%s\n", text, diag.Hint(diag.Bug))
	return diag.InternalError.ExitCode()
}
