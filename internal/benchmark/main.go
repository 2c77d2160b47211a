//go:build unix

// Command benchmark times the whole of spice-deploy, built as it is released, against its emulator in another
// process, and prints the tables of docs/performance.md.
//
// Nothing in it passes or fails by time: it fails only where a run does not end as it should. It needs the go
// command and no network.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == timed {
		if err := runTimed(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, "benchmark:", err)
			os.Exit(1)
		}
		return
	}
	brief := flag.Bool("brief", false, "run everything once and small, to see that it works")
	only := flag.String("run", "", "run only the measurements whose names hold this text")
	flag.Parse()
	if err := measure(context.Background(), os.Stdout, *brief, *only); err != nil {
		fmt.Fprintln(os.Stderr, "benchmark:", err)
		os.Exit(1)
	}
}

// bench is what all measurements share.
type bench struct {
	out    io.Writer
	dir    string // for files, gone at the end
	binary string
	brief  bool
	only   string
}

func measure(ctx context.Context, out io.Writer, brief bool, only string) (err error) {
	dir, err := os.MkdirTemp("", "spice-deploy-benchmark")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{out: out, dir: dir, binary: filepath.Join(dir, "spice-deploy"), brief: brief, only: only}
	if err := b.build(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "Measured on %s with %s, %s/%s, %d CPUs.\n", time.Now().UTC().Format("2 January 2006"),
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	for _, part := range []func(context.Context) error{b.targets, b.growth, b.longWait} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// build makes the binary as make build does.
func (b *bench) build(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.binary, "github.com/spicedeploy/spice-deploy")
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the binary: %w\n%s", err, said)
	}
	return nil
}

// times is n, or one where it only matters that it works.
func (b *bench) times(n int) int {
	if b.brief {
		return 1
	}
	return n
}
