package spicepod_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/spicepod"
)

var update = flag.Bool("update", false, "write what the tests got to testdata; look at the difference")

// golden compares what a test got with the file that holds what is expected.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: unexpected result (-want +got):\n%s", name, diff)
	}
}

// eachFile runs a test for each manifest in a folder of testdata.
func eachFile(t *testing.T, folder string, test func(t *testing.T, file string, data []byte)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in testdata/%s: %v", folder, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			test(t, strings.TrimSuffix(file, ".yaml")+".out", data)
		})
	}
}

func TestParse_problems(t *testing.T) {
	t.Parallel()

	eachFile(t, "problems", func(t *testing.T, out string, data []byte) {
		m, err := spicepod.Parse("spicepod.yaml", data)
		if err == nil {
			t.Fatalf("expected problems, got the manifest %q", m.Name)
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the message shows a literal secret:\n%v", err)
		}
		golden(t, out, err.Error()+"\n")
	})
}

// TestParse_accepted holds what real manifests look like: none of it may ever be refused.
func TestParse_accepted(t *testing.T) {
	t.Parallel()

	eachFile(t, "accepted", func(t *testing.T, out string, data []byte) {
		m, err := spicepod.Parse("spicepod.yaml", data)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := m.Source(), string(data); got != want {
			t.Errorf("got source %q, want the bytes of the file", got)
		}
		var b strings.Builder
		fmt.Fprintf(&b, "%s %s %q\n", m.Version, m.Kind, m.Name)
		for _, w := range m.Warnings() {
			fmt.Fprintf(&b, "%s\n", w.Error())
		}
		for _, r := range m.References() {
			fmt.Fprintf(&b, "%d:%d %s store=%s key=%s managed=%t elsewhere=%t\n", r.Line, r.Column, r.Path, r.Store, r.Key, r.Managed, r.Elsewhere)
		}
		golden(t, out, b.String())
	})
}
