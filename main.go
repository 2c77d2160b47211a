// Command spice-deploy deploys apps to Spice.ai Cloud from CI.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spicedeploy/spice-deploy/internal/cli"
	"github.com/spicedeploy/spice-deploy/internal/diag"
)

func main() {
	ctx, cancel := context.WithCancelCause(context.Background())
	signal.Ignore(syscall.SIGPIPE) // a log that nobody reads any more is no reason to stop deploying
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		cancel(interrupted(<-signals))
		os.Exit(interrupted(<-signals).Exit) // a second signal ends it at once, as PID 1 too
	}()
	os.Exit(cli.Main(ctx, cli.Process{
		Args: os.Args[1:], Environ: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	}))
}

func interrupted(s os.Signal) diag.Interrupted {
	if s == syscall.SIGTERM {
		return diag.Interrupted{Signal: "SIGTERM", Exit: diag.ExitTerminated}
	}
	return diag.Interrupted{Signal: "SIGINT", Exit: diag.ExitInterrupt}
}
