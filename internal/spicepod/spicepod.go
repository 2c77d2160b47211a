// Package spicepod reads the manifest of an app, spicepod.yaml: it checks what can be known about it before it
// is sent, finds the secrets it refers to, and says in words how it differs from the one that is deployed.
//
// It refuses only what Spice Cloud is certain to refuse; the schema is the service's to check. It never
// shows a literal that looks like a credential, and it reads no file and contacts nothing by itself.
package spicepod

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/spicedeploy/spice-deploy/internal/diag"
)

// maxRequest is how large a request body Spice Cloud documents to accept (1 MiB, else 413).
const maxRequest = 1 << 20

// Manifest is a spicepod that can be deployed, or that is.
type Manifest struct {
	Name, Kind, Version string // empty where a deployed manifest lacks them

	source     string
	root       *value
	references []Reference
	warnings   []diag.Problem
}

// Parse reads a manifest in YAML. The name is what messages call the file.
//
// Where it cannot be deployed the error is a [diag.Problems] with every reason that was found: the file is
// larger than 1 MiB (as it is, or as the JSON string it is sent as), not UTF-8, not one YAML document,
// nested or aliased without end, gives a key twice, lacks version, kind or name, or gives two components
// one name.
func Parse(name string, data []byte) (*Manifest, error) {
	if len(data) > maxRequest {
		return nil, diag.Problems{{Option: "spicepod", File: name, Message: fmt.Sprintf("is %d bytes, Spice Cloud takes at most 1 MiB (%d bytes)", len(data), maxRequest)}}
	}
	s := newSource(name, data)
	if !s.invisible(data) {
		return nil, s.err()
	}
	if size := requestSize(string(data)); size > maxRequest {
		s.problem(position{}, "is %d bytes in the request that sends it, where line breaks and quotes take two, and Spice Cloud takes at most 1 MiB (%d bytes): remove comments, shorten long texts", size, maxRequest)
	}
	root := s.decode()
	if root != nil {
		s.check(root)
	}
	if err := s.err(); err != nil {
		return nil, err
	}
	m := newManifest(string(data), s, root)
	s.surprises(root, m.references)
	m.warnings = s.warnings
	return m, nil
}

// requestSize is how long the request body {"spicepod":"…"} is.
func requestSize(source string) int {
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false) // <, > and & need no escape, and a client should not give them one
	_ = e.Encode(map[string]string{"spicepod": source})
	return body.Len() - 1 // the line break that the encoder adds
}

func newManifest(source string, s *source, root *value) *Manifest {
	return &Manifest{
		Name: root.get("name").text, Kind: root.get("kind").text, Version: root.get("version").text,
		source: source, root: root, references: findReferences(s, root),
	}
}

// FromJSON reads the manifest that Spice Cloud says an app has: an object, or a string that holds YAML. It
// returns nil without an error where the app has none (null, an empty string or object). Nothing is
// checked: what is deployed is deployed.
func FromJSON(raw json.RawMessage) (*Manifest, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var decoded any
	if err := d.Decode(&decoded); err != nil {
		return nil, fmt.Errorf("read the deployed spicepod: %w", err)
	}
	switch decoded := decoded.(type) {
	case nil:
		return nil, nil
	case string:
		return fromYAML(decoded)
	case map[string]any:
		if len(decoded) == 0 {
			return nil, nil
		}
		root := fromAny(decoded)
		if root.written.depth > maxDepth {
			return nil, fmt.Errorf("read the deployed spicepod: more than %d levels of lists and maps inside one another", maxDepth)
		}
		return newManifest(string(raw), nil, root), nil
	}
	return nil, errors.New("read the deployed spicepod: neither an object nor a text")
}

// fromYAML is a deployed manifest that came back as the text that was sent.
func fromYAML(yaml string) (*Manifest, error) {
	s := newSource("the deployed spicepod", []byte(yaml))
	if len(bytes.TrimSpace([]byte(s.text))) == 0 {
		return nil, nil
	}
	root := s.decode()
	if err := s.err(); err != nil {
		return nil, fmt.Errorf("read the deployed spicepod: %w", err)
	}
	if root.kind != mapping {
		return nil, fmt.Errorf("read the deployed spicepod: %s instead of a map", root.kind)
	}
	return newManifest(yaml, s, root), nil
}

// fromAny is a value that encoding/json decoded.
func fromAny(decoded any) *value {
	v := &value{}
	switch decoded := decoded.(type) {
	case bool:
		v.kind, v.text = boolean, fmt.Sprint(decoded)
	case json.Number:
		v.kind, v.text = number, canonicalNumber(decoded.String())
	case string:
		v.kind, v.text = text, decoded
	case []any:
		v.kind = list
		for _, item := range decoded {
			v.items = append(v.items, fromAny(item))
		}
	case map[string]any:
		v.kind = mapping
		for key, child := range decoded {
			v.entries = append(v.entries, entry{key: key, value: fromAny(child)})
		}
	}
	v.seal()
	return v
}

// Source is the manifest as it was read, byte for byte: YAML from [Parse], what the service sent from [FromJSON].
func (m *Manifest) Source() string { return m.source }

// Warnings is what works but is likely not meant: local files that are not pushed with the manifest,
// references to stores other than the app's secrets, and the like. They are in the order of the file.
func (m *Manifest) Warnings() []diag.Problem { return slices.Clone(m.warnings) }
