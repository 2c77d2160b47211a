package spicepod

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Change is one change of a manifest, in parts, so that a report can set names apart from words.
type Change struct {
	Kind, Name string // the component: dataset, orders; empty for what belongs to none
	Path       string // inside of it: acceleration.engine; empty where the component as a whole is meant
	What       string // added; removed, was arrow; arrow → duckdb
}

// String is the change as a sentence: dataset orders: acceleration.engine arrow → duckdb.
func (c Change) String() string {
	component := strings.TrimSpace(c.Kind + " " + c.Name)
	if component != "" && c.Path != "" {
		component += ":"
	}
	words := slices.DeleteFunc([]string{component, c.Path, c.What}, func(s string) bool { return s == "" })
	return strings.Join(words, " ")
}

// below is the place of a key or of a component inside of this place.
func (c Change) below(name string) Change {
	c.Path = strings.TrimPrefix(c.Path+"."+name, ".")
	return c
}

// longest is how many characters of a value a message or a [Change] shows.
const longest = 60

// shorten cuts a text that is longer than a line can take.
func shorten(s string) string {
	if len(s) <= longest {
		return s
	}
	if runes := []rune(s); len(runes) > longest {
		return string(runes[:longest-1]) + "…"
	}
	return s
}

// quote is a text of the manifest in a message.
func quote(s string) string { return strconv.Quote(shorten(HideInText(s))) }

// printable is a name or a key of the manifest in a path or a line: as it is, unless that could be misread.
func printable(s string) string {
	s = shorten(HideInText(s))
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r == ' ' || !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

// visible is the text of a scalar with what looks like a credential hidden; secret tells whether it stands
// under a key that does. Whether something is there, and whether it is on or off, is no secret.
func visible(v *value, secret bool) string {
	switch {
	case v.kind == null, v.kind == boolean:
		return v.text
	case secret, v.hidden:
		return hideAll(v.text)
	}
	return HideInText(v.text)
}

// inline is a value in a line of words.
func inline(v *value, secret bool) string {
	if !v.scalar() {
		return v.kind.String()
	}
	s := visible(v, secret)
	if breaks := strings.Count(strings.TrimRight(s, "\n"), "\n"); breaks > 0 {
		return fmt.Sprintf("%d lines of text", breaks+1)
	}
	return oneLine(v.kind, shorten(s))
}

// inlineList is a list of scalars in a line of words.
func inlineList(items []*value, secret bool) string {
	var b strings.Builder
	for i, item := range items {
		if i > 0 {
			b.WriteString(", ")
		}
		if b.Len() > longest {
			b.WriteString("…")
			break
		}
		b.WriteString(inline(item, secret))
	}
	return "[" + b.String() + "]"
}
