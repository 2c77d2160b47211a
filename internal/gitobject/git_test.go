package gitobject_test

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/gitobject"
)

// repository is a repository of the real git, which also tells what is to be read.
type repository struct{ dir string }

func newRepository(t testing.TB, options ...string) repository {
	t.Helper()
	r := repository{dir: filepath.Join(t.TempDir(), "shop")}
	git(t, "", append(append([]string{"init", "-q", "-b", "main"}, options...), r.dir)...)
	return r
}

// git runs git in the repository and returns what it prints.
func (r repository) git(t testing.TB, args ...string) string {
	t.Helper()
	return strings.TrimSpace(git(t, "", append([]string{"-C", r.dir}, args...)...))
}

func git(t testing.TB, stdin string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatal("git is not installed; the tests make real repositories with it")
	}
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_CONFIG_COUNT=2",
		"GIT_CONFIG_KEY_0=user.name", "GIT_CONFIG_VALUE_0=A", "GIT_CONFIG_KEY_1=user.email", "GIT_CONFIG_VALUE_1=a@example.com")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

func (r repository) objects() string { return filepath.Join(r.dir, ".git", "objects") }

// commits adds n commits to main with long messages, each much like the one before, of which git makes deltas.
func (r repository) commits(t testing.TB, n int) {
	t.Helper()
	var stream strings.Builder
	for i := range n {
		message := fmt.Sprintf("Change %d\n\n", i)
		for line := range 40 {
			last := i - (i+line)%40 // the commit that changed this line last
			message += fmt.Sprintf("%x\n", sha1.Sum(fmt.Append(nil, line, last)))
		}
		fmt.Fprintf(&stream, "commit refs/heads/main\ncommitter A <a@example.com> %d +0000\ndata %d\n%s\n", 1700000000+i, len(message), message)
		if i == 0 && r.has(t, "refs/heads/main") {
			stream.WriteString("from refs/heads/main^0\n")
		}
		fmt.Fprintf(&stream, "M 644 inline spicepod.yaml\ndata <<X\nversion: %d\nX\n\n", i)
	}
	git(t, stream.String(), "-C", r.dir, "-c", "fastimport.unpackLimit=1000000", "fast-import", "--quiet")
}

func (r repository) has(t testing.TB, ref string) bool {
	t.Helper()
	return r.git(t, "for-each-ref", ref) != ""
}

// write adds an object as it stands.
func (r repository) write(t testing.TB, kind, content string) string {
	t.Helper()
	return strings.TrimSpace(git(t, content, "-C", r.dir, "hash-object", "-w", "-t", kind, "--stdin"))
}

// check compares every commit that git finds with what is read.
func (r repository) check(t *testing.T) {
	t.Helper()
	ids := strings.Fields(r.git(t, "rev-list", "--all"))
	if len(ids) == 0 {
		t.Fatal("expected commits")
	}
	for _, id := range ids {
		raw := git(t, "", "-C", r.dir, "cat-file", "commit", id)
		header, message, _ := strings.Cut(raw, "\n\n")
		want := gitobject.Commit{Message: strings.TrimRight(message, "\n")}
		for line := range strings.Lines(header) {
			if parent, ok := strings.CutPrefix(line, "parent "); ok {
				want.Parents = append(want.Parents, strings.TrimSpace(parent))
			}
		}
		got, err := gitobject.ReadCommit(r.objects(), id)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("unexpected commit %s (-want +got):\n%s", id, diff)
		}
	}
}

// deepest is the commit at the end of the longest chain of deltas, and how long that is.
func (r repository) deepest(t testing.TB) (id string, depth int) {
	t.Helper()
	for _, name := range r.files(t, "*.idx") {
		for line := range strings.Lines(r.git(t, "verify-pack", "-v", name)) {
			fields := strings.Fields(line) // id kind size packed offset depth base
			if len(fields) != 7 || fields[1] != "commit" {
				continue
			}
			if n, err := strconv.Atoi(fields[5]); err == nil && n > depth {
				id, depth = fields[0], n
			}
		}
	}
	return id, depth
}

// files is the files among the packs whose names match.
func (r repository) files(t testing.TB, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(r.objects(), "pack", pattern))
	if err != nil || len(names) == 0 {
		t.Fatalf("expected %s, got %q, %v", pattern, names, err)
	}
	return names
}

func TestReadCommit(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		setup func(t *testing.T) repository
		depth int // of the deltas that commits are made of, at least
	}{
		{"loose", func(t *testing.T) repository {
			r := newRepository(t)
			r.commits(t, 3)
			return r
		}, 0},
		{"gc", func(t *testing.T) repository {
			r := newRepository(t)
			r.commits(t, 30)
			r.git(t, "gc", "-q")
			return r
		}, 1},
		{"deep_deltas", func(t *testing.T) repository {
			r := newRepository(t)
			r.commits(t, 200)
			r.git(t, "repack", "-adfq", "--depth=50", "--window=100")
			return r
		}, 40},
		{"bases_by_id", func(t *testing.T) repository {
			r := newRepository(t)
			r.commits(t, 60)
			r.git(t, "-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq", "--depth=50")
			return r
		}, 10},
		{"index_version_1", func(t *testing.T) repository {
			r := newRepository(t)
			r.commits(t, 30)
			r.git(t, "-c", "pack.indexVersion=1", "-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq")
			return r
		}, 1},
		{"large_offsets", func(t *testing.T) repository {
			r := newRepository(t)
			r.commits(t, 30)
			r.git(t, "repack", "-adfq")
			name := r.files(t, "*.idx")[0]
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
			r.git(t, "index-pack", "--index-version=2,0x40", strings.TrimSuffix(name, ".idx")+".pack")
			return r
		}, 1},
		{"several_packs_and_loose", func(t *testing.T) repository {
			r := newRepository(t)
			for range 4 {
				r.commits(t, 5)
				r.git(t, "repack", "-dq")
			}
			r.git(t, "multi-pack-index", "write")
			r.commits(t, 5)
			return r
		}, 0},
		{"unreachable_in_a_cruft_pack", func(t *testing.T) repository {
			r := newRepository(t)
			r.commits(t, 5)
			r.git(t, "update-ref", "refs/heads/main", "main~2")
			r.git(t, "repack", "--cruft", "-dq")
			return r
		}, 0},
		{"sha256", func(t *testing.T) repository {
			r := newRepository(t, "--object-format=sha256")
			r.commits(t, 30)
			r.git(t, "-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq")
			r.commits(t, 3)
			return r
		}, 1},
		{"sha256_index_version_1", func(t *testing.T) repository {
			r := newRepository(t, "--object-format=sha256")
			r.commits(t, 10)
			r.git(t, "-c", "pack.indexVersion=1", "repack", "-adfq")
			return r
		}, 1},
		{"shallow", func(t *testing.T) repository {
			r := newRepository(t)
			r.commits(t, 30)
			clone := repository{dir: filepath.Join(t.TempDir(), "clone")}
			git(t, "", "clone", "-q", "--depth", "1", "file://"+r.dir, clone.dir)
			return clone
		}, 0},
		{"partial", func(t *testing.T) repository {
			r := newRepository(t)
			r.commits(t, 30)
			r.git(t, "config", "uploadpack.allowFilter", "true")
			clone := repository{dir: filepath.Join(t.TempDir(), "clone")}
			git(t, "", "clone", "-q", "--no-checkout", "--filter=tree:0", "file://"+r.dir, clone.dir)
			return clone
		}, 0},
		{"borrowed_from_one_that_borrows", func(t *testing.T) repository {
			r := newRepository(t)
			r.commits(t, 3)
			r.git(t, "gc", "-q")
			second := repository{dir: filepath.Join(t.TempDir(), "second")}
			git(t, "", "clone", "-q", "--shared", r.dir, second.dir)
			second.commits(t, 3)
			third := repository{dir: filepath.Join(t.TempDir(), "third")}
			git(t, "", "clone", "-q", "--shared", second.dir, third.dir)
			third.commits(t, 3)
			return third
		}, 0},
		{"borrowed_by_a_relative_name", func(t *testing.T) repository {
			r := newRepository(t)
			r.commits(t, 3)
			clone := newRepository(t)
			relative, err := filepath.Rel(clone.objects(), r.objects())
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(clone.objects(), "info", "alternates")
			if err := os.WriteFile(file, []byte("# ours\n\n/not/there\n"+relative+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			clone.git(t, "update-ref", "refs/heads/main", r.git(t, "rev-parse", "main"))
			return clone
		}, 0},
		{"damaged_loose_and_packed", func(t *testing.T) repository {
			r := newRepository(t)
			r.commits(t, 3)
			loose, err := filepath.Glob(filepath.Join(r.objects(), "??", "*"))
			if err != nil || len(loose) == 0 {
				t.Fatalf("expected loose objects, got %q, %v", loose, err)
			}
			r.git(t, "repack", "-aq") // leaves the loose ones
			for _, name := range loose {
				if err := errors.Join(os.Chmod(name, 0o644), os.WriteFile(name, []byte("not zlib"), 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			return r
		}, 0},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := tc.setup(t)
			if tc.depth > 0 {
				if _, got := r.deepest(t); got < tc.depth {
					t.Fatalf("expected deltas of deltas to a depth of at least %d, got %d", tc.depth, got)
				}
			}
			r.check(t)
		})
	}
}

func BenchmarkCommit(b *testing.B) {
	r := newRepository(b)
	r.commits(b, 10000)
	r.git(b, "repack", "-adfq", "--depth=50")
	deepest, _ := r.deepest(b)
	for name, id := range map[string]string{"head": r.git(b, "rev-parse", "main"), "deepest": deepest} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := gitobject.ReadCommit(r.objects(), id); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
