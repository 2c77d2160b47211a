package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// Reason is why a file was refused.
type Reason string

// The reasons.
const (
	NotThere   Reason = "not there"
	Folder     Reason = "a folder"
	NotFolder  Reason = "not a folder"
	NotRegular Reason = "not a regular file"
	Leaves     Reason = "outside the workspace"
	TooLarge   Reason = "too large"
	Unreadable Reason = "unreadable"
	Unwritable Reason = "unwritable"
)

// FileError says which file was refused, why, and what to do about it.
type FileError struct {
	Name   string // as it was given
	Reason Reason
	Err    error // what the system said, nil where it was not asked

	text string // the cause and the remedy, which follow the name
}

func (e *FileError) Error() string { return fmt.Sprintf("%q %s", e.Name, e.text) }

func (e *FileError) Unwrap() error { return e.Err }

// refused turns an error of [os.Root] into one that says what to do; missing is the text for a file that is not
// there.
func refused(name string, err error, missing string) *FileError {
	e := &FileError{Name: name, Reason: Unreadable, Err: err}
	var errno syscall.Errno
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Reason, e.text = NotThere, missing
	case errors.Is(err, syscall.ENOTDIR):
		e.Reason, e.text = NotThere, "is not there, since a part of the name before the last is no folder: check the name"
		e.Err = fs.ErrNotExist
	case !errors.As(err, &errno) && !errors.Is(err, fs.ErrClosed):
		// All that os.Root refuses by itself, without an answer of the system, is a path that escapes.
		e.Reason, e.text = Leaves, "goes through a link that leaves the workspace, or whose target is an absolute name: "+
			"replace the link by what it points to, or by a relative link inside the workspace"
	default:
		e.text = fmt.Sprintf("cannot be read (%v): check the file and its permissions", cause(err))
	}
	return e
}

// cause is what the system said, without the operation and the path, which the message has already.
func cause(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	if linkErr, ok := errors.AsType[*os.LinkError](err); ok {
		return linkErr.Err
	}
	return err
}
