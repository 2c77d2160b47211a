package workspace

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Write makes data the content of the file; names are as for [Workspace.Read]. It writes a file of its own beside
// the final name and renames it, so that a reader sees the old content or the new, and a link at the final name
// is replaced, never followed. The folder it goes into must exist. The file can be read by everyone: a container
// writes as root, and the steps that come after it read as somebody else.
//
// Every error is a [*FileError], and nothing has changed then.
func (w *Workspace) Write(name string, data []byte) error {
	root, rel, temp, err := w.prepare(name, data)
	if err != nil {
		return err
	}
	if err := root.Rename(temp, rel); err != nil {
		_ = root.Remove(temp) // what failed is the write; a file left over does not change that
		return unwritable(name, err)
	}
	return nil
}

// Writable tells whether [Workspace.Write] could write the file now, by the same [*FileError]. It goes as far as
// to make the file beside the final name, and removes it again: the final name is not touched.
func (w *Workspace) Writable(name string) error {
	root, _, temp, err := w.prepare(name, nil)
	if err != nil {
		return err
	}
	if err := root.Remove(temp); err != nil {
		return unwritable(name, err)
	}
	return nil
}

// prepare does all of a write but the renaming of temp to rel, both of which are names in root.
func (w *Workspace) prepare(name string, data []byte) (root *os.Root, rel, temp string, err error) {
	root, rel, err = w.locate(name)
	if err != nil {
		return nil, "", "", err
	}
	info, err := root.Lstat(rel)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, "", "", unwritable(name, err)
	case info.Mode()&fs.ModeSymlink == 0:
		if err := regular(name, info.Mode()); err != nil {
			return nil, "", "", err
		}
	}
	temp = filepath.Join(filepath.Dir(rel), ".spice-deploy-"+rand.Text()+".tmp")
	if err := create(root, temp, data); err != nil {
		return nil, "", "", unwritable(name, err)
	}
	return root, rel, temp, nil
}

// create writes a new file, and removes it again when that fails halfway.
func create(root *os.Root, name string, data []byte) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	// The mode given to OpenFile is subject to the umask, this is not.
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err != nil {
		_ = root.Remove(name)
	}
	return err
}

func unwritable(name string, err error) error {
	fileErr := refused(name, err, "cannot be written, since the folder it goes into is not there: create the folder first")
	if fileErr.Reason == Unreadable {
		fileErr.Reason = Unwritable
		fileErr.text = "cannot be written (" + cause(err).Error() + "): check the permissions and the space of its folder"
	}
	return fileErr
}
