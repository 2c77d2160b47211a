// Command generate writes action.yml and the generated regions of README.md from the option table. Its one
// argument is the root of the repository. It touches no other file and nothing else in these.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spicedeploy/spice-deploy/internal/config"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: generate ROOT")
	}
	if err := rewrite(filepath.Join(args[0], "action.yml"), config.WriteActionYAML); err != nil {
		return err
	}
	return rewrite(filepath.Join(args[0], "README.md"), config.WriteREADME)
}

func rewrite(name string, with func([]byte) ([]byte, error)) error {
	current, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	wanted, err := with(current)
	if err != nil {
		return fmt.Errorf("generate %s: %w", name, err)
	}
	return os.WriteFile(name, wanted, 0o644)
}
