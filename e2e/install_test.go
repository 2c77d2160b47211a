package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// cache is where the tests keep what they install.
var cache = sync.OnceValues(func() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "spice-deploy-e2e")
	return dir, os.MkdirAll(filepath.Join(dir, "bin"), 0o755)
})

// programs is a folder with spice-deploy as it is now, act and actionlint.
var programs = sync.OnceValues(func() (string, error) {
	dir, err := cache()
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "bin")
	for _, build := range [][]string{
		{"-o", filepath.Join(bin, "spice-deploy"), "."},
		{"-modfile=tools/act/go.mod", "-o", filepath.Join(bin, "act"), "github.com/nektos/act"},
		{"-modfile=tools/actionlint/go.mod", "-o", filepath.Join(bin, "actionlint"), "github.com/rhysd/actionlint/cmd/actionlint"},
	} {
		if _, err := command(root(), nil, "go", append([]string{"build"}, build...)...); err != nil {
			return "", err
		}
	}
	return bin, nil
})

// program is the path of one of [programs].
func program(t *testing.T, name string) string {
	t.Helper()
	bin, err := programs()
	if err != nil {
		missing(t, name+" (built by Go)", err)
	}
	return filepath.Join(bin, name)
}

// packages is the folder node_modules of the packages that package.json names, as package-lock.json fixes them.
var packages = sync.OnceValues(func() (string, error) {
	dir, err := cache()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "npm")
	modules := filepath.Join(dir, "node_modules")
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		return "", err
	}
	if former, err := os.ReadFile(filepath.Join(dir, "installed.json")); err == nil && string(former) == string(lock) {
		return modules, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for _, name := range []string{"package.json", "package-lock.json"} {
		data, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return "", err
		}
	}
	if _, err := command(dir, nil, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"); err != nil {
		return "", err
	}
	return modules, os.WriteFile(filepath.Join(dir, "installed.json"), lock, 0o644) // last, so that half of it does not count
})

// fromNPM is a path in [packages].
func fromNPM(t *testing.T, path string) string {
	t.Helper()
	modules, err := packages()
	if err != nil {
		missing(t, "the npm packages", err)
	}
	return filepath.Join(modules, path)
}

// fromDebian installs a package of Debian where its program is not on the PATH.
func fromDebian(program, name string) error {
	if _, err := exec.LookPath(program); err == nil {
		return nil
	}
	if os.Getuid() != 0 {
		return fmt.Errorf("%s is not on the PATH, and only root can install it", program)
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return errors.New(program + " is not on the PATH, and this is no Debian")
	}
	if _, err := command("", nil, "apt-get", "install", "-y", "-qq", "--no-install-recommends", name); err == nil {
		return nil
	}
	if _, err := command("", nil, "apt-get", "update", "-qq"); err != nil { // the lists may be missing or old
		return err
	}
	_, err := command("", nil, "apt-get", "install", "-y", "-qq", "--no-install-recommends", name)
	return err
}
