package spiceruntime

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/spicedeploy/spice-deploy/internal/remote"
)

// parseList reads a list in JSON or YAML. Its values are what encoding/json makes of JSON with UseNumber.
func parseList(text string) ([]any, error) {
	var list []any
	if parseJSON(text, &list) == nil {
		// First of all, since YAML reads some escapes of JSON in another way.
		return list, nil
	}
	value, err := parseYAML(text)
	if err != nil {
		return nil, fmt.Errorf("expected a list in YAML or JSON: %w", err)
	}
	list, ok := value.([]any)
	if !ok {
		return nil, errors.New("expected a list in YAML or JSON and nothing else")
	}
	return list, nil
}

// parseYAML reads one document.
func parseYAML(text string) (any, error) {
	var document yaml.Node
	if err := yaml.Load([]byte(text), &document); err != nil {
		return nil, invalidYAML(text, err)
	}
	if len(document.Content) != 1 {
		return nil, errors.New("it is empty")
	}
	return fromYAML(document.Content[0])
}

// invalidYAML says why the text is not YAML.
func invalidYAML(text string, err error) error {
	var failure *yaml.LoadError
	if !errors.As(err, &failure) {
		return errors.New("it is not YAML")
	}
	last := 1 + strings.Count(text, "\n") // the end of the text is on a line of its own, for the library
	return fmt.Errorf("line %d: %s", min(failure.Mark.Line, last), remote.OneLine(failure.Message, detailLimit))
}

// parseObject reads one JSON object.
func parseObject(text string) (map[string]any, error) {
	var object map[string]any
	if err := parseJSON(text, &object); err != nil {
		return nil, fmt.Errorf("expected a JSON object: %w", err)
	}
	if object == nil {
		return nil, errors.New("expected a JSON object, got null")
	}
	return object, nil
}

func parseJSON(text string, into any) error {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(into); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return errors.New("it ends too early")
		}
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			before := text[:min(int(syntax.Offset), len(text))]
			return fmt.Errorf("line %d: %w", 1+strings.Count(before, "\n"), err)
		}
		if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return fmt.Errorf("got a JSON %s", kind.Value)
		}
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows it")
	}
	return nil
}

// fromYAML makes a node what the same thing in JSON would be. Dates stay the text that they are in JSON.
func fromYAML(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.MappingNode:
		return mappingFromYAML(n)
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			var err error
			if list[i], err = fromYAML(item); err != nil {
				return nil, err
			}
		}
		return list, nil
	case yaml.ScalarNode:
		return scalarFromYAML(n)
	}
	return nil, fmt.Errorf("line %d: anchors and aliases are not understood here; write the value itself", n.Line)
}

func mappingFromYAML(n *yaml.Node) (any, error) {
	object := make(map[string]any, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("line %d: a key has to be a text", key.Line)
		}
		if _, twice := object[key.Value]; twice {
			return nil, fmt.Errorf("line %d: %q is given twice", key.Line, key.Value)
		}
		value, err := fromYAML(n.Content[i+1])
		if err != nil {
			return nil, err
		}
		object[key.Value] = value
	}
	return object, nil
}

func scalarFromYAML(n *yaml.Node) (any, error) {
	switch tag := n.ShortTag(); tag {
	case "!!null":
		return nil, nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true"), nil
	case "!!int", "!!float":
		if json.Valid([]byte(n.Value)) && strings.ContainsAny(n.Value[:1], "-0123456789") {
			return json.Number(n.Value), nil
		}
		return spelledNumber(n)
	case "!!str", "!!timestamp":
		return n.Value, nil
	default:
		return nil, fmt.Errorf("line %d: the tag %s is not understood", n.Line, tag)
	}
}

// spelledNumber is a number in a form that JSON does not have, such as 0x1F, +1 or .5.
func spelledNumber(n *yaml.Node) (any, error) {
	if i, err := strconv.ParseInt(strings.TrimPrefix(n.Value, "+"), 0, 64); err == nil {
		return json.Number(strconv.FormatInt(i, 10)), nil
	}
	f, err := strconv.ParseFloat(n.Value, 64)
	if err != nil {
		return nil, fmt.Errorf("line %d: %s cannot be written in JSON; quote it to make it a text", n.Line, n.Value)
	}
	raw, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("line %d: %s cannot be written in JSON; quote it to make it a text", n.Line, n.Value)
	}
	return json.Number(raw), nil
}

func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case string:
		return "a text"
	case bool:
		return "a truth value"
	case []any:
		return "a list"
	case map[string]any:
		return "a map"
	}
	return "a number"
}

// unknownKeys is the keys that are none of the known ones, quoted, "" for none.
func unknownKeys(object map[string]any, known ...string) string {
	var unknown []string
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if !slices.Contains(known, key) {
			unknown = append(unknown, strconv.Quote(remote.OneLine(key, detailLimit)))
		}
	}
	return strings.Join(unknown, ", ")
}
