package ci

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// go-githubactions could write these files too, but panics where one is missing or the disk is full, and ends
// every value with the same line, which a value may hold: what follows in it would be read as outputs.

// WriteOutputs appends to the file that GITHUB_OUTPUT names, in the form that the GitHub runner's source reads
// (FileCommandManager.cs): NAME<<DELIMITER, the value, the delimiter alone on a line.
func (g *github) WriteOutputs(outs []Output) error {
	if len(outs) == 0 {
		return nil
	}
	var b strings.Builder
	for _, out := range outs {
		if err := checkName(out); err != nil {
			return err
		}
		// The runner reads UTF-8 and would replace the bytes itself.
		value := strings.ToValidUTF8(out.Value, "\uFFFD")
		end := delimiter(value)
		fmt.Fprintf(&b, "%s<<%s\n%s\n%s\n", out.Name, end, value, end)
	}
	return appendTo("GITHUB_OUTPUT", g.getenv("GITHUB_OUTPUT"), func(int64) (string, error) { return b.String(), nil })
}

// delimiter is a line that the value does not hold and that nobody could have known before.
func delimiter(value string) string {
	for {
		if end := "ghadelimiter_" + rand.Text(); !strings.Contains(value, end) {
			return end
		}
	}
}

// maxSummary is the size in bytes above which GitHub drops the whole summary of a step.
const maxSummary = 1 << 20

// WriteSummary appends to the file that GITHUB_STEP_SUMMARY names. What the step has written there before counts
// towards the limit of 1 MiB; what is too much is cut at the end of a line, and a note says so.
func (g *github) WriteSummary(markdown string) error {
	if markdown != "" && !strings.HasSuffix(markdown, "\n") {
		markdown += "\n"
	}
	return appendTo("GITHUB_STEP_SUMMARY", g.getenv("GITHUB_STEP_SUMMARY"), func(size int64) (string, error) {
		return cutSummary(strings.ToValidUTF8(markdown, "\uFFFD"), maxSummary-size, "GitHub takes at most 1 MiB for one step")
	})
}

// cutSummary cuts the text to at most room bytes, and says there whose limit that is.
func cutSummary(markdown string, room int64, limit string) (string, error) {
	const closing = 128 // bytes kept for ending what the cut leaves open
	note := "\n_The rest of this summary was left out: " + limit + "._\n"
	if int64(len(markdown)) <= room {
		return markdown, nil
	}
	budget := room - int64(len(note)) - closing
	if budget < 0 {
		return "", errors.New("there is no room left for the summary: " + limit)
	}
	kept := markdown[:budget]
	kept = kept[:strings.LastIndexByte(kept, '\n')+1]
	// The note must be seen, so it must stand neither in a block of code nor in a folded section.
	if fence := openFence(kept); fence != "" && len(fence) < closing/2 {
		kept += fence + "\n"
	}
	if strings.Count(kept, "<details") > strings.Count(kept, "</details>") {
		kept += "\n</details>\n"
	}
	return kept + note, nil
}

var fences = regexp.MustCompile("(?m)^ {0,3}(```+|~~~+)(.*)$")

// openFence is the line that ends the block of code in which the text ends, "" where it does not end in one.
func openFence(markdown string) string {
	open := ""
	for _, match := range fences.FindAllStringSubmatch(markdown, -1) {
		switch fence := match[1]; {
		case open == "":
			open = fence
		case strings.HasPrefix(fence, open) && strings.TrimSpace(match[2]) == "":
			open = ""
		}
	}
	return open
}

// appendTo appends to a file that the runner has made for this step and that the variable names. The text may
// depend on the size of what is there, and begins on a line of its own.
func appendTo(variable, path string, text func(size int64) (string, error)) (err error) {
	if path == "" {
		return fmt.Errorf("write %s: the variable is not set", variable)
	}
	if info, err := os.Stat(path); err == nil && info.Mode()&os.ModeNamedPipe != 0 {
		return fmt.Errorf("write %s: %s is a pipe, which could make the run wait for ever", variable, path)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return fmt.Errorf("write %s: %w", variable, err)
	}
	defer func() {
		if closeErr := f.Close(); err == nil && closeErr != nil {
			err = fmt.Errorf("write %s: %w", variable, closeErr)
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("write %s: %w", variable, err)
	}
	separator, size := "", info.Size()
	if size > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, size-1); err != nil {
			return fmt.Errorf("write %s: %w", variable, err)
		}
		if last[0] != '\n' {
			separator = "\n"
		}
	}
	added, err := text(size + int64(len(separator)))
	if err != nil {
		return fmt.Errorf("write %s: %w", variable, err)
	}
	if _, err := f.WriteString(separator + added); err != nil {
		// Half an output would make the runner fail the step. Should this fail too, the first error tells more.
		_ = f.Truncate(size)
		return fmt.Errorf("write %s: %w", variable, err)
	}
	return nil
}
