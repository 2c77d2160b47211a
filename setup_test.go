package main_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// fakeBinary stands for the released binary of version 1.2.3: what matters here is whether it is taken.
const fakeBinary = "#!/bin/sh\necho spice-deploy v1.2.3 for tests\n"

// fakeGH says its version, and fails or prints what it was asked.
const fakeGH = `#!/bin/sh
if [ "$1" = --version ]; then
	echo "gh version ${GH_VERSION-2.67.0} (2025-02-11)"
elif [ -n "${GH_FAILS-}" ]; then
	exit 1
else
	echo gh "$@"
fi
`

// setup is a run of setup/install.sh against a stand-in for github.com. What it changes is below a directory of the test.
type setup struct {
	directory string
	files     map[string][]byte // of the releases, by path
	environ   []string
}

func newSetup(t *testing.T) *setup {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("curl reads its settings elsewhere; the job native in .github/workflows/ci.yml runs the script there")
	}
	archive := tarball(t, "spice-deploy", fakeBinary)
	s := &setup{directory: t.TempDir(), files: map[string][]byte{
		"/v1.2.3/spice-deploy_1.2.3_linux_amd64.tar.gz": archive,
		"/v1.2.3/checksums.txt":                         checksums(archive),
	}}
	for _, name := range []string{"home", "temp", "bin", "action"} {
		if err := os.Mkdir(filepath.Join(s.directory, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	script, err := os.ReadFile(filepath.Join("setup", "install.sh"))
	if err != nil {
		t.Fatal(err)
	}
	s.put(t, "action/install.sh", string(script), 0o755)
	s.put(t, "path", "", 0o644)
	s.environ = []string{
		"PATH=" + filepath.Join(s.directory, "bin") + ":" + os.Getenv("PATH"),
		"HOME=" + filepath.Join(s.directory, "home"),
		"RUNNER_OS=Linux", "RUNNER_ARCH=X64", "GITHUB_SERVER_URL=https://github.com",
		"RUNNER_TEMP=" + filepath.Join(s.directory, "temp"),
		"GITHUB_PATH=" + filepath.Join(s.directory, "path"),
	}
	return s
}

// serve starts the stand-in and tells curl to find github.com there.
func (s *setup) serve(t *testing.T) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, ok := s.files[strings.TrimPrefix(r.URL.Path, "/spicedeploy/spice-deploy/releases/download")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Write(content)
	}))
	certificate, ca := certificateFor(t, "github.com")
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.StartTLS()
	t.Cleanup(server.Close)
	s.put(t, "home/ca.pem", string(ca), 0o644)
	s.put(t, "home/.curlrc", fmt.Sprintf("connect-to = \"github.com:443:%s\"\ncacert = %q\nnoproxy = \"*\"\n",
		server.Listener.Addr(), filepath.Join(s.directory, "home", "ca.pem")), 0o644)
}

func (s *setup) put(t *testing.T, name, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.directory, name), []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

// run returns what the script printed, whether it succeeded and what it put on the PATH.
func (s *setup) run(t *testing.T, version string, environ ...string) (log string, ok bool, onPath string) {
	t.Helper()
	s.serve(t) // only now, since the test may have changed the files
	cmd := exec.CommandContext(t.Context(), "bash", filepath.Join(s.directory, "action", "install.sh"), version)
	cmd.Env = append(s.environ, environ...)
	out, err := cmd.CombinedOutput()
	path, readErr := os.ReadFile(filepath.Join(s.directory, "path"))
	if readErr != nil {
		t.Fatal(readErr)
	}
	return string(out), err == nil, strings.TrimSuffix(string(path), "\n")
}

func TestSetup_installs(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, version string
		pinned        bool // the checksums are beside the script, and the release has none
		environ       []string
		want          string
	}{
		{"the_pinned_release", "", true, nil, "the attestation was not checked"},
		{"the_pinned_release_by_name", "v1.2.3", true, nil, "the attestation was not checked"},
		{"another_release", "v1.2.3", false, nil, "the attestation was not checked"},
		{"a_version_without_v", "1.2.3", false, nil, "the attestation was not checked"},
		{"with_its_attestation", "v1.2.3", false, []string{"GH_TOKEN=x"}, "gh attestation verify spice-deploy_1.2.3_linux_amd64.tar.gz " +
			"--repo spicedeploy/spice-deploy --deny-self-hosted-runners " +
			"--cert-identity https://github.com/spicedeploy/spice-deploy/.github/workflows/release.yml@refs/heads/main\n"},
		{"with_a_gh_that_takes_nothing_for_good", "v1.2.3", false, []string{"GH_TOKEN=x", "GH_VERSION=2.66.1"}, "the attestation was not checked"},
		{"with_a_gh_of_another_line", "v1.2.3", false, []string{"GH_TOKEN=x", "GH_VERSION=3.0.0"}, "gh attestation verify spice-deploy_1.2.3"},
		{"the_pinned_release_where_the_lookup_fails", "", true, []string{"GH_TOKEN=x", "GH_FAILS=1"}, "::warning title=spice-deploy::the attestation of spice-deploy_1.2.3_linux_amd64.tar.gz could not be checked"},
		{"for_another_server", "v1.2.3", false, []string{"GH_TOKEN=x", "GITHUB_SERVER_URL=https://git.example"}, "the attestation was not checked"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			s.put(t, "bin/gh", fakeGH, 0o755)
			if tc.pinned {
				s.put(t, "action/checksums.txt", string(s.files["/v1.2.3/checksums.txt"]), 0o644)
				delete(s.files, "/v1.2.3/checksums.txt")
			}
			log, ok, onPath := s.run(t, tc.version, tc.environ...)
			if !ok || !strings.Contains(log, tc.want) || !strings.Contains(log, "spice-deploy v1.2.3 for tests\n") {
				t.Fatalf("expected success and %q in the log, got %v and:\n%s", tc.want, ok, log)
			}
			if got, err := os.ReadFile(filepath.Join(onPath, "spice-deploy")); err != nil || string(got) != fakeBinary {
				t.Errorf("expected the binary on the PATH, got %q and error %v", got, err)
			}
		})
	}
}

func TestSetup_refuses(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, version string
		change        func(*testing.T, *setup)
		environ       []string
		want          string
	}{
		{"another_archive_than_the_release_names", "v1.2.3", func(t *testing.T, s *setup) {
			s.files["/v1.2.3/spice-deploy_1.2.3_linux_amd64.tar.gz"] = tarball(t, "spice-deploy", "#!/bin/sh\n: other\n")
		}, nil, "expected "},
		{"another_release_than_the_pinned_one", "", func(t *testing.T, s *setup) {
			s.put(t, "action/checksums.txt", string(checksums([]byte("other"))), 0o644)
		}, nil, "it is not used"},
		{"what_gh_refuses", "v1.2.3", func(t *testing.T, s *setup) {
			s.put(t, "bin/gh", fakeGH, 0o755)
		}, []string{"GH_TOKEN=x", "GH_FAILS=1"}, "has no attestation of the release workflow"},
		{"checksums_of_another_version", "v1.2.4", func(_ *testing.T, s *setup) {
			s.files["/v1.2.4/checksums.txt"] = s.files["/v1.2.3/checksums.txt"]
		}, nil, "no checksum for linux_amd64"},
		{"no_such_release", "v9.9.9", nil, nil, "cannot download https://github.com/spicedeploy/spice-deploy/releases/download/v9.9.9/checksums.txt"},
		{"no_checksum_for_the_platform", "v1.2.3", nil, []string{"RUNNER_OS=Windows"}, "no checksum for windows_amd64"},
		{"an_unknown_platform", "v1.2.3", nil, []string{"RUNNER_ARCH=S390X"}, "there is no binary for Linux on S390X"},
		{"a_moving_version", "latest", nil, nil, "expected a version such as v1.2.3"},
		{"a_path", "v1.2.3/../../../../example/releases", nil, nil, "expected a version such as v1.2.3"},
		{"a_second_line", "v1.2.3\n::warning::x", nil, nil, "expected a version such as v1.2.3"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t)
			if tc.change != nil {
				tc.change(t, s)
			}
			log, ok, onPath := s.run(t, tc.version, tc.environ...)
			if ok || onPath != "" || !strings.Contains(log, "::error title=spice-deploy::") || !strings.Contains(log, tc.want) {
				t.Errorf("expected an error with %q and no PATH, got success %v, PATH %q and:\n%s", tc.want, ok, onPath, log)
			}
			if strings.Contains(log, "::warning::") || strings.Contains(log, "for tests") {
				t.Errorf("expected nothing to run and nothing of the input in the log, got:\n%s", log)
			}
		})
	}
}

// A commit of the main branch has no checksums.
func TestSetup_builds_what_is_no_release(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("setup/checksums.txt"); err == nil {
		t.Skip("this commit is a release")
	}
	s := newSetup(t)
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	s.put(t, "action/install.sh", "exec bash '"+root+"/setup/install.sh' \"$@\"\n", 0o755)
	environ := os.Environ()
	s.environ = append(environ, s.environ...)
	s.environ = append(s.environ, "HOME="+os.Getenv("HOME")) // where Go keeps its cache
	log, ok, onPath := s.run(t, "")
	if !ok || !strings.Contains(log, "spice-deploy ") {
		t.Fatalf("expected the binary to be built and to tell its version, got %v and:\n%s", ok, log)
	}
	if _, err := os.Stat(filepath.Join(onPath, "spice-deploy")); err != nil || onPath == "" {
		t.Errorf("expected the binary on the PATH, got %v", err)
	}
}

func tarball(t *testing.T, name, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	zw := gzip.NewWriter(&b)
	tw := tar.NewWriter(zw)
	if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	if _, err := tw.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// checksums is the checksums.txt of a release whose archive for Linux is archive.
func checksums(archive []byte) []byte {
	return fmt.Appendf(nil, "%x  spice-deploy_1.2.3_linux_amd64.tar.gz\n%x  spice-deploy_1.2.3_linux_amd64.tar.gz.sbom.json\n",
		sha256.Sum256(archive), sha256.Sum256(nil))
}

// certificateFor is a certificate that signs itself, and the same in PEM.
func certificateFor(t *testing.T, host string) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
