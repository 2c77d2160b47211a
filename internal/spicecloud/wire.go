package spicecloud

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The sources about Spice Cloud disagree on many types, and fields come and go. A client that insisted would
// break with each edition of the service for a field that it does not even need. So these types take what comes:
// null, another scalar, anything; only ids and containers must be what they should be.

// mostOfText is how many bytes of one text are kept: what is remote goes into logs and outputs.
const mostOfText = 64 << 10

// text is a string; another scalar gives its literal, everything else "". One of more than mostOfText bytes is cut
// there, with "…" at its end.
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	*t = ""
	var s string
	switch {
	case json.Unmarshal(raw, &s) == nil:
		*t = text(s) // null leaves it empty
	case raw[0] != '{' && raw[0] != '[':
		*t = text(raw)
	}
	if len(*t) > mostOfText {
		*t = text(strings.ToValidUTF8(string((*t)[:mostOfText]), "") + "…")
	}
	return nil
}

// whole is an integer, as a number or in a string; everything else gives 0.
type whole int64

func (w *whole) UnmarshalJSON(raw []byte) error {
	n, err := strconv.ParseInt(strings.Trim(string(raw), `"`), 10, 64)
	if err != nil {
		n = 0
	}
	*w = whole(n)
	return nil
}

// flag is a boolean; everything else gives false.
type flag bool

func (f *flag) UnmarshalJSON(raw []byte) error {
	*f = string(raw) == "true"
	return nil
}

// instant is a time in the form of RFC 3339; everything else gives the zero time.
type instant struct{ time.Time }

func (i *instant) UnmarshalJSON(raw []byte) error {
	at, err := time.Parse(time.RFC3339, strings.Trim(string(raw), `"`))
	if err != nil {
		at = time.Time{}
	}
	i.Time = at.UTC()
	return nil
}

// readJSON reads the body of an answer that must be JSON.
func readJSON(a answer, v any) error {
	body := bytes.TrimSpace(a.body)
	if len(body) == 0 {
		return errors.New("it is empty; expected JSON")
	}
	if isHTML(body) {
		return fmt.Errorf("it is %s; expected JSON", line(plain(body)))
	}
	if err := json.Unmarshal(body, v); err != nil {
		if _, ok := errors.AsType[*json.SyntaxError](err); ok {
			return fmt.Errorf("it is not JSON, or only a part of it: %w", err)
		}
		return fmt.Errorf("it is not the JSON expected: %w", err)
	}
	return nil
}

// readObject reads an answer that must be one JSON object.
func readObject(a answer, v any) error {
	if err := readJSON(a, &ignored{}); err != nil {
		return err
	}
	return unmarshalObject(bytes.TrimSpace(a.body), v)
}

func unmarshalObject(raw json.RawMessage, v any) error {
	if len(raw) == 0 || raw[0] != '{' {
		// A JSON null would be taken for an object without members.
		return errors.New("it is not the JSON expected: not an object")
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("it is not the JSON expected: %w", err)
	}
	return nil
}

// mostItems is how many entries of one answer are read. Servers that know no pages send some thousand at once.
const mostItems = 20_000

// readItems reads a list and each of its items: under the first of the keys that is there, or a bare array. A list
// without its key is an error, and so is null under it, since neither says that there is nothing; so is one of more
// than mostItems. Items are read one by one from the body itself, so that a long list costs no copy of it.
func readItems[T any](a answer, read func(json.RawMessage) (T, error), keys ...string) ([]T, error) {
	if err := readJSON(a, &ignored{}); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(bytes.TrimSpace(a.body)))
	dec.UseNumber()
	switch open, err := dec.Token(); {
	case err != nil:
		return nil, fmt.Errorf("it is not the JSON expected: %w", err)
	case open == json.Delim('['):
		return entries(dec, read, keys[0])
	case open != json.Delim('{'):
		return nil, errors.New("it is not the JSON expected: not an object")
	}
	var items []T
	first := len(keys) // which of the keys was found
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("it is not the JSON expected: %w", err)
		}
		i := slices.Index(keys, fmt.Sprint(key))
		if i < 0 || i > first {
			if err := dec.Decode(&ignored{}); err != nil {
				return nil, fmt.Errorf("it is not the JSON expected: %w", err)
			}
			continue
		}
		first = i
		if open, err := dec.Token(); err != nil || open != json.Delim('[') {
			return nil, fmt.Errorf("it is not the JSON expected: %q is not a list", keys[0])
		}
		if items, err = entries(dec, read, keys[0]); err != nil {
			return nil, err
		}
	}
	if first == len(keys) {
		return nil, fmt.Errorf("it is not the JSON expected: it has no %q", keys[0])
	}
	return items, nil
}

// entries reads the items up to the end of the list.
func entries[T any](dec *json.Decoder, read func(json.RawMessage) (T, error), name string) ([]T, error) {
	items := []T{}
	var raw json.RawMessage // used again and again: whoever reads an item copies what it keeps
	for dec.More() {
		if len(items) == mostItems {
			return nil, fmt.Errorf("%q has more than %d entries", name, mostItems)
		}
		if err := dec.Decode(&raw); err != nil {
			return nil, fmt.Errorf("it is not the JSON expected: %w", err)
		}
		item, err := read(raw)
		if err != nil {
			return nil, fmt.Errorf("number %d of %q: %w", len(items)+1, name, err)
		}
		items = append(items, item)
	}
	if _, err := dec.Token(); err != nil {
		return nil, fmt.Errorf("it is not the JSON expected: %w", err)
	}
	return items, nil
}

// ignored is JSON of which nothing is kept.
type ignored struct{}

// UnmarshalJSON takes everything.
func (*ignored) UnmarshalJSON([]byte) error { return nil }

// readAck reads the answer to a change that has nothing to tell: no body, or any JSON. A proxy's page is neither.
func readAck(a answer) error {
	if len(bytes.TrimSpace(a.body)) == 0 {
		return nil
	}
	return readJSON(a, &ignored{})
}
