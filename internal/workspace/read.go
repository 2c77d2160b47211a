package workspace

import (
	"fmt"
	"io"
	"io/fs"
	"strconv"
)

// Read returns the content of the file, which is read once. A relative name starts from the working directory
// and may use ".." as long as it stays below the workspace; an absolute one lies below the workspace or one of
// the extra roots. ".." is taken by the words of the name, as path libraries do, before links are followed.
//
// A file of more than limit bytes is refused, and so is all that is not a regular file, before it is opened: to
// open a pipe would wait for its writer. Every error is a [*FileError]; where the file is not there it is also
// [fs.ErrNotExist].
func (w *Workspace) Read(name string, limit int64) ([]byte, error) {
	root, rel, err := w.locate(name)
	if err != nil {
		return nil, err
	}
	missing := "is not there: check the name, which is relative to working-directory, and that the repository is checked out"
	info, err := root.Stat(rel)
	if err != nil {
		return nil, refused(name, err, missing)
	}
	if err := regular(name, info.Mode()); err != nil {
		return nil, err
	}
	f, err := root.Open(rel)
	if err != nil {
		return nil, refused(name, err, missing)
	}
	defer f.Close()
	// What was opened counts, should the name have come to mean something else since.
	if info, err = f.Stat(); err != nil {
		return nil, refused(name, err, missing)
	}
	if err := regular(name, info.Mode()); err != nil {
		return nil, err
	}
	// The size that the system tells is not relied on: it is 0 for some files, and others grow.
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, refused(name, err, missing)
	}
	if int64(len(data)) > limit {
		return nil, &FileError{Name: name, Reason: TooLarge, text: fmt.Sprintf(
			"has more than %s, the most that is read: check that this is the right file, or make it smaller", mebibytes(limit))}
	}
	return data, nil
}

// regular refuses everything that is not a regular file.
func regular(name string, mode fs.FileMode) error {
	var kind string
	switch {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		return &FileError{Name: name, Reason: Folder, text: "is a folder: name the file in it"}
	case mode&fs.ModeNamedPipe != 0:
		kind = "pipe"
	case mode&fs.ModeSocket != 0:
		kind = "socket"
	case mode&fs.ModeDevice != 0:
		kind = "device"
	default:
		kind = "special file"
	}
	return &FileError{Name: name, Reason: NotRegular, text: fmt.Sprintf("is a %s: name a regular file", kind)}
}

func mebibytes(n int64) string {
	return strconv.FormatFloat(float64(n)/(1<<20), 'f', -1, 64) + " MiB"
}
