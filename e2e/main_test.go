package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	os.Exit(runAll(m))
}

func runAll(m *testing.M) int {
	var err error
	if scratch, err = os.MkdirTemp("", "spice-deploy-e2e-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(scratch)
	defer func() { stopEngine() }() // it is set while the tests run
	return m.Run()
}

// scratch is a folder that is gone when all tests have ended.
var scratch string

// missing ends a test that needs a part which this machine lacks.
func missing(t *testing.T, part string, why error) {
	t.Helper()
	if os.Getenv("E2E_ALLOW_SKIP") == "1" {
		t.Skipf("SKIPPED for want of %s: %v", part, why)
	}
	t.Fatalf("this needs %s: %v; E2E_ALLOW_SKIP=1 skips it", part, why)
}

// command runs a program within a limit of ten minutes, and returns what it printed.
func command(dir string, env []string, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w:\n%s", filepath.Base(name), strings.Join(args, " "), err, out.String())
	}
	return out.String(), nil
}

// must runs a program that has to succeed.
func must(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	out, err := command(dir, env, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// root is the folder of the project.
var root = sync.OnceValue(func() string {
	dir, err := filepath.Abs("..")
	if err != nil {
		panic(err)
	}
	return dir
})

// snapshot is a copy of the project as it is now, without what git ignores: it does not change while the tests run.
var snapshot = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(scratch, "project")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	_, err := command(root(), nil, "sh", "-c",
		`git ls-files -z --cached --others --exclude-standard | tar -c --null -T - --ignore-failed-read | tar -x -C "$0"`, dir)
	return dir, err
})

// read is the content of a file that has to be there.
func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
