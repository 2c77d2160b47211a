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
	Changes []Change // what changed, in words of the manifest
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
	hideRepeated(a, b)
	w := wording{first: deployed == nil}
	w.top(a, b)
	switch {
	case len(w.changes) > 0:
	case w.first:
		w.say(Change{}, "the manifest added")
	default:
		w.say(Change{}, "the manifest changed")
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
	changes []Change
	first   bool // there was no manifest before: that it has a version, a kind and a name goes without saying
}

// say notes what changed at a place, which is a change without its words.
func (w *wording) say(at Change, what string) {
	at.What = what
	w.changes = append(w.changes, at)
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
			w.entry(Change{Path: printable(key)}, underSecret(key, true), from, to)
			continue
		}
		w.named(Change{Path: key}, itemsOf(from), itemsOf(to), func(name string) Change { return Change{Kind: word, Name: name} })
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

// named compares two lists of components by name; of is the place of a component in the list at.
func (w *wording) named(at Change, a, b []*value, of func(name string) Change) {
	before, after := namesOf(a), namesOf(b)
	for _, c := range b {
		place := of(printable(nameOf(c)))
		if i, there := before[nameOf(c)]; there {
			w.values(place, false, a[i], c)
		} else {
			w.say(place, "added")
		}
	}
	for _, c := range a {
		if _, there := after[nameOf(c)]; !there {
			w.say(of(printable(nameOf(c))), "removed")
		}
	}
	if reordered(a, b, before, after) {
		w.say(at, "in another order")
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
func (w *wording) entry(at Change, secret bool, a, b *entry) {
	switch {
	case a == nil:
		w.say(at, "added"+shown(": ", b.value, secret))
	case b == nil:
		w.say(at, "removed"+shown(", was ", a.value, secret))
	default:
		w.values(at, secret, a.value, b.value)
	}
}

// shown is a scalar behind a separator, nothing for a list or a map.
func shown(separator string, v *value, secret bool) string {
	if !v.scalar() {
		return ""
	}
	return separator + inline(v, secret)
}

// values compares two values at one place.
func (w *wording) values(at Change, secret bool, a, b *value) {
	switch {
	case equal(a, b):
	case a.kind == mapping && b.kind == mapping:
		for _, key := range keysOf(a, b) {
			w.entry(at.below(printable(key)), secret || looksSecret(key), a.entry(key), b.entry(key))
		}
	case a.kind == list && b.kind == list:
		w.lists(at, secret, a.items, b.items)
	default:
		w.change(at, inline(a, secret), inline(b, secret))
	}
}

// change says that a value changed, and from what to what unless both look the same: hidden, or too long.
func (w *wording) change(at Change, from, to string) {
	if from == to {
		w.say(at, "changed")
		return
	}
	w.say(at, from+" → "+to)
}

// lists compares two lists: by name where every item has one, as a whole where they are short and plain,
// else place by place.
func (w *wording) lists(at Change, secret bool, a, b []*value) {
	switch {
	case !secret && namesOf(a) != nil && namesOf(b) != nil:
		w.named(at, a, b, at.below)
	case plain(a) && plain(b):
		w.change(at, inlineList(a, secret), inlineList(b, secret))
	default:
		for i := range max(len(a), len(b)) {
			place := at
			place.Path += fmt.Sprintf("[%d]", i)
			w.entry(place, secret, itemAt(a, i), itemAt(b, i))
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
