package gitobject

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// Packs that are made to harm. Not parallel, since what is allocated is counted for the whole process.
func TestReadCommit_hostile(t *testing.T) {
	const mib = 1 << 20
	target := numbered(0xffffffff)
	zeros := func(n int) []byte { return deflate(t, make([]byte, n)) }
	// chain is a commit of size zeros and deltas of deltas of it, each of which copies all of it.
	chain := func(size, deltas int) *handmade {
		h := newHandmade()
		last := h.add(numbered(0), kindCommit, uint64(size), nil, zeros(size))
		delta := sizes(uint64(size), uint64(size))
		for left := size; left > 0; left -= 1 << 16 {
			n := min(left, 1<<16) % (1 << 16) // 0 stands for 1<<16
			delta = append(delta, 0xb0, byte(n), byte(n>>8))
		}
		data := deflate(t, delta)
		for i := range deltas {
			id := numbered(uint32(i + 1))
			if i == deltas-1 {
				id = target
			}
			last = h.add(id, kindOffsetDelta, uint64(len(delta)), before(h.Len()-last), data)
		}
		return h
	}

	cases := []struct {
		name  string
		build func() *handmade
		want  string
		limit uint64 // of the bytes that reading it allocates in all
	}{
		{"huge_object", func() *handmade {
			h := newHandmade()
			h.add(target, kindCommit, 1<<40, nil, zeros(100))
			return h
		}, errTooLarge.Error(), mib},
		{"size_without_end", func() *handmade {
			h := newHandmade()
			h.add(target, kindCommit, 0, nil, nil)
			h.Truncate(h.Len() - 1)
			h.WriteString("\x90" + strings.Repeat("\x80", 100))
			return h
		}, errTooLarge.Error(), mib},
		{"huge_base_of_a_small_object", func() *handmade {
			h := newHandmade()
			base := h.add(numbered(1), kindCommit, 1<<30, nil, zeros(100))
			delta := append(sizes(1<<30, 100), 0x90, 100)
			h.add(target, kindOffsetDelta, uint64(len(delta)), before(h.Len()-base), deflate(t, delta))
			return h
		}, errTooLarge.Error(), mib},
		{"more_data_than_was_said", func() *handmade {
			h := newHandmade()
			h.add(target, kindCommit, 100, nil, zeros(64*mib))
			return h
		}, "the object is damaged: its hash is another", mib},
		{"less_data_than_was_said", func() *handmade {
			h := newHandmade()
			h.add(target, kindCommit, mib, nil, zeros(100))
			return h
		}, errPack.Error(), 2 * mib},
		{"long_data_that_come_to_little", func() *handmade {
			h := newHandmade()
			whole := zeros(10)
			data := slices.Concat(whole[:2], bytes.Repeat([]byte{0, 0, 0, 0xff, 0xff}, mib), whole[2:]) // blocks of no bytes
			h.add(target, kindCommit, 10, nil, data)
			return h
		}, errPack.Error(), mib},
		{"result_that_is_huge", func() *handmade {
			h := newHandmade()
			base := h.add(numbered(1), kindCommit, 100, nil, zeros(100))
			delta := append(sizes(100, 1<<50), 0x90, 100)
			h.add(target, kindOffsetDelta, uint64(len(delta)), before(h.Len()-base), deflate(t, delta))
			return h
		}, errTooLarge.Error(), mib},
		{"result_that_is_longer_than_was_said", func() *handmade {
			h := newHandmade()
			base := h.add(numbered(1), kindCommit, 1<<16, nil, zeros(1<<16))
			delta := append(sizes(1<<16, 10), bytes.Repeat([]byte{0x80}, 1000)...) // copies all of it each time
			h.add(target, kindOffsetDelta, uint64(len(delta)), before(h.Len()-base), deflate(t, delta))
			return h
		}, errDelta.Error(), mib},
		{"too_many_deltas", func() *handmade { return chain(10, maxDepth+1) }, "more than 4095 deltas of deltas", 2 * mib},
		{"as_many_deltas_as_may_be", func() *handmade { return chain(10, maxDepth) }, "the object is damaged: its hash is another", 32 * mib},
		{"too_much_work", func() *handmade { return chain(mib, 100) }, "its deltas come to more than 64 MiB", 80 * mib},
		{"circle", func() *handmade {
			h := newHandmade()
			one, two := numbered(1), target
			h.add(one, kindIDDelta, 4, two[:], deflate(t, sizes(10, 10)))
			h.add(two, kindIDDelta, 4, one[:], deflate(t, sizes(10, 10)))
			return h
		}, "more than 4095 deltas of deltas", 2 * mib},
		{"base_is_itself", func() *handmade {
			h := newHandmade()
			h.add(target, kindOffsetDelta, 4, before(0), deflate(t, sizes(10, 10)))
			return h
		}, errPack.Error(), mib},
		{"base_before_the_pack", func() *handmade {
			h := newHandmade()
			h.add(target, kindOffsetDelta, 4, before(1<<40), deflate(t, sizes(10, 10)))
			return h
		}, errPack.Error(), mib},
		{"base_without_end", func() *handmade {
			h := newHandmade()
			h.add(target, kindOffsetDelta, 4, bytes.Repeat([]byte{0xff}, 60), nil)
			return h
		}, errPack.Error(), mib},
		{"base_that_is_not_in_the_pack", func() *handmade {
			h := newHandmade()
			h.add(target, kindIDDelta, 4, make([]byte, 20), deflate(t, sizes(10, 10)))
			return h
		}, errPack.Error(), mib},
		{"not_a_commit", func() *handmade {
			h := newHandmade()
			h.add(target, 3, 10, nil, zeros(10))
			return h
		}, "the object is not a commit", mib},
		{"kind_that_does_not_exist", func() *handmade {
			h := newHandmade()
			h.add(target, 0, 10, nil, zeros(10))
			return h
		}, "the object is not a commit", mib},
		{"another_commit_under_its_name", func() *handmade {
			h := newHandmade()
			h.add(target, kindCommit, uint64(len(firstCommit)), nil, deflate(t, []byte(firstCommit)))
			return h
		}, "the object is damaged: its hash is another", mib},
		{"behind_the_end", func() *handmade {
			h := newHandmade()
			h.entries = append(h.entries, packed{target, 1 << 20})
			return h
		}, errPack.Error(), mib},
		{"far_behind_the_end", func() *handmade {
			h := newHandmade()
			h.entries = append(h.entries, packed{target, 1 << 62})
			return h
		}, errPack.Error(), mib},
		{"before_the_beginning", func() *handmade {
			h := newHandmade()
			h.entries = append(h.entries, packed{target, 1<<64 - 1})
			return h
		}, errIndex.Error(), mib},
		{"in_the_header", func() *handmade {
			h := newHandmade()
			h.entries = append(h.entries, packed{target, 4})
			return h
		}, errPack.Error(), mib},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			index, pack := tc.build().files()
			var err error
			got := allocated(func() { _, err = readHandmade(index, pack, target[:]) })
			if err == nil || err.Error() != tc.want {
				t.Errorf("expected the error %q, got %v", tc.want, err)
			}
			if got > tc.limit {
				t.Errorf("expected at most %d bytes to be allocated, got %d", tc.limit, got)
			}
		})
	}
}

// allocated is how many bytes f allocates in all.
func allocated(f func()) uint64 {
	var start, end runtime.MemStats
	runtime.ReadMemStats(&start)
	f()
	runtime.ReadMemStats(&end)
	return end.TotalAlloc - start.TotalAlloc
}

// A loose object that inflates to far more than a commit may have.
func TestReadCommit_hostile_loose(t *testing.T) {
	id := numbered(1)
	name := hex.EncodeToString(id[:])
	for _, content := range []string{"commit 100\x00" + strings.Repeat("x", 64<<20), strings.Repeat("commit ", 1<<20), ""} {
		objects := t.TempDir()
		path := filepath.Join(objects, name[:2], name[2:])
		write(t, path, deflate(t, []byte(content)))
		var err error
		got := allocated(func() { _, err = ReadCommit(objects, name) })
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("expected an error about the object, got %v", err)
		}
		if got > 16<<20 {
			t.Errorf("expected at most 16 MiB to be allocated, got %d bytes", got)
		}
	}
}

// Borrowing in a circle ends, and so does borrowing from more than one can look at.
func TestReadCommit_hostile_alternates(t *testing.T) {
	for _, line := range []string{"..\n", "x\n"} {
		objects := filepath.Join(t.TempDir(), "objects")
		write(t, filepath.Join(objects, "info", "alternates"), []byte(strings.Repeat(line, 1<<19)))
		write(t, filepath.Join(filepath.Dir(objects), "info", "alternates"), []byte("objects\n"))
		var err error
		got := allocated(func() { _, err = ReadCommit(objects, strings.Repeat("a", 40)) })
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("expected that there is no such commit, got %v", err)
		}
		if got > 16<<20 {
			t.Errorf("expected at most 16 MiB to be allocated, got %d bytes", got)
		}
	}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o644)); err != nil {
		t.Fatal(err)
	}
}

// What is no file is not waited for.
func TestReadCommit_not_files(t *testing.T) {
	t.Parallel()
	objects := t.TempDir()
	id := numbered(1)
	name := hex.EncodeToString(id[:])
	for _, dir := range []string{filepath.Join(name[:2], name[2:]), "info/alternates", "pack/pack-1.idx", "pack/pack-2.pack"} {
		if err := os.MkdirAll(filepath.Join(objects, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	_, err := ReadCommit(objects, name)
	if err == nil || !strings.HasSuffix(err.Error(), "not a regular file") {
		t.Errorf("expected an error about a file that is none, got %v", err)
	}
}
