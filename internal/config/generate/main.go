// Command generate writes action.yml, native/action.yml and the generated regions of README.md from the option
// table. Its argument is the root of the repository. With -image it instead makes action.yml run that image, as a
// release does. It touches no other file and nothing else in these.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spicedeploy/spice-deploy/internal/config"
)

func main() {
	image := flag.String("image", "", "what action.yml is to run: `NAME@sha256:DIGEST`")
	flag.Parse()
	if err := run(*image, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(image string, args []string) error {
	if len(args) != 1 {
		return errors.New("usage: generate [-image NAME@sha256:DIGEST] ROOT")
	}
	action := filepath.Join(args[0], "action.yml")
	if image != "" {
		return rewrite(action, func(current []byte) ([]byte, error) { return config.SetImage(current, image) })
	}
	if err := rewrite(action, config.WriteActionYAML); err != nil {
		return err
	}
	if err := rewrite(filepath.Join(args[0], "native", "action.yml"), config.WriteNativeYAML); err != nil {
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
