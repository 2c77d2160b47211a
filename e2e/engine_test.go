package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// stopEngine ends the engine that was started for the tests, if one was.
var stopEngine = func() {}

// standIn tells that the images which the Dockerfile begins with are stand-ins.
var standIn bool

// engine makes sure that there is a container engine: the machine's own, or one for the tests.
var engine = sync.OnceValue(func() error {
	if _, err := command("", nil, "docker", "info"); err == nil {
		return nil
	}
	return startEngine()
})

// startEngine starts Debian's docker.io, unpacked and not installed, with its data in a temporary folder: no service, no
// bridge, no firewall rules. Containers see this machine's network or none. It gets stand-ins for the images that the
// Dockerfile begins with, since it reaches no registry.
func startEngine() error {
	if os.Getuid() != 0 {
		return errors.New("docker does not answer, and only root can start an engine")
	}
	if err := fromDebian("runc", "runc"); err != nil {
		return err
	}
	unpacked, err := unpackEngine()
	if err != nil {
		return err
	}
	dir := filepath.Join(scratch, "engine")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	for name, value := range map[string]string{
		"PATH":            os.Getenv("PATH") + ":" + filepath.Join(unpacked, "usr/bin") + ":" + filepath.Join(unpacked, "usr/sbin"),
		"DOCKER_HOST":     "unix://" + filepath.Join(dir, "docker.sock"),
		"DOCKER_BUILDKIT": "0", // docker.io's own builder needs no plugin of the client
	} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	log, err := os.Create(filepath.Join(dir, "dockerd.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(unpacked, "usr/sbin/dockerd"), "--data-root", filepath.Join(dir, "data"),
		"--exec-root", filepath.Join(dir, "exec"), "-p", filepath.Join(dir, "dockerd.pid"), "-H", os.Getenv("DOCKER_HOST"),
		"--bridge=none", "--iptables=false", "--ip6tables=false")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM} // it ends with the tests, whatever ends them
	if err := cmd.Start(); err != nil {
		return err
	}
	stopEngine = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		_ = syscall.Unmount(filepath.Join(dir, "exec/netns/default"), 0) // which it leaves behind
	}
	for range 150 {
		if _, err = command("", nil, "docker", "info"); err == nil {
			standIn = true
			return standIns(unpacked)
		}
		time.Sleep(100 * time.Millisecond)
	}
	text, _ := os.ReadFile(log.Name())
	return fmt.Errorf("%w\n%s", err, text)
}

// unpackEngine is the folder with the programs of the engine.
func unpackEngine() (string, error) {
	dir, err := cache()
	if err != nil {
		return "", err
	}
	unpacked := filepath.Join(dir, "engine")
	if _, err := os.Stat(unpacked); err == nil {
		return unpacked, nil
	}
	debs, err := os.MkdirTemp(dir, "debs-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(debs)
	download := func() error {
		_, err := command(debs, nil, "apt-get", "download", "-qq", "docker.io", "containerd", "busybox-static")
		return err
	}
	if download() != nil {
		if _, err := command("", nil, "apt-get", "update", "-qq"); err != nil {
			return "", err
		}
		if err := download(); err != nil {
			return "", err
		}
	}
	found, err := filepath.Glob(filepath.Join(debs, "*.deb"))
	if err != nil {
		return "", err
	}
	half := filepath.Join(debs, "root")
	for _, deb := range found {
		if _, err := command("", nil, "dpkg", "-x", deb, half); err != nil {
			return "", err
		}
	}
	return unpacked, os.Rename(half, unpacked)
}

// standIns makes the images that the Dockerfile begins with out of what this machine has: busybox, the Go toolchain, its
// modules, from its cache or else the proxy, and the certificates. They are for tests alone.
func standIns(unpacked string) error {
	modules, err := command(root(), nil, "go", "env", "GOMODCACHE", "GOROOT")
	if err != nil {
		return err
	}
	places := strings.Fields(modules)
	script := `set -eu
rootfs=$(mktemp -d); trap 'chmod -R u+w "$rootfs"; rm -rf "$rootfs"' EXIT
cd "$rootfs"; mkdir -p bin tmp root go/pkg/mod usr/local etc/ssl/certs; chmod 1777 tmp
cp "$BUSYBOX" bin/; for program in $(bin/busybox --list); do [ "$program" = busybox ] || ln -sf busybox "bin/$program"; done
cp /etc/ssl/certs/ca-certificates.crt etc/ssl/certs/
tar -c . | docker import - alpine:3.22
cp -a "$GO" usr/local/go
(cd "$PROJECT" && GOMODCACHE="$rootfs/go/pkg/mod" GOPROXY="file://$MODULES/cache/download,$(go env GOPROXY)" go mod download)
tar -c . | docker import -c 'ENV PATH=/usr/local/go/bin:/bin GOPATH=/go GOTOOLCHAIN=local GOPROXY=off' - golang:1.26-alpine`
	_, err = command("", []string{
		"BUSYBOX=" + filepath.Join(unpacked, "bin/busybox"), "MODULES=" + places[0], "GO=" + places[1], "PROJECT=" + root(),
	}, "sh", "-c", script)
	return err
}
