package gitobject_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/internal/gitobject"
)

func TestReadCommit_content(t *testing.T) {
	t.Parallel()
	const (
		parent = "1111111111111111111111111111111111111111"
		who    = "A <a@example.com> 1700000000 +0000"
		people = "author " + who + "\ncommitter " + who + "\n"
		sig    = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n parent of nothing\n iQEz\n -----END PGP SIGNATURE-----\n"
		tag    = "mergetag object " + parent + "\n type commit\n tag v1\n tagger " + who + "\n \n parent 1\n \n encoding latin1\n"
	)
	cases := []struct {
		name, header, message string
		want                  gitobject.Commit
	}{
		{"first_commit", people, "One\n", gitobject.Commit{Message: "One"}},
		{
			"merge", "parent " + parent + "\nparent " + strings.Repeat("2", 40) + "\n" + people, "Merge\n",
			gitobject.Commit{Parents: []string{parent, strings.Repeat("2", 40)}, Message: "Merge"},
		},
		{"several_lines", people, "One\n\nTwo\n\nThree: x\n\n\n", gitobject.Commit{Message: "One\n\nTwo\n\nThree: x"}},
		{"no_message", people, "", gitobject.Commit{}},
		{"message_like_a_header", people, "\nparent " + parent + "\n", gitobject.Commit{Message: "\nparent " + parent}},
		{"signed", people + sig, "Signed\n", gitobject.Commit{Message: "Signed"}},
		{
			"signed_merge_of_a_tag", "parent " + parent + "\n" + people + tag + sig, "caf\u00e9\n",
			gitobject.Commit{Parents: []string{parent}, Message: "caf\u00e9"},
		},
		{"latin_1", people + "encoding ISO-8859-1\n", "caf\xe9\n", gitobject.Commit{Message: "caf\u00e9"}},
		{"another_encoding", people + "encoding Shift_JIS\n", "\x83\x5c ok\n", gitobject.Commit{Message: "\uFFFD\\ ok"}},
		{"not_UTF-8_and_not_told", people, "caf\xe9\n", gitobject.Commit{Message: "caf\uFFFD"}},
		{"large", people, strings.Repeat("x", 1<<20-300) + "\n", gitobject.Commit{Message: strings.Repeat("x", 1<<20-300)}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newRepository(t)
			tree := r.write(t, "tree", "")
			content := "tree " + tree + "\n" + tc.header + "\n" + tc.message
			// The parents are not there, so git must not look for them.
			id := strings.TrimSpace(git(t, content, "-C", r.dir, "hash-object", "-w", "-t", "commit", "--literally", "--stdin"))
			for _, form := range []string{"loose", "packed"} {
				if form == "packed" {
					git(t, id+"\n", "-C", r.dir, "pack-objects", "-q", filepath.Join(r.objects(), "pack", "pack"))
					r.git(t, "prune-packed", "-q")
				}
				got, err := gitobject.ReadCommit(r.objects(), id)
				if err != nil {
					t.Fatalf("%s: %v", form, err)
				}
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("%s: unexpected commit (-want +got):\n%s", form, diff)
				}
			}
		})
	}
}

func TestReadCommit_refused(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	r.commits(t, 1)
	nowhere := strings.Repeat("0", 40)
	tree := r.write(t, "tree", "")
	large := r.write(t, "commit", "tree "+tree+"\nauthor A <a@example.com> 1 +0000\ncommitter A <a@example.com> 1 +0000\n\n"+strings.Repeat("x", 1<<20))
	const loose = "loose object: not a commit, too large, or damaged"
	cases := []struct{ name, objects, id, want string }{
		{"no_id", r.objects(), "", `read commit "": not the id of an object`},
		{"name", r.objects(), "main", `read commit "main": not the id of an object`},
		{"short_id", r.objects(), "abcdef0", `read commit "abcdef0": not the id of an object`},
		{"path", r.objects(), "../../../../../../../../../../etc/passwd", `read commit "../../../../../../../../../../etc/passwd": not the id of an object`},
		{"not_there", r.objects(), nowhere, "read commit " + nowhere + ": file does not exist"},
		{"sha256_in_a_sha1_repository", r.objects(), nowhere + nowhere[:24], "read commit " + nowhere + nowhere[:24] + ": file does not exist"},
		{"no_repository", "/not/there", nowhere, "read commit " + nowhere + ": file does not exist"},
		{"tree", r.objects(), tree, "read commit " + tree + ": " + loose},
		{"too_large", r.objects(), large, "read commit " + large + ": " + loose},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := gitobject.ReadCommit(tc.objects, tc.id)
			if err == nil {
				t.Fatal("expected an error")
			}
			if got, want := err.Error(), tc.want; got != want {
				t.Errorf("expected %q to be %q", got, want)
			}
			if got, want := errors.Is(err, fs.ErrNotExist), strings.HasSuffix(tc.want, "does not exist"); got != want {
				t.Errorf("expected fs.ErrNotExist to be %t", want)
			}
		})
	}
}
