package main_test

import (
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pages are the Markdown files of the repository.
func pages(t *testing.T) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && slices.Contains([]string{".git", "dist", "testdata"}, entry.Name()) {
			return fs.SkipDir
		}
		if filepath.Ext(path) == ".md" {
			found = append(found, path)
		}
		return err
	})
	if err != nil || len(found) < 10 {
		t.Fatalf("found %d pages, %v", len(found), err)
	}
	return found
}

var (
	fenced   = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	inCode   = regexp.MustCompile("`[^`\n]*`")
	linked   = regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"`)
	headings = regexp.MustCompile(`(?m)^#+ +(.*)$`)
	notSlug  = regexp.MustCompile(`[^\p{L}\p{N}\p{M}_ -]`)
)

// TestDocs_links: each relative link of a page leads to a file or folder, and to a heading where it names one.
func TestDocs_links(t *testing.T) {
	t.Parallel()

	links := 0
	for _, page := range pages(t) {
		text := inCode.ReplaceAllString(fenced.ReplaceAllString(readPage(t, page), ""), "")
		for _, match := range linked.FindAllStringSubmatch(text, -1) {
			link, err := url.Parse(match[1] + match[2])
			if err != nil {
				t.Errorf("%s: %v", page, err)
				continue
			}
			if link.Scheme != "" || link.Host != "" {
				continue
			}
			links++
			target := page
			if link.Path != "" {
				target = filepath.Join(filepath.Dir(page), filepath.FromSlash(link.Path))
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", page, link)
			} else if link.Fragment != "" && !anchors(t, target)[link.Fragment] {
				t.Errorf("%s links to %s: %s has no such heading", page, link, target)
			}
		}
	}
	if links < 20 {
		t.Errorf("found only %d relative links", links)
	}
}

// anchors are the fragments that GitHub makes of the headings of a page.
func anchors(t *testing.T, page string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, match := range headings.FindAllStringSubmatch(fenced.ReplaceAllString(readPage(t, page), ""), -1) {
		slug := strings.ToLower(strings.ReplaceAll(match[1], "`", ""))
		found[strings.ReplaceAll(notSlug.ReplaceAllString(slug, ""), " ", "-")] = true
	}
	return found
}

var (
	named      = regexp.MustCompile("`([A-Za-z0-9_./-]+)`")
	ourFolders = regexp.MustCompile(`^(deploy|docs|e2e|examples|internal|native|poll|secretsync|setup|testdata|tools)(/|$)`)
)

// TestDocs_paths: the files and folders that the page for engineers names are there.
func TestDocs_paths(t *testing.T) {
	t.Parallel()

	for _, match := range named.FindAllStringSubmatch(readPage(t, "docs/architecture.md"), -1) {
		path := match[1]
		if !ourFolders.MatchString(path) && filepath.Ext(path) != ".go" || strings.Contains(path, "NAME") {
			continue
		}
		if _, err := os.Stat(path); err != nil {
			t.Errorf("docs/architecture.md names %s, which is not there", path)
		}
	}
}

// TestDocs_commands runs each command that a page of docs shows with what it prints, and compares, as
// TestREADME_commands does.
func TestDocs_commands(t *testing.T) {
	t.Parallel()

	files, err := filepath.Glob("docs/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("docs: %d pages, %v", len(files), err)
	}
	for _, page := range files {
		for _, block := range strings.Split(readPage(t, page), "```console\n$ go run . ")[1:] {
			block, _, _ = strings.Cut(block, "```")
			arguments, want, _ := strings.Cut(block, "\n")
			t.Run(filepath.Base(page)+"/"+arguments, func(t *testing.T) {
				t.Parallel()

				cmd := exec.CommandContext(t.Context(), "spice-deploy", strings.Fields(arguments)...)
				cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
				log, err := cmd.CombinedOutput()
				got := string(log)
				if err != nil { // as go run says it
					got += err.Error() + "\n"
				}
				if diff := cmp.Diff(timeless(want), timeless(got)); diff != "" {
					t.Errorf("-%s, +now:\n%s", page, diff)
				}
			})
		}
	}
}
