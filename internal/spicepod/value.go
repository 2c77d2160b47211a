package spicepod

import (
	"math"
	"slices"
	"sort"
	"strings"
)

// kind is what a value of the manifest is, in the words of JSON, which is what Spice Cloud makes of it.
type kind uint8

const (
	null kind = iota
	boolean
	number
	text
	list
	mapping
)

// String is the kind in words for a message.
func (k kind) String() string {
	return [...]string{"nothing", "true or false", "a number", "text", "a list", "a map"}[k]
}

// position is a place in the file, both counted from 1; the zero position is unknown.
type position struct{ line, column int }

// value is one value of the manifest with anchors, aliases and merge keys resolved. An aliased value is one
// value that several parents share, so that aliases cost no memory; written counts what they cost when
// they are written out.
type value struct {
	kind    kind
	text    string   // of a scalar: numbers and booleans in their one canonical form
	items   []*value // of a list
	entries []entry  // of a map, sorted by key
	at      position
	written extent
	hidden  bool // it is what stands under a key that looks like a credential, here or elsewhere: see hideRepeated
}

// entry is a key and its value in a map.
type entry struct {
	key    string
	at     position // of the key
	merged bool     // it came in through a merge key, so that it stands elsewhere in the file
	value  *value
}

// extent is how large a value is once every alias is replaced by what it stands for.
type extent struct{ nodes, bytes, depth int }

// none is the absent value, for lookups that find nothing.
var none = &value{}

// get is the value of a key, the null value where the map has no such key.
func (v *value) get(key string) *value {
	if e := v.entry(key); e != nil {
		return e.value
	}
	return none
}

// entry is the entry of a key, nil where the map has no such key.
func (v *value) entry(key string) *entry {
	i, found := sort.Find(len(v.entries), func(i int) int { return strings.Compare(key, v.entries[i].key) })
	if !found {
		return nil
	}
	return &v.entries[i]
}

// seal sorts the entries and measures the value; its children are sealed before it.
func (v *value) seal() {
	slices.SortFunc(v.entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	v.written = extent{nodes: 1, bytes: len(v.text) + perValue, depth: 1}
	for _, item := range v.items {
		v.written.add(item.written)
	}
	for _, e := range v.entries {
		v.written.bytes = saturated(v.written.bytes, len(e.key))
		v.written.add(e.value.written)
	}
}

// perValue is what a value costs beside its text: the line break, "- " or ": ", and quotes.
const perValue = 8

// add counts a child, one level of indentation deeper.
func (x *extent) add(child extent) {
	x.nodes = saturated(x.nodes, child.nodes)
	x.bytes = saturated(x.bytes, saturated(child.bytes, saturated(child.nodes, child.nodes)))
	x.depth = max(x.depth, child.depth+1)
}

// saturated is the sum, or the largest number there is: aliases of aliases overflow any counter.
func saturated(a, b int) int {
	if a > math.MaxInt-b {
		return math.MaxInt
	}
	return a + b
}

// scalar tells whether the value is neither a list nor a map.
func (v *value) scalar() bool { return v.kind < list }

// equal tells whether two values mean the same. The order of a map's keys means nothing, that of a list does.
func equal(a, b *value) bool {
	if a == b {
		return true
	}
	return a.kind == b.kind && a.text == b.text &&
		slices.EqualFunc(a.items, b.items, equal) &&
		slices.EqualFunc(a.entries, b.entries, func(x, y entry) bool { return x.key == y.key && equal(x.value, y.value) })
}
