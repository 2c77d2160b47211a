package spicepod

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/rogpeppe/go-internal/diff"
)

// unified is a unified diff of two manifests in canonical YAML.
func unified(deployed, wanted *value) string {
	d := diff.Diff("deployed", []byte(render(deployed, nil)), "wanted", []byte(render(wanted, deployed)))
	_, d, _ = bytes.Cut(d, []byte("\n")) // "diff deployed wanted"
	return string(d)
}

// render is the manifest in the one form of YAML that all manifests of its meaning share, with literals that
// look like credentials hidden. A hidden literal that is not what was there before, says so, since its
// line would otherwise look the same.
func render(root, before *value) string {
	r := renderer{}
	r.entries(root, before, false, "", "")
	return r.String()
}

type renderer struct{ strings.Builder }

// marked is the mark of a text that looks the same as before without being it.
const marked = " (changed)"

// node writes what follows a key or a dash.
func (r *renderer) node(v, before *value, secret bool, indent string) {
	switch {
	case v.scalar():
		r.WriteString(" " + r.scalar(v, before, secret, indent) + "\n")
	case v.kind == mapping && len(v.entries) == 0:
		r.WriteString(" {}\n")
	case v.kind == list && len(v.items) == 0:
		r.WriteString(" []\n")
	case v.kind == mapping:
		r.WriteString("\n")
		r.entries(v, before, secret, indent, indent)
	default:
		r.WriteString("\n")
		r.items(v, before, secret, indent)
	}
}

// entries writes a map; the first key follows what is in the line already, a dash for instance.
func (r *renderer) entries(v, before *value, secret bool, first, indent string) {
	for _, key := range keysOf(v, none) {
		var was *value
		if before != nil {
			if e := before.entry(key); e != nil {
				was = e.value
			}
		}
		shown := HideInText(key)
		if was == nil && before != nil && shown != key {
			shown += marked
		}
		r.WriteString(first + oneLine(text, shown) + ":")
		first = indent
		r.node(v.get(key), was, secret || underSecret(key, indent == ""), indent+"  ")
	}
}

// items writes a list.
func (r *renderer) items(v, before *value, secret bool, indent string) {
	match := matcher(v, before)
	for i, item := range v.items {
		r.WriteString(indent + "-")
		if item.kind == mapping && len(item.entries) > 0 {
			r.entries(item, match(i), secret, " ", indent+"  ")
		} else {
			r.node(item, match(i), secret, indent+"  ")
		}
	}
}

// matcher finds what an item of a list was before: the one of its name, else the one in its place unless
// that one is still there under its own name.
func matcher(v, before *value) func(i int) *value {
	if before == nil || before.kind != list {
		return func(int) *value { return nil }
	}
	names, old := namesOf(v.items), namesOf(before.items)
	return func(i int) *value {
		if names != nil && old != nil {
			if j, there := old[nameOf(v.items[i])]; there {
				return before.items[j]
			}
		}
		if i >= len(before.items) {
			return nil
		}
		if _, stays := names[nameOf(before.items[i])]; stays {
			return nil
		}
		return before.items[i]
	}
}

// scalar is a scalar in YAML.
func (r *renderer) scalar(v, before *value, secret bool, indent string) string {
	s := visible(v, secret)
	if before != nil && before.scalar() && !equal(v, before) && s != v.text && s == visible(before, secret) {
		s += marked
	}
	if v.kind == text && isBlock(s) {
		return block(s, indent)
	}
	return oneLine(v.kind, s)
}

// isBlock tells whether a text reads best as lines, and can be written so without a loss.
func isBlock(s string) bool {
	lines := strings.TrimSuffix(s, "\n")
	return strings.Contains(lines, "\n") && !strings.HasPrefix(s, " ") && !strings.HasPrefix(s, "\n") &&
		!strings.HasSuffix(lines, "\n") &&
		!strings.ContainsFunc(s, func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) })
}

func block(s, indent string) string {
	sign := "|"
	if !strings.HasSuffix(s, "\n") {
		sign = "|-"
	}
	lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	for i, line := range lines {
		if line != "" {
			lines[i] = indent + line
		}
	}
	return sign + "\n" + strings.Join(lines, "\n")
}

// plainPattern is the texts that need no quotes in YAML, at a glance: letters, numbers, paths, references.
var plainPattern = regexp.MustCompile(`^(\*\*\*|[\pL0-9_./$])[\pL0-9_./$ :;,@+*=()<>{}…~-]*$`)

// oneLine is a scalar of YAML in one line; a text that could be taken for anything else is quoted.
func oneLine(k kind, s string) string {
	switch {
	case k == null:
		return "null"
	case k != text:
		return s
	}
	resolved, _ := resolve(s)
	if resolved == text && plainPattern.MatchString(s) && !strings.Contains(s, ": ") &&
		!strings.HasSuffix(s, ":") && !strings.HasSuffix(s, " ") {
		return s
	}
	return strconv.Quote(s)
}
