package secretsync

import (
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"
)

// readYAML reads one YAML mapping of scalars. The values are what is written: 0123, yes and 1e3 stay text.
func (c *collector) readYAML(at place, text string) {
	if !c.isUTF8(at, text) {
		return
	}
	loader, err := yaml.NewLoader(strings.NewReader(text))
	if err != nil {
		c.reportYAML(at, err)
		return
	}
	var document, second yaml.Node
	if err := loader.Load(&document); errors.Is(err, io.EOF) {
		return
	} else if err != nil {
		c.reportYAML(at, err)
		return
	}
	if err := loader.Load(&second); err == nil {
		at.line = second.Line
		c.report(at, "a second YAML document begins here", "keep all secrets in one document")
		return
	} else if !errors.Is(err, io.EOF) {
		c.reportYAML(at, err)
		return
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		at.line = root.Line
		c.report(at, "the file is not a YAML mapping", "write lines of KEY: VALUE")
		return
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		at.line = root.Content[i].Line
		c.readPair(at, root.Content[i], root.Content[i+1])
	}
}

// readPair reads one key with its value.
func (c *collector) readPair(at place, key, value *yaml.Node) {
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	name := key.Value
	if c.isExcluded(name) {
		return
	}
	if key.Kind != yaml.ScalarNode || !validName.MatchString(name) {
		message, hint := nameFault(name)
		c.report(at, message, hint)
		return
	}
	// Tools such as Ansible and SOPS mark values that are still encrypted with a tag.
	tagged := value.Style&yaml.TaggedStyle != 0 && value.ShortTag() != "!!str"
	switch {
	case value.Kind != yaml.ScalarNode:
		c.report(at, name+" has a mapping or a list, not a value", "secrets are not nested: write one name for each value")
	case tagged:
		c.report(at, name+" has a value with a tag, which is not understood", "write the value itself")
	case value.ShortTag() == "!!null" && value.Value != "":
		c.report(at, name+" is null", "put the word in quotes if it is the value")
	default:
		c.add(entry{name: name, value: value.Value, at: at, quoted: value.ShortTag() != "!!null"})
	}
}

// reportYAML keeps only the line of the library's error: the rest may quote the file.
func (c *collector) reportYAML(at place, err error) {
	if load := (*yaml.LoadError)(nil); errors.As(err, &load) {
		at.line = load.Mark.Line
	}
	c.report(at, "the text is not valid YAML", "put values with special characters in quotes, and values of several lines into a | block")
}
