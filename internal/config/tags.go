package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// What the vendor's action accepts as tags, said there to mirror the service; the service itself refuses
// "/", ":" and "." in a value.
var (
	tagKey   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./-]{0,62}$`)
	tagValue = regexp.MustCompile(`^[A-Za-z0-9_@-]{0,256}$`)
)

// tagMap is a YAML or JSON map of scalars, which are kept as they are written: 0123 stays 0123.
func tagMap(to *map[string]string) kind {
	return kind{arg: "MAP", set: func(s string) error {
		pairs, err := tagPairs(s)
		if err != nil {
			return err
		}
		tags := make(map[string]string, len(pairs))
		var errs []error
		for _, pair := range pairs {
			if err := checkTag(pair, tags); err != nil {
				errs = append(errs, err)
				continue
			}
			tags[pair[0]] = pair[1]
		}
		*to = tags
		return errors.Join(errs...)
	}}
}

func checkTag(pair [2]string, before map[string]string) error {
	key, value := pair[0], pair[1]
	if !tagKey.MatchString(key) {
		return fmt.Errorf("the key %s is refused; expected a letter, then up to 62 letters, digits, or any of _ . / -",
			quote(key))
	}
	if !tagValue.MatchString(value) {
		return fmt.Errorf("the value of %q is refused: %s; expected up to 256 letters, digits, or any of _ @ -",
			key, quote(value))
	}
	if _, twice := before[key]; twice {
		return fmt.Errorf("the key %q is given twice", key)
	}
	return nil
}

// tagPairs reads the map, keys in the order they are written.
func tagPairs(s string) ([][2]string, error) {
	var doc yaml.Node
	err := yaml.Load([]byte(s), &doc)
	if err == nil && len(doc.Content) == 1 && doc.Content[0].Kind == yaml.MappingNode {
		return scalarPairs(doc.Content[0])
	}
	if pairs, ok := plainLines(s); ok {
		return pairs, nil
	}
	if err != nil {
		return nil, fmt.Errorf("expected a YAML or JSON map: %s", yamlFault(err))
	}
	return nil, fmt.Errorf("expected a YAML or JSON map such as \"team: data\", got %s", quote(s))
}

// yamlFault is what the YAML library says, without its own name and with the line where it knows one.
func yamlFault(err error) string {
	fault, ok := errors.AsType[*yaml.LoadError](err)
	if !ok {
		return err.Error()
	}
	message := strings.TrimPrefix(fault.Message, "yaml: ")
	if fault.Mark.Line > 0 {
		return fmt.Sprintf("line %d: %s", fault.Mark.Line, message)
	}
	return message
}

func scalarPairs(node *yaml.Node) ([][2]string, error) {
	var pairs [][2]string
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if key.Kind != yaml.ScalarNode || value.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("expected a map of plain values, got a list, a map or an alias under %s", quote(key.Value))
		}
		pairs = append(pairs, [2]string{key.Value, value.Value})
	}
	return pairs, nil
}

// plainLines reads lines of "key: value" that are not YAML but that the vendor's action takes: a value may
// begin with "@", and no blank is needed after the colon.
func plainLines(s string) (pairs [][2]string, ok bool) {
	for line := range strings.Lines(s) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, found := strings.Cut(line, ":")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !found || !tagKey.MatchString(key) || !tagValue.MatchString(value) {
			return nil, false
		}
		pairs = append(pairs, [2]string{key, value})
	}
	return pairs, true
}
