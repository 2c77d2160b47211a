package cli_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spicedeploy/spice-deploy/internal/cli"
)

// step is a step of a workflow on GitHub that deploys the app shop-app with one secret.
type step struct {
	dir       string
	env       map[string]string
	args      []string
	transport http.RoundTripper
	stdout    io.Writer // beside the log that is kept; nil for none
}

// aSecret is the secret that every step is given.
const aSecret = "hunter2-hunter2"

func newStep(t *testing.T, token string) *step {
	t.Helper()
	s := &step{dir: t.TempDir()}
	s.put(t, "spicepod.yaml", "version: v1\nkind: Spicepod\nname: shop\n")
	s.put(t, "event.json", `{"head_commit": {"message": "Deploy the shop"}}`)
	s.put(t, "output", "")
	s.put(t, "summary", "")
	s.env = map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_SHA": "c0ffee0000000000000000000000000000000000",
		"GITHUB_REF_NAME": "main", "GITHUB_REF_TYPE": "branch", "GITHUB_REPOSITORY": "acme/shop",
		"GITHUB_WORKSPACE": s.dir, "GITHUB_EVENT_PATH": filepath.Join(s.dir, "event.json"),
		"GITHUB_OUTPUT": filepath.Join(s.dir, "output"), "GITHUB_STEP_SUMMARY": filepath.Join(s.dir, "summary"),
		"INPUT_API-URL": "https://api.spice.test", "INPUT_API-TOKEN": token, "INPUT_APP-NAME": "shop-app",
		"INPUT_SECRETS": "PASSWORD=" + aSecret,
	}
	return s
}

func (s *step) put(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// left is what a step leaves behind.
type left struct {
	code            int
	stdout, stderr  string
	output, summary string
}

func (s *step) run(ctx context.Context, t *testing.T) left {
	t.Helper()
	p := cli.Process{Args: s.args, Stdin: strings.NewReader(""), Transport: s.transport, Seed: 1}
	for name, value := range s.env {
		p.Environ = append(p.Environ, name+"="+value)
	}
	var stdout, stderr bytes.Buffer
	p.Stdout, p.Stderr = &stdout, &stderr
	if s.stdout != nil {
		p.Stdout = io.MultiWriter(&stdout, s.stdout)
	}
	l := left{code: cli.Main(ctx, p)}
	l.stdout, l.stderr = stdout.String(), stderr.String()
	l.output, l.summary = s.read(t, "output"), s.read(t, "summary")
	return l
}

func (s *step) read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		t.Error(err)
	}
	return string(data)
}

// value is the last value of an output of one line, "" where it was not written.
func (l left) value(name string) string {
	found := regexp.MustCompile(`(?m)^`+name+`<<.*\n(.*)$`).FindAllStringSubmatch(l.output, -1)
	if len(found) == 0 {
		return ""
	}
	return found[len(found)-1][1]
}

// shown is all that people and other steps read: not the masks, which the runner takes away.
func (l left) shown() string {
	masks := regexp.MustCompile(`(?m)^::add-mask::.*$`)
	return masks.ReplaceAllString(l.stdout, "") + l.stderr + l.output + l.summary
}
