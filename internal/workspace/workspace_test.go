//go:build unix

package workspace_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/spicedeploy/spice-deploy/internal/workspace"
)

// layout makes a workspace with one of everything that a name can lead to, and a folder outside it:
//
//	outside/stolen.yaml
//	ws/spicepod.yaml
//	ws/apps/demo/spicepod.yaml, and links, a pipe, a socket
func layout(t *testing.T) (ws, outside string) {
	t.Helper()
	top := t.TempDir()
	ws, outside = filepath.Join(top, "ws"), filepath.Join(top, "outside")
	for _, dir := range []string{outside, filepath.Join(ws, "apps", "demo", "folder"), filepath.Join(ws, "common")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	put(t, filepath.Join(outside, "stolen.yaml"), "stolen")
	put(t, filepath.Join(ws, "spicepod.yaml"), "top")
	demo := filepath.Join(ws, "apps", "demo")
	put(t, filepath.Join(demo, "spicepod.yaml"), "demo")
	put(t, filepath.Join(demo, "big.yaml"), strings.Repeat("x", 1<<20+1))
	for name, target := range map[string]string{
		filepath.Join(demo, "link.yaml"):     "../../spicepod.yaml",
		filepath.Join(demo, "escape.yaml"):   "../../../outside/stolen.yaml",
		filepath.Join(demo, "absolute.yaml"): filepath.Join(ws, "spicepod.yaml"),
		filepath.Join(demo, "dangling.yaml"): "nowhere.yaml",
		filepath.Join(demo, "loop.yaml"):     "loop.yaml",
		filepath.Join(demo, "away"):          "../../../outside",
		filepath.Join(ws, "app"):             "apps/demo",
		filepath.Join(ws, "gone"):            outside,
		filepath.Join(top, "linked"):         "ws",
	} {
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(demo, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	return ws, outside
}

func put(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, root, dir string, extra ...string) *workspace.Workspace {
	t.Helper()
	w, err := workspace.Open(root, dir, extra...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func TestWorkspace_Read(t *testing.T) {
	t.Parallel()
	ws, outside := layout(t)
	w := open(t, ws, "apps/demo", "", filepath.Join(ws, "absent"), outside)
	linked := open(t, filepath.Join(filepath.Dir(ws), "linked"), "app")

	cases := []struct {
		name string
		in   *workspace.Workspace
		file string
		want string
	}{
		{"relative_to_the_working_directory", w, "spicepod.yaml", "demo"},
		{"dot", w, "./spicepod.yaml", "demo"},
		{"up_but_inside", w, "../../spicepod.yaml", "top"},
		{"up_and_down_through_what_is_not_there", w, "absent/../spicepod.yaml", "demo"},
		{"absolute_below_the_root", w, filepath.Join(ws, "spicepod.yaml"), "top"},
		{"link_inside", w, "link.yaml", "top"},
		{"absolute_below_an_extra_root", w, filepath.Join(outside, "stolen.yaml"), "stolen"},
		{"root_and_working_directory_are_links", linked, "spicepod.yaml", "demo"},
		{"up_from_a_linked_working_directory", linked, "../spicepod.yaml", "top"},
		{"root_is_a_link_and_the_name_is_not", linked, filepath.Join(ws, "spicepod.yaml"), "top"},
		{"root_is_a_link_and_the_name_too", linked, filepath.Join(filepath.Dir(ws), "linked", "spicepod.yaml"), "top"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := tc.in.Read(tc.file, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := string(got), tc.want; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
		})
	}
}

func TestWorkspace_Read_refuses(t *testing.T) {
	t.Parallel()
	ws, outside := layout(t)
	w := open(t, ws, "apps/demo")
	listener, err := net.Listen("unix", filepath.Join(ws, "common", "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })

	cases := []struct {
		name   string
		file   string
		reason workspace.Reason
		want   string
	}{
		{"not_there", "spicepod.yml", workspace.NotThere, `"spicepod.yml" is not there: check the name, which is relative to working-directory, and that the repository is checked out`},
		{"dangling_link", "dangling.yaml", workspace.NotThere, `"dangling.yaml" is not there: check the name, which is relative to working-directory, and that the repository is checked out`},
		{"below_a_file", "spicepod.yaml/x", workspace.NotThere, `"spicepod.yaml/x" is not there, since a part of the name before the last is no folder: check the name`},
		{"no_name", "", workspace.NotThere, `"" is no name: name a file`},
		{"folder", "folder", workspace.Folder, `"folder" is a folder: name the file in it`},
		{"pipe", "pipe", workspace.NotRegular, `"pipe" is a pipe: name a regular file`},
		{"socket", "../../common/s", workspace.NotRegular, `"../../common/s" is a socket: name a regular file`},
		{"above_the_root", "../../../outside/stolen.yaml", workspace.Leaves, `"../../../outside/stolen.yaml" lies outside the workspace ` + ws + `: move the file below it, or name it relative to working-directory`},
		{"absolute_outside", "/etc/passwd", workspace.Leaves, `"/etc/passwd" lies outside the workspace ` + ws + `: move the file below it, or name it relative to working-directory`},
		{"absolute_with_dots", ws + "/../outside/stolen.yaml", workspace.Leaves, `"` + ws + `/../outside/stolen.yaml" lies outside the workspace ` + ws + `: move the file below it, or name it relative to working-directory`},
		{"extra_root_that_was_not_given", filepath.Join(outside, "stolen.yaml"), workspace.Leaves, `"` + outside + `/stolen.yaml" lies outside the workspace ` + ws + `: move the file below it, or name it relative to working-directory`},
		{"link_that_leaves", "escape.yaml", workspace.Leaves, `"escape.yaml" goes through a link that leaves the workspace, or whose target is an absolute name: replace the link by what it points to, or by a relative link inside the workspace`},
		{"folder_that_is_a_link_that_leaves", "away/stolen.yaml", workspace.Leaves, `"away/stolen.yaml" goes through a link that leaves the workspace, or whose target is an absolute name: replace the link by what it points to, or by a relative link inside the workspace`},
		{"absolute_link", "absolute.yaml", workspace.Leaves, `"absolute.yaml" goes through a link that leaves the workspace, or whose target is an absolute name: replace the link by what it points to, or by a relative link inside the workspace`},
		{"link_to_itself", "loop.yaml", workspace.Unreadable, `"loop.yaml" cannot be read (too many levels of symbolic links): check the file and its permissions`},
		{"too_large", "big.yaml", workspace.TooLarge, `"big.yaml" has more than 1 MiB, the most that is read: check that this is the right file, or make it smaller`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := w.Read(tc.file, 1<<20)
			fileErr, ok := errors.AsType[*workspace.FileError](err)
			if !ok {
				t.Fatalf("expected a FileError, got %v", err)
			}
			if got, want := fileErr.Error(), tc.want; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
			if got, want := fileErr.Reason, tc.reason; got != want {
				t.Errorf("expected reason %q to be %q", got, want)
			}
			if got, want := errors.Is(err, fs.ErrNotExist), tc.reason == workspace.NotThere; got != want {
				t.Errorf("expected errors.Is(err, fs.ErrNotExist) to be %t", want)
			}
		})
	}
}

func TestWorkspace_Read_device(t *testing.T) {
	t.Parallel()
	w := open(t, "/dev", ".")
	_, err := w.Read("zero", 1<<20)
	if got, want := err.Error(), `"zero" is a device: name a regular file`; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
}

func TestWorkspace_Read_limit(t *testing.T) {
	t.Parallel()
	ws, _ := layout(t)
	w := open(t, ws, "")
	if got, err := w.Read("spicepod.yaml", 3); err != nil || string(got) != "top" {
		t.Errorf("expected a file of exactly the limit to be read, got %q, %v", got, err)
	}
	if _, err := w.Read("spicepod.yaml", 2); err == nil {
		t.Error("expected a file of one byte more to be refused")
	}
}

func TestOpen_refuses(t *testing.T) {
	t.Parallel()
	ws, outside := layout(t)
	cases := []struct {
		name, root, dir, want string
	}{
		{"root_not_there", filepath.Join(ws, "absent"), ".", `open the workspace "` + ws + `/absent": no such file or directory`},
		{"root_is_a_file", filepath.Join(ws, "spicepod.yaml"), ".", `open the workspace "` + ws + `/spicepod.yaml": not a directory`},
		{"dir_not_there", ws, "apps/other", `"apps/other" is not there: check the name, which is relative to the workspace`},
		{"dir_is_a_file", ws, "spicepod.yaml", `"spicepod.yaml" is not a folder: name the folder that the file is in`},
		{"dir_above", ws, "../outside", `"../outside" leads out of the workspace: name a folder below it`},
		{"dir_absolute_outside", ws, outside, `"` + outside + `" leads out of the workspace: name a folder below it`},
		{"dir_is_a_link_that_leaves", ws, "gone", `"gone" goes through a link that leaves the workspace, or whose target is an absolute name: replace the link by what it points to, or by a relative link inside the workspace`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := workspace.Open(tc.root, tc.dir)
			if err == nil {
				t.Fatal("expected an error")
			}
			if got, want := err.Error(), tc.want; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
		})
	}
}

func TestOpen_absolute_dir(t *testing.T) {
	t.Parallel()
	ws, _ := layout(t)
	w := open(t, ws, filepath.Join(ws, "apps", "demo"))
	got, err := w.Read("spicepod.yaml", 100)
	if err != nil || string(got) != "demo" {
		t.Errorf(`expected "demo", got %q, %v`, got, err)
	}
}

func TestWorkspace_after_Close(t *testing.T) {
	t.Parallel()
	ws, _ := layout(t)
	w, err := workspace.Open(ws, ".")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = w.Read("spicepod.yaml", 100)
	if got, want := err.Error(), `"spicepod.yaml" cannot be read (file already closed): check the file and its permissions`; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
}
