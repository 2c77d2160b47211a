package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/spicedeploy/spice-deploy/internal/diag"
)

// secretFiles reads a file that a flag names for a secret: any that the user can read, a pipe of the shell's <(…)
// too. Nothing is waited for, and nothing endless is read.
func secretFiles(ctx context.Context) func(name string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		// Opened like this a pipe that nobody writes to is empty; otherwise to open it is to wait for a writer.
		f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		data, err := io.ReadAll(io.LimitReader(stoppable{ctx, f}, mostOther+1))
		if err == nil && len(data) > mostOther {
			err = fmt.Errorf("%s is larger than %d MiB", name, mostOther>>20)
		}
		return data, err
	}
}

// stoppable is a reader that is not waited for when ctx has ended: a signal ends a run that waits for somebody to
// type a secret.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

// Read leaves a goroutine behind only where ctx ended first, which is just before the process does.
func (s stoppable) Read(p []byte) (int, error) {
	var n int
	buffer, done := make([]byte, len(p)), make(chan error, 1)
	go func() {
		done <- diag.Guard(func() (err error) {
			n, err = s.r.Read(buffer)
			return err
		})
	}()
	select {
	case err := <-done:
		return copy(p, buffer[:n]), err
	case <-s.ctx.Done():
		return 0, context.Cause(s.ctx)
	}
}
