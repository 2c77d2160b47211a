package spicepod

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

const (
	// maxDepth is how deep lists and maps may be nested. Manifests stay below 20.
	maxDepth = 100
	// maxWritten is how large the manifest may become when its aliases are written out: a few lines of
	// aliases of aliases stand for billions of values.
	maxWritten = 16 << 20
	// maxMerged is how many entries merge keys may copy, for the same reason.
	maxMerged = 1 << 20
)

// directivePattern is a %YAML directive at the head of the file. The library refuses a file that says 1.2, the
// version it reads.
var directivePattern = regexp.MustCompile(`\A((?:[ \t]*(?:#[^\n]*)?\n)*%YAML[ \t]+1\.)[0-9]`)

// decode makes the file's one YAML document a value. It returns nil where there is no document to speak of,
// and notes every problem.
func (s *source) decode() *value {
	loader, err := yaml.NewLoader(strings.NewReader(directivePattern.ReplaceAllString(s.text, "${1}1")))
	if err != nil {
		s.problem(position{}, "cannot be read: %v", err)
		return nil
	}
	var documents []*yaml.Node
	for len(documents) < 2 {
		n := &yaml.Node{}
		err := loader.Load(n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			s.invalidYAML(err)
			return nil
		}
		documents = append(documents, n)
	}
	switch {
	case len(documents) == 2:
		s.problem(position{documents[1].Line, 1}, "a second YAML document begins here: a spicepod is one document, remove everything from this line on or this line alone")
		return nil
	case len(documents) == 0 || len(documents[0].Content) == 0 || isNothing(documents[0].Content[0]):
		s.problem(position{}, "is empty: a spicepod begins with version: v2, kind: Spicepod and name: NAME")
		return nil
	}
	b := builder{source: s, made: map[*yaml.Node]*value{}, making: map[*yaml.Node]bool{}}
	return b.build(documents[0].Content[0])
}

func isNothing(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && scalarOf(n).kind == null }

// invalidYAML notes why the YAML library could not read the file, in its words and where we know better in
// ours. Its words may quote the file, so that what stands between quotes is not repeated.
func (s *source) invalidYAML(err error) {
	var failure *yaml.LoadError
	if !errors.As(err, &failure) {
		s.problem(position{}, "not valid YAML")
		return
	}
	mark := failure.Mark
	for _, unfinished := range []string{"found unexpected end of stream", "did not find expected ','", "could not find expected ':'"} {
		if strings.HasPrefix(failure.Message, unfinished) {
			mark = failure.ContextMark // where the thing begins that does not end
		}
	}
	at := position{mark.Line, mark.Column}
	reason, _, _ := strings.Cut(failure.Message, " '")
	switch {
	case strings.HasPrefix(failure.Message, "unknown anchor"):
		reason = "an alias (*NAME) without its anchor (&NAME) before it: quote a value that begins with *"
	case strings.HasPrefix(s.text[s.offset(at):], "\t"):
		reason = "a tab cannot indent a line: write blanks"
	case strings.HasPrefix(failure.Message, "found character that cannot start"):
		reason += ": quote a value that begins with @, ` or %"
	case strings.HasPrefix(failure.Message, "mapping values are not allowed"):
		reason += ": indent the line like its neighbours, and quote a value that holds a colon and a blank"
	case strings.HasPrefix(failure.Message, "could not find expected ':'"):
		reason = "a line without a colon where a key is expected: write KEY: VALUE, or indent it if it belongs to the line above"
	case strings.HasPrefix(failure.Message, "found unexpected end of stream"):
		reason = "a quote that is opened here is never closed"
	case strings.HasPrefix(failure.Message, "did not find expected key"):
		reason = "did not find expected key: indent the line like its neighbours"
	case strings.HasPrefix(failure.Message, "did not find expected ','"):
		reason = "the bracket that is opened here is not closed, or a comma between its entries is missing"
	}
	s.problem(at, "not valid YAML: %s", reason)
}

// builder makes YAML nodes values. It looks at each node once, so that its work is bounded by the size of
// the file whatever the aliases stand for.
type builder struct {
	*source
	made    map[*yaml.Node]*value // what anchors stand for
	making  map[*yaml.Node]bool   // anchors whose own value is being made
	merged  int
	tooMuch bool
}

func (b *builder) build(n *yaml.Node) *value {
	if n.Kind == yaml.AliasNode {
		return b.alias(n)
	}
	if n.Anchor != "" {
		b.making[n] = true
		defer delete(b.making, n)
	}
	var v *value
	switch n.Kind {
	case yaml.MappingNode:
		v = b.mapping(n)
	case yaml.SequenceNode:
		v = &value{kind: list, at: position{n.Line, n.Column}}
		for _, item := range n.Content {
			v.items = append(v.items, b.build(item))
		}
		v.seal()
	default:
		v = scalarOf(n)
	}
	if n.Anchor != "" {
		b.made[n] = v
	}
	b.limit(v)
	return v
}

func (b *builder) alias(n *yaml.Node) *value {
	at := position{n.Line, n.Column}
	if b.making[n.Alias] {
		b.problem(at, "the alias *%s stands inside its own anchor, so that it never ends: remove it", n.Value)
		return none
	}
	if v := b.made[n.Alias]; v != nil {
		return v
	}
	return none
}

// limit notes, once, that the value is too large to be written out or nested too deep.
func (b *builder) limit(v *value) {
	switch {
	case b.tooMuch:
		return
	case v.written.depth > maxDepth:
		b.problem(v.at, "more than %d levels of lists and maps inside one another", maxDepth)
	case v.written.bytes > maxWritten || b.merged > maxMerged:
		b.problem(v.at, "larger than %d MiB once its aliases (*NAME) and merge keys (<<) are written out: use fewer of them", maxWritten>>20)
	default:
		return
	}
	b.tooMuch = true
}

func (b *builder) mapping(n *yaml.Node) *value {
	v := &value{kind: mapping, at: position{n.Line, n.Column}}
	first := make(map[string]position, len(n.Content)/2)
	var merges []*value
	for i := 0; i+1 < len(n.Content); i += 2 {
		keyNode, valueNode := n.Content[i], n.Content[i+1]
		if keyNode.ShortTag() == "!!merge" {
			merges = append(merges, b.build(valueNode))
			continue
		}
		at := position{keyNode.Line, keyNode.Column}
		key, child := b.build(keyNode), b.build(valueNode)
		if !key.scalar() {
			b.problem(at, "a key has to be plain text, not %s", key.kind)
			continue
		}
		name := keyName(key)
		if was, twice := first[name]; twice {
			b.problem(at, "the key %s is given twice, first on line %d: remove one", quote(name), was.line)
			continue
		}
		first[name] = at
		v.entries = append(v.entries, entry{key: name, at: at, value: child})
	}
	for _, m := range merges {
		b.merge(v, first, m)
	}
	v.seal()
	return v
}

// merge adds the entries that a merge key stands for. What the map says itself wins, then what was merged
// first, as https://yaml.org/type/merge.html has it.
func (b *builder) merge(v *value, present map[string]position, from *value) {
	switch from.kind {
	case null:
	case list:
		for _, item := range from.items {
			b.merge(v, present, item)
		}
	case mapping:
		b.merged += len(from.entries)
		if b.merged > maxMerged {
			return
		}
		for _, e := range from.entries {
			if _, there := present[e.key]; !there {
				present[e.key] = e.at
				v.entries = append(v.entries, entry{key: e.key, at: e.at, merged: true, value: e.value})
			}
		}
	default:
		b.problem(v.at, "the merge key << has to be given a map or a list of maps, not %s", from.kind)
	}
}

// keyName is the text of a key: JSON knows no others.
func keyName(v *value) string {
	if v.kind == null {
		return "null"
	}
	return v.text
}

// invisible looks for what no YAML file may hold before the library sees it, since the library does not say
// where it is. It returns whether the file can be read on.
func (s *source) invisible(data []byte) bool {
	if i := bytes.IndexByte(data, 0); i >= 0 {
		s.problem(position{}, "holds a NUL byte, at byte %d: not a text file, or one in UTF-16; save it as UTF-8", i)
		return false
	}
	for i, r := range s.text {
		switch {
		case r == '\uFFFD' && !strings.HasPrefix(s.text[i:], "\uFFFD"):
			s.problem(s.position(i), "not UTF-8: save the file in that encoding")
			return false
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == '\uFFFE', r == '\uFFFF':
			s.problem(s.position(i), "the control character %U is not allowed in YAML: remove it", r)
			return false
		}
	}
	return true
}
