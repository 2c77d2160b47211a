package spicepod

import (
	"regexp"
	"slices"
	"strings"
)

// surprises notes what Spice Cloud takes but what is likely not meant.
func (s *source) surprises(root *value, references []Reference) {
	switch v := root.get("version"); v.text {
	case "v1", "v2":
	case "v1beta1":
		s.warn(v.at, "version v1beta1 is not loaded by runtimes since 2.0: write version: v2")
	default:
		s.warn(v.at, "version %s is newer than this program knows (v1, v2)", quote(v.text))
	}
	for _, sec := range sections {
		if e := root.entry(sec.word); e != nil {
			s.warn(e.at, "the key %s means nothing: write %s", sec.word, sec.key)
		}
		for _, c := range root.get(sec.key).items {
			s.componentSurprises(sec, c)
		}
	}
	for _, d := range root.get("dependencies").items {
		s.warn(d.at, "the spicepod %s is looked for in the folder spicepods, which is not pushed with this file", quote(d.text))
	}
	s.storeSurprises(root, references)
	s.almostReferences(root, map[*value]bool{})
	sortByPlace(s.warnings)
}

// The names that DataFusion's parser keeps for itself; the runtime does not load a dataset of such a name
// (spiceai/spiceai, crates/spicepod/src/keywords.rs).
var reservedNames = []string{"COUNT", "FALSE", "NULL", "TRUE", "END-EXEC", "LATERAL", "TABLE", "UNNEST"}

func (s *source) componentSurprises(sec section, c *value) {
	const notPushed = "the file %s is not pushed with the manifest: define what it holds here"
	for _, key := range []string{"ref", "sql_ref", "body_ref"} {
		if e := c.entry(key); e != nil && e.value.kind == text {
			s.warn(place(c, e), notPushed, quote(e.value.text))
		}
	}
	from, name := c.entry("from"), c.get("name")
	switch {
	case from == nil || from.value.kind != text:
	case strings.HasPrefix(from.value.text, "file:"):
		s.warn(place(c, from), notPushed, quote(from.value.text))
	case name == none && c.entry("ref") == nil:
		s.warn(place(c, from), "a %s without a name: where %s is a file, it is not pushed with the manifest", sec.word, quote(from.value.text))
	}
	if sec.key == "datasets" && slices.Contains(reservedNames, strings.ToUpper(name.text)) {
		s.warn(name.at, "the runtime loads no dataset named %s, a word of SQL: give it another name", quote(name.text))
	}
}

// storeSurprises notes, once for each, the stores that are neither the app's secrets nor declared.
func (s *source) storeSurprises(root *value, references []Reference) {
	declared := declaredStores(root)
	said := map[string]bool{}
	for _, r := range references {
		if r.Managed || said[r.Store] {
			continue
		}
		said[r.Store] = true
		at := position{r.Line, r.Column}
		if from, ok := declared[r.Store]; ok {
			s.warn(at, "${ %s:%s } is read from the secret store %s, not from the secrets of the app", r.Store, r.Key, quote(from))
			continue
		}
		s.warn(at, "${ %s:%s } names a secret store that the manifest does not declare: write ${ secrets:%s } for a secret of the app", r.Store, r.Key, r.Key)
	}
}

// almostPattern is what people write for a reference when they think of a shell, of Kubernetes or of a GitHub
// workflow. The runtime leaves it as it is.
var almostPattern = regexp.MustCompile(`\$\{\{?\s*(secrets|env)[.:]\s*[A-Za-z0-9_.-]+\s*\}?\}|\$\{(secrets|env)\}`)

func (s *source) almostReferences(v *value, seen map[*value]bool) {
	if seen[v] {
		return
	}
	seen[v] = true
	if strings.Contains(v.text, "${") {
		for _, match := range almostPattern.FindAllStringSubmatch(v.text, -1) {
			if !referencePattern.MatchString(match[0]) {
				s.warn(v.at, "%s is not replaced by a secret: write ${ %s:NAME }", quote(match[0]), match[1]+match[2])
			}
		}
	}
	for _, item := range v.items {
		s.almostReferences(item, seen)
	}
	for _, e := range v.entries {
		s.almostReferences(e.value, seen)
	}
}
