package gitobject

import (
	"slices"
	"strings"
	"testing"
)

// FuzzPack looks for a pack and an index that make the reader panic, hang, or take something else for the commit.
func FuzzPack(f *testing.F) {
	index, file, want := threeCommits(f)
	f.Add(index, file)
	f.Add(index[8:], file)
	f.Add(index[:100], file[:50])
	f.Fuzz(func(t *testing.T, index, file []byte) {
		if got, err := readHandmade(index, file, want); err == nil && string(got) != thirdCommit {
			t.Errorf("expected the commit or an error, got %q", got)
		}
	})
}

// FuzzEntry reads whatever a pack holds behind its header, where FuzzPack would seldom get past the index.
func FuzzEntry(f *testing.F) {
	index, file, want := threeCommits(f)
	f.Add(file[12:], uint16(12))
	f.Add([]byte("\x66\x05x\x9c"), uint16(13))
	f.Add([]byte("\x9f\xff\xff\xff"), uint16(12))
	f.Fuzz(func(t *testing.T, objects []byte, offset uint16) {
		whole := append(slices.Clone(file[:12]), objects...)
		h := newHandmade()
		h.entries = []packed{{[20]byte(want), uint64(offset)}}
		x, _ := h.files()
		for _, index := range [][]byte{x, index} {
			if got, err := readHandmade(index, whole, want); err == nil && string(got) != thirdCommit {
				t.Errorf("expected the commit or an error, got %q", got)
			}
		}
	})
}

// FuzzPatch applies deltas.
func FuzzPatch(f *testing.F) {
	f.Add([]byte("base"), append(sizes(4, 7), 0x90, 4, 3, 'a', 'b', 'c'))
	f.Add([]byte("base"), append(sizes(4, 2), 0x91, 2, 2))
	f.Add([]byte("base"), append(sizes(4, 1<<16), 0x80))
	f.Add([]byte(""), append(sizes(0, 1<<60), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))
	f.Add([]byte("base"), []byte(strings.Repeat("\xff", 20)))
	f.Fuzz(func(t *testing.T, base, delta []byte) {
		object, err := patch(base, delta)
		if err == nil && len(object) > maxObject {
			t.Errorf("expected at most %d bytes, got %d", maxObject, len(object))
		}
	})
}

// FuzzParseCommit takes commits apart.
func FuzzParseCommit(f *testing.F) {
	f.Add([]byte(thirdCommit))
	f.Add([]byte("parent \nencoding latin1\n\n\xe9"))
	f.Add([]byte("\n\n\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		c := parseCommit(content)
		if strings.ToValidUTF8(c.Message, "") != c.Message || strings.HasSuffix(c.Message, "\n") {
			t.Errorf("expected UTF-8 that does not end in a line end, got %q", c.Message)
		}
	})
}
