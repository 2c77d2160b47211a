package ci

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ledger is the outputs so far. Systems that read whole files, and those that are told each output by itself, need
// to know what was said before.
type ledger []Output

// add notes outputs, and returns those that are new or have another value.
func (l *ledger) add(outs []Output) (news []Output) {
	for _, out := range outs {
		i := slices.IndexFunc(*l, func(known Output) bool { return known.Name == out.Name })
		switch {
		case i < 0:
			*l = append(*l, out)
		case (*l)[i].Value == out.Value:
			continue
		default:
			(*l)[i].Value = out.Value
		}
		news = append(news, out)
	}
	return news
}

// value is the value of an output, "" where there is none.
func (l *ledger) value(name string) string {
	for _, out := range *l {
		if out.Name == name {
			return out.Value
		}
	}
	return ""
}

// room is what a system takes of all outputs together: their cost, and their number where that is limited.
type room struct {
	cost, number int
	of           func(Output) int
	taker        string // who sets the limit, for the message
}

// fit leaves out what costs most until the rest has room. What is empty goes first where there are too many. The
// error names what was left out.
func (r room) fit(outs []Output) ([]Output, error) {
	kept := slices.Clone(outs)
	if r.number > 0 && len(kept) > r.number {
		kept = slices.DeleteFunc(kept, func(out Output) bool { return out.Value == "" })
	}
	total := 0
	for _, out := range kept {
		total += r.of(out)
	}
	var left []string
	for total > r.cost || r.number > 0 && len(kept) > r.number {
		most := 0
		for i, out := range kept {
			if r.of(out) > r.of(kept[most]) {
				most = i
			}
		}
		total -= r.of(kept[most])
		left = append(left, dotenvName(kept[most].Name))
		kept = slices.Delete(kept, most, most+1)
	}
	if left == nil {
		return kept, nil
	}
	return kept, fmt.Errorf("left out %s, for which %s has no room; output-file takes all", strings.Join(left, ", "), r.taker)
}

// lines writes each output as a line.
func lines(outs []Output, format func(name, value string) string) string {
	var b strings.Builder
	for _, out := range outs {
		b.WriteString(format(dotenvName(out.Name), out.Value) + "\n")
	}
	return b.String()
}

// appendLines appends to a file of the system, which it makes where the system has only named it.
func appendLines(variable, path, lines string) error {
	if lines == "" {
		return nil
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("write %s: %w", variable, err)
		}
		f.Close()
	}
	return appendTo(variable, path, func(int64) (string, error) { return lines, nil })
}

// replaceFile writes a whole file, in place of what was there, be it a link.
func replaceFile(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".spice-deploy-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", path, err)
			_ = os.Remove(f.Name()) // after the rename there is none of this name
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(0o644) // agents that collect results run as another user than containers do
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}
