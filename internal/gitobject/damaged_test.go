package gitobject

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A commit with the name of another one must not be taken for it: its parents tell whose work is deployed.
func TestReadCommit_under_the_name_of_another(t *testing.T) {
	t.Parallel()
	id := numbered(1)
	name := hex.EncodeToString(id[:])
	h := newHandmade()
	h.add(id, kindCommit, uint64(len(firstCommit)), nil, deflate(t, []byte(firstCommit)))
	index, pack := h.files()

	loose, packed := t.TempDir(), t.TempDir()
	write(t, filepath.Join(loose, name[:2], name[2:]), deflate(t, fmt.Appendf(nil, "commit %d\x00%s", len(firstCommit), firstCommit)))
	write(t, filepath.Join(packed, "pack", "pack-1.idx"), index)
	write(t, filepath.Join(packed, "pack", "pack-1.pack"), pack)
	for _, objects := range []string{loose, packed} {
		got, err := ReadCommit(objects, name)
		if err == nil || !strings.HasSuffix(err.Error(), "the object is damaged: its hash is another") {
			t.Errorf("expected an error about the hash, got %q, %v", got, err)
		}
	}
}

func TestPack_header(t *testing.T) {
	t.Parallel()
	index, good, want := threeCommits(t)
	cases := []struct{ name, header, want string }{
		{"version_2", "PACK\x00\x00\x00\x02", ""},
		{"version_3", "PACK\x00\x00\x00\x03", ""},
		{"version_4", "PACK\x00\x00\x00\x04", "the pack has version 4, which is not known"},
		{"no_pack", "BACK\x00\x00\x00\x02", errPack.Error()},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := readHandmade(index, append([]byte(tc.header), good[8:]...), want)
			if (err == nil) != (tc.want == "") || err != nil && err.Error() != tc.want {
				t.Errorf("expected the error %q, got %v", tc.want, err)
			}
		})
	}
}

func TestOpenIndex_damaged(t *testing.T) {
	t.Parallel()
	good, file, want := threeCommits(t)
	change := func(at int, value uint32) []byte {
		index := slices.Clone(good)
		binary.BigEndian.PutUint32(index[at:], value)
		return index
	}
	missing := slices.Clone(good)
	for at := range 3 {
		binary.BigEndian.PutUint32(missing[8+countsSize+3*(20+4)+at*4:], 1<<31)
	}
	cases := []struct {
		name  string
		index []byte
		want  string
	}{
		{"large_offsets_that_are_not_there", missing, errIndex.Error()},
		{"empty", nil, errIndex.Error()},
		{"only_a_magic_number", good[:4], errIndex.Error()},
		{"no_table", good[:8], errIndex.Error()},
		{"another_version", change(4, 3), "the index of the pack has version 3, which is not known"},
		{"more_objects_than_there_is_room_for", change(8+255*4, 1<<31), errIndex.Error()},
		{"fewer_objects_than_there_are", change(8+255*4, 1), errIndex.Error()},
		{"span_behind_the_end", change(8+int(want[0])*4, 1<<31), errIndex.Error()},
		{"span_that_ends_before_it_begins", change(8+int(want[0]-1)*4, 4), errIndex.Error()},
		{"longer", append(slices.Clone(good), 0), errIndex.Error()},
		{"room_for_more_large_offsets_than_objects", append(slices.Clone(good), make([]byte, 4*8)...), errIndex.Error()},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := readHandmade(tc.index, file, want)
			if err == nil || err.Error() != tc.want {
				t.Errorf("expected the error %q, got %v", tc.want, err)
			}
		})
	}
}

// A pack of up to 4 GiB may have an index of version 1, which has no large offsets.
func TestIndex_version_1_beyond_2_GiB(t *testing.T) {
	t.Parallel()
	const want = 3 << 30
	id := numbered(0)
	var index []byte
	for range 256 {
		index = binary.BigEndian.AppendUint32(index, 1)
	}
	index = binary.BigEndian.AppendUint32(index, want)
	index = append(append(index, id[:]...), make([]byte, 2*len(id))...)
	x, err := openIndex(bytes.NewReader(index), int64(len(index)), int64(len(id)))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := x.find(id[:]); err != nil || got != want {
		t.Errorf("expected the offset %d, got %d, %v", int64(want), got, err)
	}
}

// However a pack and its index are cut off or changed, it is the commit that is read, or nothing.
func TestPack_damaged(t *testing.T) {
	t.Parallel()
	index, file, want := threeCommits(t)
	if got, err := readHandmade(index, file, want); err != nil || string(got) != thirdCommit {
		t.Fatalf("expected the commit from the good pack, got %q, %v", got, err)
	}
	try := func(t *testing.T, what string, at int, index, file []byte) {
		t.Helper()
		if got, err := readHandmade(index, file, want); err == nil && string(got) != thirdCommit {
			t.Errorf("%s at %d: expected the commit or an error, got %q", what, at, got)
		}
	}
	for at := range file {
		try(t, "pack cut off", at, index, file[:at])
	}
	for at := range index {
		if _, err := readHandmade(index[:at], file, want); err == nil {
			t.Errorf("index cut off at %d: expected an error", at)
		}
	}
	for bit := range 8 {
		for at := range file {
			changed := slices.Clone(file)
			changed[at] ^= 1 << bit
			try(t, "pack changed", at, index, changed)
		}
		for at := range index {
			changed := slices.Clone(index)
			changed[at] ^= 1 << bit
			try(t, "index changed", at, changed, file)
		}
	}
}
