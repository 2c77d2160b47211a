package spicepod

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Reference is one ${ STORE:KEY } in the manifest. The runtime puts the secret's value in its place.
type Reference struct {
	Store, Key   string // as written
	Line, Column int    // 0 in a manifest that was read from JSON
	Path         string // where it stands: datasets.orders.params.pg_pass

	// Managed tells whether the app's secrets can serve it: the stores secrets and env, and those that the
	// manifest declares to be the environment. Spice Cloud puts an app's secrets into the runtime's environment.
	Managed bool
	// Elsewhere tells whether another store that the manifest declares can serve it too (${ secrets:KEY }
	// asks every store), so that its absence from the app proves nothing.
	Elsewhere bool
}

// referencePattern is what the runtime replaces (spiceai/spiceai, crates/runtime-secrets/src/lexer.rs); a key
// may begin with an underscore on top of that, since Spice Cloud takes such names.
var referencePattern = regexp.MustCompile(`\$\{\s*([A-Za-z][A-Za-z0-9_-]*)\s*:\s*([A-Za-z_][A-Za-z0-9_-]*)\s*\}`)

// References is every reference to a secret in the manifest, each place once, in the order of the file.
func (m *Manifest) References() []Reference { return slices.Clone(m.references) }

// finder collects the references of a manifest.
type finder struct {
	source *source // nil where the manifest was read from JSON
	stores stores
	seen   map[*value]bool
	found  []Reference
}

func findReferences(s *source, root *value) []Reference {
	f := finder{source: s, stores: declaredStores(root), seen: map[*value]bool{}}
	f.walk("", root)
	slices.SortStableFunc(f.found, func(a, b Reference) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return f.found
}

func (f *finder) walk(path string, v *value) {
	if f.seen[v] {
		return // an alias: the place where it is defined counts
	}
	f.seen[v] = true
	f.scan(path, v.text, v.at)
	for i, item := range v.items {
		f.walk(path+step(item, i), item)
	}
	for _, e := range v.entries {
		at := strings.TrimPrefix(path+"."+printable(e.key), ".")
		if !e.merged {
			f.scan(at, e.key, e.at)
		}
		f.walk(at, e.value)
	}
}

// step is how a path goes on to an item of a list: by its name where it has one.
func step(item *value, i int) string {
	if name := item.get("name"); name.kind == text && name.text != "" {
		return "." + printable(name.text)
	}
	return fmt.Sprintf("[%d]", i)
}

// scan notes the references in one text that begins at a position of the file.
func (f *finder) scan(path, s string, at position) {
	if !strings.Contains(s, "${") {
		return
	}
	matches := referencePattern.FindAllStringSubmatch(s, -1)
	places := f.source.locate(matches, at, len(s))
	for i, match := range matches {
		managed, elsewhere := f.stores.serve(match[1])
		f.found = append(f.found, Reference{
			Store: match[1], Key: match[2], Line: places[i].line, Column: places[i].column,
			Path: path, Managed: managed, Elsewhere: elsewhere,
		})
	}
}

// locate finds where the references of a text stand in the file. It looks for them in order from where the
// text begins; one that is written with escapes is taken to stand there.
func (s *source) locate(matches [][]string, at position, length int) []position {
	places := make([]position, len(matches))
	for i := range places {
		places[i] = at
	}
	if s == nil || len(s.line(at.line)) > maxLine {
		return places
	}
	next := s.offset(at)
	// Indentation and escapes make a text longer in the file than it is.
	end := min(len(s.text), next+8*length+1024)
	for i, match := range matches {
		for from := next; from < end; {
			found := referencePattern.FindStringSubmatchIndex(s.text[from:end])
			if found == nil {
				break
			}
			begin := from + found[0]
			if s.text[from+found[2]:from+found[3]] == match[1] && s.text[from+found[4]:from+found[5]] == match[2] {
				places[i], next = s.position(begin), from+found[1]
				break
			}
			from += found[1]
		}
	}
	return places
}

// stores is what each store is that the manifest's section of secret stores declares, by name: its "from".
type stores map[string]string

func declaredStores(root *value) stores {
	declared := stores{}
	for _, c := range root.get("secrets").items {
		if name := c.get("name"); name.kind == text {
			declared[name.text] = c.get("from").text
		}
	}
	return declared
}

// isEnvironment tells whether a store reads the runtime's environment.
func isEnvironment(from string) bool {
	kind, _, _ := strings.Cut(from, ":")
	return kind == "env"
}

// serve tells whether the app's secrets can serve a reference to the store, and whether another store can.
func (s stores) serve(name string) (managed, elsewhere bool) {
	if name == "secrets" {
		for _, from := range s {
			elsewhere = elsewhere || !isEnvironment(from)
		}
		return true, elsewhere
	}
	from, declared := s[name]
	if !declared {
		return name == "env", false
	}
	return isEnvironment(from), !isEnvironment(from)
}
