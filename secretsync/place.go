package secretsync

import (
	"fmt"
	"strings"
)

// String is the place for a sentence that speaks of it: "line 3 of secrets".
func (p place) String() string {
	where := p.option
	if p.file != "" {
		where += " (" + p.file + ")"
	}
	return p.step() + " of " + where
}

// within is what a problem's message begins with. A problem shows its option, file and the file's line already.
func (p place) within() string {
	var parts []string
	if step := p.step(); step != "" && p.file == "" {
		parts = append(parts, step)
	}
	if p.after != "" {
		parts = append(parts, "after "+p.after)
	}
	return strings.Join(parts, ", ")
}

func (p place) step() string {
	switch {
	case p.item > 0:
		return fmt.Sprintf("entry %d", p.item)
	case p.line > 0:
		return fmt.Sprintf("line %d", p.line)
	default:
		return ""
	}
}
