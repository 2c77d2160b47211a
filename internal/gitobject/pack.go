package gitobject

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// readPacked reads a commit from the packs of a folder.
func readPacked(dir string, want []byte) ([]byte, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	entries, err := d.ReadDir(maxPackNames)
	if err != nil && !errors.Is(err, io.EOF) { // an empty folder
		return nil, err
	}
	cause := fs.ErrNotExist
	for _, entry := range entries {
		name, ok := strings.CutSuffix(entry.Name(), ".idx")
		if !ok {
			continue
		}
		content, err := readPack(filepath.Join(dir, name), want)
		if err == nil {
			return content, nil
		}
		if !errors.Is(err, fs.ErrNotExist) { // the commit may lie in another pack as well
			cause = fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil, cause
}

// readPack reads a commit from one pack, whose files begin with name.
func readPack(name string, want []byte) ([]byte, error) {
	indexFile, indexSize, err := openRegular(name + ".idx")
	if err != nil {
		return nil, err
	}
	defer indexFile.Close()
	x, err := openIndex(indexFile, indexSize, int64(len(want)))
	if err != nil {
		return nil, err
	}
	offset, err := x.find(want)
	if err != nil {
		return nil, err
	}
	packFile, packSize, err := openRegular(name + ".pack")
	if err != nil {
		return nil, err
	}
	defer packFile.Close()
	p := pack{file: packFile, size: packSize, index: x}
	content, err := p.commit(offset)
	if err != nil {
		return nil, err
	}
	return verified(content, want)
}

// A pack holds objects one after the other, each compressed, some as a delta of another one in the same pack. It is
// described in https://git-scm.com/docs/gitformat-pack.
type pack struct {
	file     io.ReaderAt
	size     int64
	index    index
	inflater io.ReadCloser // used again for each delta, since it is large
}

// The kinds of entries that matter here.
const (
	kindCommit      = 1
	kindOffsetDelta = 6 // the base is told by how far before the delta it begins
	kindIDDelta     = 7 // the base is told by its id
)

// entry is the head of an object in a pack.
type entry struct {
	kind byte
	size int64 // of the object or of the delta, when inflated
	data int64 // where the compressed data begin
	base int64 // where the base begins, for a delta
}

var errPack = errors.New("the pack is damaged")

// commit is the content of the commit that begins at an offset. The way from delta to delta down to the commit that
// they begin with is gone first, reading heads alone; only on the way back is anything inflated, so that no more
// than one delta and two commits are held.
func (p *pack) commit(offset int64) ([]byte, error) {
	var start [8]byte
	if err := readAt(p.file, start[:], 0); err != nil || string(start[:4]) != "PACK" {
		return nil, errPack
	}
	if version := binary.BigEndian.Uint32(start[4:]); version != 2 && version != 3 {
		return nil, fmt.Errorf("the pack has version %d, which is not known", version)
	}
	e, err := p.entry(offset)
	var deltas []entry
	for err == nil && (e.kind == kindOffsetDelta || e.kind == kindIDDelta) {
		if len(deltas) == maxDepth {
			return nil, fmt.Errorf("more than %d deltas of deltas", maxDepth)
		}
		deltas = append(deltas, e)
		e, err = p.entry(e.base)
	}
	if err != nil {
		return nil, err
	}
	if e.kind != kindCommit {
		return nil, errors.New("the object is not a commit")
	}
	content, err := p.inflate(e)
	if err != nil {
		return nil, err
	}
	work := len(content)
	for _, e := range slices.Backward(deltas) {
		delta, err := p.inflate(e)
		if err != nil {
			return nil, err
		}
		if content, err = patch(content, delta); err != nil {
			return nil, err
		}
		if work += len(delta) + len(content); work > maxWork {
			return nil, fmt.Errorf("its deltas come to more than %d MiB", maxWork>>20)
		}
	}
	return content, nil
}

// end is where the objects end and the pack's own hash begins.
func (p *pack) end() int64 { return p.size - p.index.hash }

// entry reads the head of the object at an offset: three bits of kind, a size in groups of four and then seven bits,
// the lowest first, and for a delta what its base is.
func (p *pack) entry(offset int64) (entry, error) {
	const header = 12 // of the pack
	if offset < header || offset >= p.end() {
		return entry{}, errPack
	}
	// Ten bytes for the size and 32 for an id are the most that can be of use.
	head := make([]byte, min(42, p.end()-offset))
	if err := readAt(p.file, head, offset); err != nil {
		return entry{}, errPack
	}
	rest := bytes.NewReader(head)
	c, err := rest.ReadByte()
	e := entry{kind: c >> 4 & 7, size: int64(c & 15)}
	for shift := 4; err == nil && c >= 1<<7; shift += 7 {
		if c, err = rest.ReadByte(); err == nil {
			e.size |= int64(c&0x7f) << shift
		}
		if shift > 32 || e.size > maxObject {
			return entry{}, errTooLarge
		}
	}
	if err != nil {
		return entry{}, errPack
	}
	switch e.kind {
	case kindOffsetDelta:
		back, err := distance(rest)
		if err != nil {
			return entry{}, errPack
		}
		e.base = offset - back
	case kindIDDelta:
		id := make([]byte, p.index.hash)
		if _, err := io.ReadFull(rest, id); err != nil {
			return entry{}, errPack
		}
		if e.base, err = p.index.find(id); err != nil {
			return entry{}, errPack // the base must be in the same pack
		}
	}
	e.data = offset + int64(len(head)-rest.Len())
	return e, nil
}

// distance reads how far before a delta its base begins: groups of seven bits, the highest first, where each group
// that goes on stands for one more than its bits say, since there is a shorter form for what would be less.
func distance(r io.ByteReader) (int64, error) {
	c, err := r.ReadByte()
	n := int64(c & 0x7f)
	for err == nil && c >= 1<<7 {
		if n >= 1<<48 {
			return 0, errPack
		}
		c, err = r.ReadByte()
		n = (n+1)<<7 | int64(c&0x7f)
	}
	if n == 0 { // its own base
		return 0, errPack
	}
	return n, err
}

var errTooLarge = fmt.Errorf("the object, or one that it is a delta of, has more than %d MiB", maxObject>>20)

// inflate reads an object or a delta. That nothing is compressed behind it need not be checked: what comes out in the
// end must have the right hash.
func (p *pack) inflate(e entry) ([]byte, error) {
	r := compressed(p.file, e.data, p.end(), e.size)
	var err error
	if p.inflater == nil {
		p.inflater, err = zlib.NewReader(r)
	} else {
		err = p.inflater.(zlib.Resetter).Reset(r, nil)
	}
	if err != nil {
		return nil, errPack
	}
	content := make([]byte, e.size)
	if _, err := io.ReadFull(p.inflater, content); err != nil {
		return nil, errPack
	}
	return content, nil
}

// compressed is what lies in a file between two positions, but not much more than it takes to inflate size bytes:
// what is compressed can be longer than what it stands for, but only by a little, or else on purpose.
func compressed(file io.ReaderAt, from, to, size int64) io.Reader {
	return io.NewSectionReader(file, from, min(to-from, 2*size+1024))
}
