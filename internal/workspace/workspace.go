// Package workspace reads and writes the files that a run's options name: the spicepod, files of secrets, the
// results. All of them lie below the workspace, the folder that the CI system checked the repository out into.
//
// It refuses to follow a link that leads out of the workspace, whoever puts it there and whenever: every path
// is walked by [os.Root], one component at a time, so there is no gap between a check and the use. It refuses
// folders, pipes and devices, reads no more than it is allowed to, and never writes through a link.
package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Workspace is an open workspace with the working directory in it that relative names start from. Its methods
// can be used from several goroutines.
type Workspace struct {
	main   tree
	dir    string // the working directory, relative to main
	extras []tree
}

// tree is a folder below which names are allowed.
type tree struct {
	root  *os.Root
	names []string // its absolute names: as given, and with links resolved where that differs
}

// Open opens the workspace root and the working directory dir in it, which is relative to root or an absolute
// name below it; "" is root itself. root may be a link. Below extraRoots, such as the CI system's folder for
// temporary files, absolute names are allowed too; those that are empty or cannot be opened are left out.
//
// A dir that is not there, is no folder or leads out of root is a [*FileError].
func Open(root, dir string, extraRoots ...string) (*Workspace, error) {
	main, err := openTree(root)
	if err != nil {
		return nil, fmt.Errorf("open the workspace %q: %w", root, err)
	}
	w := &Workspace{main: main, dir: "."}
	if err := w.enter(dir); err != nil {
		_ = w.Close() // nothing was written, so it has nothing to tell
		return nil, err
	}
	for _, extra := range extraRoots {
		if extra == "" {
			continue
		}
		if t, err := openTree(extra); err == nil {
			w.extras = append(w.extras, t)
		}
	}
	return w, nil
}

// Close releases the folders. Nothing can be read or written after it.
func (w *Workspace) Close() error {
	err := w.main.root.Close()
	for _, t := range w.extras {
		err = errors.Join(err, t.root.Close())
	}
	return err
}

func openTree(name string) (tree, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return tree{}, err
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return tree{}, cause(err)
	}
	t := tree{root: root, names: []string{abs}}
	if real, err := filepath.EvalSymlinks(abs); err == nil && real != abs {
		t.names = append(t.names, real)
	}
	return t, nil
}

// enter makes dir the working directory.
func (w *Workspace) enter(dir string) error {
	rel, ok := w.main.rel(dir, ".")
	if !ok {
		return &FileError{Name: dir, Reason: Leaves, text: "leads out of the workspace: name a folder below it"}
	}
	info, err := w.main.root.Stat(rel)
	switch {
	case err != nil:
		return refused(dir, err, "is not there: check the name, which is relative to the workspace")
	case !info.IsDir():
		return &FileError{Name: dir, Reason: NotFolder, text: "is not a folder: name the folder that the file is in"}
	}
	w.dir = rel
	return nil
}

// rel is name as a clean path relative to the tree, where name is absolute or relative to dir in the tree. It is
// false for a name that leads out by its words; what links do is for [os.Root] to see.
func (t tree) rel(name, dir string) (string, bool) {
	if !filepath.IsAbs(name) {
		rel := filepath.Join(dir, name)
		return rel, filepath.IsLocal(rel)
	}
	for _, base := range t.names {
		if rel, err := filepath.Rel(base, name); err == nil && filepath.IsLocal(rel) {
			return rel, true
		}
	}
	return "", false
}

// locate finds the tree that a file's name belongs to and its path in there.
func (w *Workspace) locate(name string) (*os.Root, string, error) {
	if name == "" {
		return nil, "", &FileError{Name: name, Reason: NotThere, text: "is no name: name a file", Err: fs.ErrNotExist}
	}
	if rel, ok := w.main.rel(name, w.dir); ok {
		return w.main.root, rel, nil
	}
	if filepath.IsAbs(name) {
		for _, t := range w.extras {
			if rel, ok := t.rel(name, "."); ok {
				return t.root, rel, nil
			}
		}
	}
	return nil, "", &FileError{Name: name, Reason: Leaves, text: fmt.Sprintf(
		"lies outside the workspace %s: move the file below it, or name it relative to working-directory", w.main.names[0])}
}
