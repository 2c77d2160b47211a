package spicepod

import (
	"regexp"
	"slices"
)

// section is a list of components in the manifest, and what one of them is called.
type section struct{ key, word string }

// The lists of components that the Spicepod reference documents (https://spiceai.org/docs/reference/spicepod)
// or the runtime reads (spiceai/spiceai, crates/spicepod/src/spec.rs).
var sections = []section{
	{"secrets", "secret store"},
	{"datasets", "dataset"},
	{"views", "view"},
	{"models", "model"},
	{"embeddings", "embedding"},
	{"rerankers", "reranker"},
	{"search_engines", "search engine"},
	{"catalogs", "catalog"},
	{"tools", "tool"},
	{"functions", "function"},
	{"workers", "worker"},
	{"evals", "eval"},
}

// wordFor is what one component of the list is called, "" where the key is no list of components.
func wordFor(key string) string {
	if i := slices.IndexFunc(sections, func(s section) bool { return s.key == key }); i >= 0 {
		return sections[i].word
	}
	return ""
}

// versionPattern is the form of every version so far (v1beta1, v1, v2); the next one will not be refused.
var versionPattern = regexp.MustCompile(`^v[0-9]`)

// check notes what Spice Cloud is certain to refuse, and nothing that it may take: its schema grows with
// every release, and a manifest must never be refused for being newer than this program.
func (s *source) check(root *value) {
	if root.kind != mapping {
		s.problem(root.at, "has to be a map, not %s: a spicepod begins with version: v2, kind: Spicepod and name: NAME", root.kind)
		return
	}
	s.checkText(root, "version", "v2", func(v string) bool { return versionPattern.MatchString(v) })
	s.checkText(root, "kind", "Spicepod", func(v string) bool { return v == "Spicepod" })
	s.checkText(root, "name", "NAME", func(v string) bool { return v != "" })
	for _, sec := range sections {
		if e := root.entry(sec.key); e != nil {
			s.checkSection(sec, e)
		}
	}
}

// checkText notes a top-level key that is missing or does not hold the text it has to.
func (s *source) checkText(root *value, key, example string, accepted func(string) bool) {
	e := root.entry(key)
	switch {
	case e == nil:
		s.problem(position{}, "%s is missing: write %s: %s", key, key, example)
	case e.value.kind != text:
		s.problem(e.value.at, "%s has to be text, not %s: write %s: %s", key, e.value.kind, key, example)
	case !accepted(e.value.text):
		s.problem(e.value.at, "%s is %s: write %s: %s", key, quote(e.value.text), key, example)
	}
}

func (s *source) checkSection(sec section, e *entry) {
	switch {
	case e.value.kind == null:
		return
	case e.value.kind == mapping && sec.key == "secrets":
		return // the form that runtimes before 1.0 had
	case e.value.kind != list:
		s.problem(e.at, "%s has to be a list, not %s: begin each %s with \"- \"", sec.key, e.value.kind, sec.word)
		return
	}
	first := map[string]*value{}
	for i, c := range e.value.items {
		if c.kind != mapping {
			s.problem(c.at, "entry %d of %s has to be a map with a name, not %s", i+1, sec.key, c.kind)
			continue
		}
		name := s.checkComponent(sec, i, c)
		if name == "" {
			continue
		}
		if was := first[name]; was != nil {
			s.twice(sec, name, c, was)
			continue
		}
		first[name] = c
	}
}

// checkComponent notes what is wrong with one component and returns its name, "" where it has none.
func (s *source) checkComponent(sec section, i int, c *value) string {
	if from := c.entry("from"); from != nil && from.value.kind != text && from.value.kind != null {
		s.problem(place(c, from), "from has to be text, not %s%s", from.value.kind, quoteIt(from.value))
	}
	name := c.entry("name")
	switch {
	case name == nil && isReference(c):
		return ""
	case name == nil || name.value.kind == null || name.value.kind == text && name.value.text == "":
		s.problem(c.at, "entry %d of %s has no name: write name: NAME", i+1, sec.key)
		return ""
	case name.value.kind != text:
		s.problem(place(c, name), "the name of a %s has to be text, not %s%s", sec.word, name.value.kind, quoteIt(name.value))
		return ""
	}
	return name.value.text
}

// quoteIt is the advice for a scalar that YAML does not take for text.
func quoteIt(v *value) string {
	if v.scalar() {
		return ": quote it"
	}
	return ""
}

// isReference tells whether the entry only says where the component is defined: with ref, or as the
// reference of the manifest still has it, with from and a path.
func isReference(c *value) bool {
	if c.entry("ref") != nil {
		return true
	}
	return c.entry("from") != nil && !slices.ContainsFunc(c.entries, func(e entry) bool {
		return e.key != "from" && e.key != "dependsOn" && e.key != "datasets"
	})
}

// twice notes a name that two components of a list share. The runtime refuses that (Unable to load
// duplicate spicepod component) everywhere but for catalogs.
func (s *source) twice(sec section, name string, c, was *value) {
	at, line := c.at, was.at.line
	if e := c.entry("name"); e != nil {
		at = place(c, e)
	}
	if sec.key == "catalogs" {
		s.warn(at, "the catalog %s is defined twice, first on line %d: only one of them can be served", quote(name), line)
		return
	}
	s.problem(at, "the %s %s is defined twice, first on line %d: rename or remove one", sec.word, quote(name), line)
}

// place is where an entry of a component stands; one that was merged in stands elsewhere, and then it is
// the component that needs a look.
func place(c *value, e *entry) position {
	if e.merged {
		return c.at
	}
	return e.value.at
}
