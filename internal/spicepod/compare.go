package spicepod

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Difference is how one manifest differs from another in meaning. Literals that look like credentials are
// hidden in it; it shows that one changed, not what it was or is.
type Difference struct {
	// Changes is what changed, in words of the manifest: "dataset orders: acceleration.engine arrow → duckdb".
	Changes []string
	// Unified is a unified diff of both in one canonical form of YAML, with 3 lines of context.
	Unified string
}

// Empty tells whether both manifests mean the same.
func (d Difference) Empty() bool { return len(d.Changes) == 0 && d.Unified == "" }

// Compare says what changes when wanted replaces deployed; nil is the absent manifest. The order of keys,
// comments, anchors and the form of numbers and texts mean nothing; the order of lists does. Where it
// cannot be known whether Spice Cloud takes two values for the same, they differ: to push a manifest that
// is there already does no harm, not to push a new one does.
func Compare(deployed, wanted *Manifest) Difference {
	a, b := rootOf(deployed), rootOf(wanted)
	if equal(a, b) {
		return Difference{}
	}
	w := wording{first: deployed == nil}
	w.top(a, b)
	switch {
	case len(w.changes) > 0:
	case w.first:
		w.say("", "the manifest", "added")
	default:
		w.say("", "the manifest", "changed")
	}
	return Difference{Changes: w.changes, Unified: unified(a, b)}
}

func rootOf(m *Manifest) *value {
	if m == nil {
		return &value{kind: mapping}
	}
	return m.root
}

// wording says in words what changed.
type wording struct {
	changes []string
	first   bool // there was no manifest before: that it has a version, a kind and a name goes without saying
}

// say notes one change. The subject is a component, the path is inside of it; either may be empty.
func (w *wording) say(subject, path, what string) {
	if subject != "" && path != "" {
		subject += ":"
	}
	words := slices.DeleteFunc([]string{subject, path, what}, func(s string) bool { return s == "" })
	w.changes = append(w.changes, strings.Join(words, " "))
}

// top compares two manifests key by key.
func (w *wording) top(a, b *value) {
	for _, key := range keysOf(a, b) {
		if w.first && (key == "version" || key == "kind" || key == "name") {
			continue
		}
		from, to := a.entry(key), b.entry(key)
		word := wordFor(key)
		if word == "" || !components(from) || !components(to) || len(itemsOf(from))+len(itemsOf(to)) == 0 {
			w.entry("", printable(key), looksSecret(key) && key != "secrets", from, to)
			continue
		}
		w.named("", key, itemsOf(from), itemsOf(to), func(name string) (string, string) { return word + " " + name, "" })
	}
}

// leading is the keys that say what a map is about; everything is shown with them first, the rest in the
// order of the alphabet.
var leading = []string{"version", "kind", "name", "from", "ref", "description"}

func rank(key string) int {
	if i := slices.Index(leading, key); i >= 0 {
		return i
	}
	return len(leading)
}

// byRank orders keys as they are shown.
func byRank(a, b string) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b)) }

// keysOf is every key that one of the maps has.
func keysOf(a, b *value) []string {
	keys := make([]string, 0, len(a.entries)+len(b.entries))
	for _, e := range a.entries {
		keys = append(keys, e.key)
	}
	for _, e := range b.entries {
		keys = append(keys, e.key)
	}
	slices.SortFunc(keys, byRank)
	return slices.Compact(keys)
}

// components tells whether the entry, where there is one, is a list of which each item goes by a name of its own.
func components(e *entry) bool {
	return e == nil || e.value.kind == list && namesOf(e.value.items) != nil
}

func itemsOf(e *entry) []*value {
	if e == nil {
		return nil
	}
	return e.value.items
}

// nameOf is what a component goes by: its name, or the file it is defined in.
func nameOf(v *value) string {
	for _, key := range []string{"name", "ref"} {
		if name := v.get(key); name.kind == text && name.text != "" {
			return name.text
		}
	}
	return ""
}

// namesOf is where each item is by its name, nil where one has none or two share one.
func namesOf(items []*value) map[string]int {
	names := make(map[string]int, len(items))
	for i, item := range items {
		name := nameOf(item)
		if _, twice := names[name]; twice || name == "" {
			return nil
		}
		names[name] = i
	}
	return names
}

// named compares two lists of components by name; at is the subject and path of a component.
func (w *wording) named(subject, path string, a, b []*value, at func(name string) (string, string)) {
	before, after := namesOf(a), namesOf(b)
	for _, c := range b {
		subject, path := at(printable(nameOf(c)))
		if i, there := before[nameOf(c)]; there {
			w.values(subject, path, false, a[i], c)
		} else {
			w.say(subject, path, "added")
		}
	}
	for _, c := range a {
		if _, there := after[nameOf(c)]; !there {
			subject, path := at(printable(nameOf(c)))
			w.say(subject, path, "removed")
		}
	}
	if reordered(a, b, before, after) {
		w.say(subject, "order of "+path, "changed")
	}
}

// reordered tells whether what both lists have comes in another order.
func reordered(a, b []*value, before, after map[string]int) bool {
	shared := func(items []*value, other map[string]int) (names []string) {
		for _, item := range items {
			if _, there := other[nameOf(item)]; there {
				names = append(names, nameOf(item))
			}
		}
		return names
	}
	return !slices.Equal(shared(a, after), shared(b, before))
}

// entry compares what two maps have under one key; a nil entry is absent.
func (w *wording) entry(subject, path string, secret bool, a, b *entry) {
	switch {
	case a == nil:
		w.say(subject, path, "added"+shown(": ", b.value, secret))
	case b == nil:
		w.say(subject, path, "removed"+shown(", was ", a.value, secret))
	default:
		w.values(subject, path, secret, a.value, b.value)
	}
}

// shown is a scalar behind a separator, nothing for a list or a map.
func shown(separator string, v *value, secret bool) string {
	if !v.scalar() {
		return ""
	}
	return separator + inline(v, secret)
}

// values compares two values at one path.
func (w *wording) values(subject, path string, secret bool, a, b *value) {
	switch {
	case equal(a, b):
	case a.kind == mapping && b.kind == mapping:
		for _, key := range keysOf(a, b) {
			below := strings.TrimPrefix(path+"."+printable(key), ".")
			w.entry(subject, below, secret || looksSecret(key), a.entry(key), b.entry(key))
		}
	case a.kind == list && b.kind == list:
		w.lists(subject, path, secret, a.items, b.items)
	default:
		w.change(subject, path, inline(a, secret), inline(b, secret))
	}
}

// change says that a value changed, and from what to what unless both look the same: hidden, or too long.
func (w *wording) change(subject, path, from, to string) {
	if from == to {
		w.say(subject, path, "changed")
		return
	}
	if subject == "" {
		path += ":"
	}
	w.say(subject, path, from+" → "+to)
}

// lists compares two lists: by name where every item has one, as a whole where they are short and plain,
// else place by place.
func (w *wording) lists(subject, path string, secret bool, a, b []*value) {
	switch {
	case !secret && namesOf(a) != nil && namesOf(b) != nil:
		w.named(subject, path, a, b, func(name string) (string, string) { return subject, path + "." + name })
	case plain(a) && plain(b):
		w.change(subject, path, inlineList(a, secret), inlineList(b, secret))
	default:
		for i := range max(len(a), len(b)) {
			w.entry(subject, fmt.Sprintf("%s[%d]", path, i), secret, itemAt(a, i), itemAt(b, i))
		}
	}
}

// itemAt is an item of a list as an entry, nil behind its end.
func itemAt(items []*value, i int) *entry {
	if i >= len(items) {
		return nil
	}
	return &entry{value: items[i]}
}

func plain(items []*value) bool {
	return !slices.ContainsFunc(items, func(v *value) bool { return !v.scalar() })
}
