package gitobject

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// An index tells where in a pack each object begins. It has a table of 256 counts, of the objects whose id begins
// with at most that byte, and the ids in order, so that a few reads find one among millions. Versions 1 and 2 are
// described in https://git-scm.com/docs/gitformat-pack.
type index struct {
	file             io.ReaderAt
	hash             int64 // bytes of an id
	counts           int64 // where the table is
	objects          int64
	ids, idStep      int64 // where the first id is, and how far from it the next
	offsets, offStep int64 // the same for the offsets
	large, larges    int64 // where the offsets are that need 64 bits, and how many; version 2 only
}

const countsSize = 256 * 4

var errIndex = errors.New("the index of the pack is damaged")

// openIndex checks that the size of an index is what its counts say.
func openIndex(file io.ReaderAt, size, hash int64) (index, error) {
	var start [8]byte
	if err := readAt(file, start[:], 0); err != nil {
		return index{}, errIndex
	}
	x := index{file: file, hash: hash}
	second := bytes.HasPrefix(start[:], []byte("\xfftOc")) // more than a first count can be
	if second {
		if version := binary.BigEndian.Uint32(start[4:]); version != 2 {
			return index{}, fmt.Errorf("the index of the pack has version %d, which is not known", version)
		}
		x.counts = int64(len(start))
	}
	last, err := x.uint32(x.counts + countsSize - 4)
	if err != nil {
		return index{}, err
	}
	x.objects = int64(last)
	body := x.counts + countsSize
	if second {
		x.ids, x.idStep = body, hash
		x.offsets, x.offStep = body+x.objects*(hash+4), 4 // behind the ids and their checksums
		x.large = x.offsets + x.objects*4
		x.larges = (size - 2*hash - x.large) / 8
	} else {
		x.ids, x.idStep = body+4, hash+4
		x.offsets, x.offStep = body, hash+4
		x.large = body + x.objects*(hash+4)
	}
	if size != x.large+x.larges*8+2*hash || x.larges < 0 || x.larges > x.objects {
		return index{}, errIndex
	}
	return x, nil
}

// find is where in the pack the object with an id begins, [fs.ErrNotExist] where it is not in it.
func (x index) find(id []byte) (int64, error) {
	low, high, err := x.span(id[0])
	if err != nil {
		return 0, err
	}
	got := make([]byte, len(id))
	for low < high {
		middle := (low + high) / 2
		if err := readAt(x.file, got, x.ids+middle*x.idStep); err != nil {
			return 0, errIndex
		}
		switch order := bytes.Compare(id, got); {
		case order == 0:
			return x.offset(middle)
		case order < 0:
			high = middle
		default:
			low = middle + 1
		}
	}
	return 0, fs.ErrNotExist
}

// span is the first of the objects whose id begins with a byte, and the first after them.
func (x index) span(first byte) (low, high int64, err error) {
	at := x.counts + int64(first)*4
	end, err := x.uint32(at)
	if err != nil {
		return 0, 0, err
	}
	begin := uint32(0)
	if first > 0 {
		if begin, err = x.uint32(at - 4); err != nil {
			return 0, 0, err
		}
	}
	if begin > end || int64(end) > x.objects {
		return 0, 0, errIndex
	}
	return int64(begin), int64(end), nil
}

// offset is where the nth object begins. In version 2 the highest bit says that the rest counts large offsets.
func (x index) offset(n int64) (int64, error) {
	offset, err := x.uint32(x.offsets + n*x.offStep)
	if err != nil || x.counts == 0 || offset < 1<<31 {
		return int64(offset), err
	}
	nth := int64(offset - 1<<31)
	if nth >= x.larges {
		return 0, errIndex
	}
	var b [8]byte
	if err := readAt(x.file, b[:], x.large+nth*8); err != nil || b[0] >= 1<<7 {
		return 0, errIndex
	}
	return int64(binary.BigEndian.Uint64(b[:])), nil //nolint:gosec // the highest bit is not set
}

func (x index) uint32(at int64) (uint32, error) {
	var b [4]byte
	if err := readAt(x.file, b[:], at); err != nil {
		return 0, errIndex
	}
	return binary.BigEndian.Uint32(b[:]), nil
}

// readAt fills b. That the file ends right behind it is no error.
func readAt(file io.ReaderAt, b []byte, at int64) error {
	if n, err := file.ReadAt(b, at); n < len(b) {
		return err
	}
	return nil
}
