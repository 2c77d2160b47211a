// Package gitobject reads a commit out of a git repository's folder of objects, loose or packed, without a git
// binary.
//
// What it reads may have been put there to harm: every length and position is checked before it is used, what one
// commit may cost is limited, and what comes out must have the hash that it was asked for by. It refuses whatever
// is not a commit, and commits of more than 1 MiB. It does not resolve names, follow replacements (refs/replace) or
// grafts, fetch what a partial clone has left out, or write. It runs no program and reads no config, so that, unlike
// for git, it does not matter who owns the repository.
package gitobject

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1" //nolint:gosec // the hash that git names objects by
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Limits of what one commit may cost. What git writes stays far below.
const (
	maxObject    = 1 << 20  // bytes of a commit, of a delta, and of each object that is rebuilt on the way
	maxWork      = 64 << 20 // bytes of all of these together
	maxDepth     = 4095     // deltas of deltas, git's own maximum: https://git-scm.com/docs/git-config#Documentation/git-config.txt-packdepth
	maxStores    = 16       // folders of objects: the repository's own, and those that it borrows from
	maxPackNames = 1 << 13  // names that are looked at in a folder of packs, some four for each pack
)

// ReadCommit reads the commit id, 40 digits in a SHA-1 repository and 64 in a SHA-256 one, from the folder objects of
// a repository, or from those that it names as its alternates. A commit that is nowhere is [fs.ErrNotExist].
func ReadCommit(objects, id string) (Commit, error) {
	want, err := hex.DecodeString(id)
	if err != nil || len(want) != sha1.Size && len(want) != sha256.Size {
		return Commit{}, fmt.Errorf("read commit %q: not the id of an object", id)
	}
	cause := fs.ErrNotExist
	stores := []string{objects}
	for i := 0; i < len(stores) && i < maxStores; i++ {
		content, err := readFrom(stores[i], want)
		if err == nil {
			return parseCommit(content), nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			cause = err
		}
		stores = append(stores, alternates(stores[i])...)
	}
	return Commit{}, fmt.Errorf("read commit %s: %w", id, cause)
}

// readFrom reads a commit from one folder of objects. One that is damaged may lie there a second time.
func readFrom(objects string, want []byte) ([]byte, error) {
	content, err := readLoose(objects, want)
	if err == nil {
		return content, nil
	}
	content, packErr := readPacked(filepath.Join(objects, "pack"), want)
	if packErr != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return content, packErr
}

// alternates is the folders that a repository borrows objects from, as "git clone --shared" makes it do.
func alternates(objects string) []string {
	f, _, err := openRegular(filepath.Join(objects, "info", "alternates"))
	if err != nil {
		return nil
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxObject))
	if err != nil {
		return nil
	}
	var dirs []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || strings.HasPrefix(line, "#") || len(dirs) == maxStores {
			continue
		}
		if !filepath.IsAbs(line) {
			line = filepath.Join(objects, line)
		}
		dirs = append(dirs, line)
	}
	return dirs
}

// readLoose reads a commit that has a file of its own.
func readLoose(objects string, want []byte) ([]byte, error) {
	name := hex.EncodeToString(want)
	f, size, err := openRegular(filepath.Join(objects, name[:2], name[2:]))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const limit = maxObject + int64(len("commit 1048576\x00"))
	r, err := zlib.NewReader(compressed(f, 0, size, limit))
	if err != nil {
		return nil, fmt.Errorf("loose object: %w", err)
	}
	object, err := io.ReadAll(io.LimitReader(r, limit))
	if err != nil {
		return nil, fmt.Errorf("loose object: %w", err)
	}
	header, content, _ := bytes.Cut(object, []byte{0})
	if string(header) != fmt.Sprintf("commit %d", len(content)) {
		return nil, errors.New("loose object: not a commit, too large, or damaged")
	}
	return verified(content, want)
}

// verified is the content of a commit, if it is what the id stands for.
func verified(content, want []byte) ([]byte, error) {
	var h hash.Hash
	if len(want) == sha256.Size {
		h = sha256.New()
	} else {
		h = sha1.New() //nolint:gosec // as above
	}
	fmt.Fprintf(h, "commit %d\x00", len(content))
	h.Write(content)
	if !bytes.Equal(h.Sum(nil), want) {
		return nil, errors.New("the object is damaged: its hash is another")
	}
	return content, nil
}

// openRegular opens a file that is known not to be a pipe, which would make the run wait for ever.
func openRegular(path string) (f *os.File, size int64, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("open %s: not a regular file", path)
	}
	f, err = os.Open(path)
	return f, info.Size(), err
}
