package cli

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/ci"
)

// How long a program of the CI system may take: each call is a request to its server. A run that is cancelled must
// end within seconds, and report before that.
const (
	helperLimit      = 10 * time.Second
	helperLastMoment = 2 * time.Second
	maxHelperText    = 500 // bytes of what it said that a warning repeats
)

// helper runs the programs that the CI system gives its steps, with the environment that it gave them. They report
// the end of a run, so they outlive ctx for a moment.
func (c *command) helper(ctx context.Context) ci.Run {
	return func(path string, args []string, stdin string) error {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), helperLimit)
		defer cancel()
		defer context.AfterFunc(ctx, func() { time.AfterFunc(helperLastMoment, cancel) })()

		program := exec.CommandContext(limited, path, args...) //nolint:gosec // the path is one that ci found on the PATH
		program.Env, program.Stdin = c.Environ, strings.NewReader(stdin)
		program.WaitDelay = time.Second // a grandchild may keep the pipe open
		said, err := program.CombinedOutput()
		if err == nil {
			return nil
		}
		text := strings.TrimSpace(string(said))
		if len(text) > maxHelperText {
			text = "…" + text[len(text)-maxHelperText:]
		}
		return fmt.Errorf("run %s: %w: %s", strings.Join(append([]string{path}, args[:min(2, len(args))]...), " "), err, text)
	}
}
