package gitobject

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
)

// handmade is a pack of a kind that git would not write.
type handmade struct {
	bytes.Buffer
	entries []packed
}

type packed struct {
	id     [sha1.Size]byte
	offset uint64
}

func newHandmade() *handmade {
	var h handmade
	h.WriteString("PACK\x00\x00\x00\x02\x00\x00\x00\x00")
	return &h
}

// add begins an object that says of itself what it is, and returns where. The base is there for deltas alone.
func (h *handmade) add(id [sha1.Size]byte, kind byte, size uint64, base, data []byte) (offset int) {
	offset = h.Len()
	h.entries = append(h.entries, packed{id, uint64(offset)})
	c := kind<<4 | byte(size&15)
	for size >>= 4; size > 0; size >>= 7 {
		h.WriteByte(c | 1<<7)
		c = byte(size & 0x7f)
	}
	h.WriteByte(c)
	h.Write(base)
	h.Write(data)
	return offset
}

// files is the index of version 2 and the pack, as far as they are read here.
func (h *handmade) files() (index, pack []byte) {
	sorted := slices.SortedFunc(slices.Values(h.entries), func(a, b packed) int { return bytes.Compare(a.id[:], b.id[:]) })
	index = []byte("\xfftOc\x00\x00\x00\x02")
	for first := range 256 {
		n, _ := slices.BinarySearchFunc(sorted, first+1, func(p packed, first int) int { return cmp.Compare(int(p.id[0]), first) })
		index = binary.BigEndian.AppendUint32(index, uint32(n))
	}
	for _, p := range sorted {
		index = append(index, p.id[:]...)
	}
	index = append(index, make([]byte, 4*len(sorted))...)
	var large []byte
	for _, p := range sorted {
		if p.offset < 1<<31 {
			index = binary.BigEndian.AppendUint32(index, uint32(p.offset))
			continue
		}
		index = binary.BigEndian.AppendUint32(index, 1<<31|uint32(len(large)/8))
		large = binary.BigEndian.AppendUint64(large, p.offset)
	}
	index = append(append(index, large...), make([]byte, 2*sha1.Size)...)
	return index, append(slices.Clone(h.Bytes()), make([]byte, sha1.Size)...)
}

// commitID is the id of a commit, and numbered one that nothing has.
func commitID(content []byte) [sha1.Size]byte {
	return sha1.Sum(fmt.Appendf(nil, "commit %d\x00%s", len(content), content))
}

func numbered(n uint32) (id [sha1.Size]byte) {
	binary.BigEndian.PutUint32(id[:], n)
	return id
}

func deflate(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// before tells that a base begins that many bytes before its delta.
func before(n int) []byte {
	b := []byte{byte(n & 0x7f)}
	for n >>= 7; n > 0; n >>= 7 {
		n--
		b = append([]byte{byte(n&0x7f) | 1<<7}, b...)
	}
	return b
}

// sizes begins a delta.
func sizes(base, object uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(nil, base), object)
}

// readHandmade reads a commit as readPack does, from memory.
func readHandmade(index, file, want []byte) ([]byte, error) {
	x, err := openIndex(bytes.NewReader(index), int64(len(index)), int64(len(want)))
	if err != nil {
		return nil, err
	}
	offset, err := x.find(want)
	if err != nil {
		return nil, err
	}
	p := pack{file: bytes.NewReader(file), size: int64(len(file)), index: x}
	content, err := p.commit(offset)
	if err != nil {
		return nil, err
	}
	return verified(content, want)
}

const (
	firstCommit  = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor A <a@example.com> 1 +0000\ncommitter A <a@example.com> 1 +0000\n\nFirst\n"
	secondCommit = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor A <a@example.com> 1 +0000\ncommitter A <a@example.com> 1 +0000\n\nSecond\n"
	thirdCommit  = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor A <a@example.com> 1 +0000\ncommitter A <a@example.com> 1 +0000\n\nSecond and third\n"
)

// threeCommits is a good pack of a commit, a delta of it, and a delta of that. It is the last of these that is read.
func threeCommits(t testing.TB) (index, pack, want []byte) {
	t.Helper()
	h := newHandmade()
	same := byte(len(firstCommit) - len("First\n"))
	first := h.add(commitID([]byte(firstCommit)), kindCommit, uint64(len(firstCommit)), nil, deflate(t, []byte(firstCommit)))
	delta := append(sizes(uint64(len(firstCommit)), uint64(len(secondCommit))), 0x90, same, 7)
	delta = append(delta, "Second\n"...)
	h.add(commitID([]byte(secondCommit)), kindOffsetDelta, uint64(len(delta)), before(h.Len()-first), deflate(t, delta))
	delta = append(sizes(uint64(len(secondCommit)), uint64(len(thirdCommit))), 0x90, byte(len(secondCommit)-1), 11)
	delta = append(delta, " and third\n"...)
	second, third := commitID([]byte(secondCommit)), commitID([]byte(thirdCommit))
	h.add(third, kindIDDelta, uint64(len(delta)), second[:], deflate(t, delta))
	index, pack = h.files()
	return index, pack, third[:]
}
