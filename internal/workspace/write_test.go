//go:build unix

package workspace_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWorkspace_Write(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		file string // in the working directory
		at   string // where it is then, below the workspace
	}{
		{"new", "out.json", "apps/demo/out.json"},
		{"in_another_folder", "../../common/out.env", "common/out.env"},
		{"in_a_folder_that_is_a_link_inside", "../../app/out.env", "apps/demo/out.env"},
		{"over_a_file", "spicepod.yaml", "apps/demo/spicepod.yaml"},
		{"over_a_link_that_leaves", "escape.yaml", "apps/demo/escape.yaml"},
		{"over_a_link_inside", "link.yaml", "apps/demo/link.yaml"},
		{"over_a_dangling_link", "dangling.yaml", "apps/demo/dangling.yaml"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			ws, outside := layout(t)
			if err := open(t, ws, "apps/demo").Write(tc.file, []byte("new\n")); err != nil {
				t.Fatal(err)
			}
			at := filepath.Join(ws, tc.at)
			got, err := os.ReadFile(at)
			if err != nil || string(got) != "new\n" {
				t.Errorf(`expected "new\n" at %s, got %q, %v`, tc.at, got, err)
			}
			info, err := os.Lstat(at)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := info.Mode(), fs.FileMode(0o644); got != want {
				t.Errorf("expected mode %v to be %v", got, want)
			}
			for name, want := range map[string]string{
				filepath.Join(outside, "stolen.yaml"): "stolen",
				filepath.Join(ws, "spicepod.yaml"):    "top",
			} {
				if got, err := os.ReadFile(name); err != nil || string(got) != want {
					t.Errorf("expected %s to be untouched, got %q, %v", name, got, err)
				}
			}
			if left, err := filepath.Glob(filepath.Join(filepath.Dir(at), ".spice-deploy-*")); err != nil || len(left) > 0 {
				t.Errorf("expected no temporary file to be left, got %v, %v", left, err)
			}
		})
	}
}

func TestWorkspace_Writable(t *testing.T) {
	t.Parallel()
	ws, _ := layout(t)
	w, before := open(t, ws, "apps/demo"), tree(t, filepath.Dir(ws))
	for _, name := range []string{"out.json", "../../common/out.env", "spicepod.yaml", "escape.yaml"} {
		if err := w.Writable(name); err != nil {
			t.Errorf("expected %s to be writable, got %v", name, err)
		}
	}
	if diff := cmp.Diff(before, tree(t, filepath.Dir(ws))); diff != "" {
		t.Errorf("expected nothing to be written (-before +after):\n%s", diff)
	}
	if got, err := w.Read("spicepod.yaml", 100); err != nil || string(got) != "demo" {
		t.Errorf(`expected "demo" to be untouched, got %q, %v`, got, err)
	}
}

func TestWorkspace_Write_extra_root(t *testing.T) {
	t.Parallel()
	ws, outside := layout(t)
	name := filepath.Join(outside, "out.json")
	if err := open(t, ws, ".", outside).Write(name, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != "{}" {
		t.Errorf("expected {}, got %q, %v", got, err)
	}
}

func TestWorkspace_Write_refuses(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, file, want string
	}{
		{"folder_not_there", "out/x.json", `"out/x.json" cannot be written, since the folder it goes into is not there: create the folder first`},
		{"folder_is_a_file", "spicepod.yaml/x.json", `"spicepod.yaml/x.json" is not there, since a part of the name before the last is no folder: check the name`},
		{"is_a_folder", "folder", `"folder" is a folder: name the file in it`},
		{"is_the_working_directory", ".", `"." is a folder: name the file in it`},
		{"is_a_pipe", "pipe", `"pipe" is a pipe: name a regular file`},
		{"above_the_root", "../../../outside/x.json", `"../../../outside/x.json" lies outside the workspace <ws>: move the file below it, or name it relative to working-directory`},
		{"folder_is_a_link_that_leaves", "away/x.json", `"away/x.json" goes through a link that leaves the workspace, or whose target is an absolute name: replace the link by what it points to, or by a relative link inside the workspace`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			ws, outside := layout(t)
			before := tree(t, filepath.Dir(ws))
			w := open(t, ws, "apps/demo")
			for _, err := range []error{w.Write(tc.file, []byte("new")), w.Writable(tc.file)} {
				if err == nil {
					t.Fatal("expected an error")
				}
				if got, want := err.Error(), strings.ReplaceAll(tc.want, "<ws>", ws); got != want {
					t.Errorf("expected %q to be %q", got, want)
				}
			}
			if diff := cmp.Diff(before, tree(t, filepath.Dir(outside))); diff != "" {
				t.Errorf("expected nothing to be written (-before +after):\n%s", diff)
			}
		})
	}
}

func TestWorkspace_Write_name_too_long(t *testing.T) {
	t.Parallel()
	ws, _ := layout(t)
	name := strings.Repeat("x", 300)
	err := open(t, ws, "common").Write(name, nil)
	if err == nil {
		t.Fatal("expected an error")
	}
	if got, want := err.Error(), `"`+name+`" cannot be written (file name too long): check the permissions and the space of its folder`; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
	if got := tree(t, filepath.Join(ws, "common")); len(got) != 1 {
		t.Errorf("expected nothing to be left, got %v", got)
	}
}

// tree lists all names below dir.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		names = append(names, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
