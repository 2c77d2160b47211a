package spiceruntime

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// readJSON reads an answer that is one JSON document. An object may say that it is an error although its status is a
// good one: then it is that error, whatever else is in it.
func readJSON(body io.Reader, into any) error {
	raw, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	if said := complaint(raw); said != "" {
		return fmt.Errorf("it is an error: %s", said)
	}
	return decode(raw, into)
}

// complaint is the error that an object says it is, "" where it says none.
func complaint(raw []byte) string {
	if !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		return ""
	}
	var object struct{ Error, Errors, Status json.RawMessage }
	if json.Unmarshal(raw, &object) != nil {
		return ""
	}
	if nothing(object.Error) && nothing(object.Errors) && !strings.EqualFold(words(object.Status), "error") {
		return ""
	}
	return message(raw)
}

// nothing tells whether a member is not there or empty.
func nothing(raw json.RawMessage) bool {
	switch string(raw) {
	case "", "null", "false", `""`, "[]", "{}":
		return true
	}
	return false
}

// decode takes one JSON document and nothing else. Numbers keep their digits where into has room for them: an int64
// of SQL does not fit a float64.
func decode(raw []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(into); err != nil {
		return notJSON(raw, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON")
	}
	return nil
}

// notJSON says why an answer is not what was expected, in words and not in Go's types.
func notJSON(raw []byte, err error) error {
	if text := plain(raw); text == "" {
		return errors.New("it is empty")
	} else if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("it is not the JSON expected: %s%s", mismatch(wrong), saying(raw))
	} else if text[0] != '{' && text[0] != '[' {
		return fmt.Errorf("it is not JSON: %s", text)
	}
	return fmt.Errorf("it is not the JSON expected: %w", err)
}

func mismatch(wrong *json.UnmarshalTypeError) string {
	want := map[reflect.Kind]string{
		reflect.Slice: "a list", reflect.Struct: "an object", reflect.String: "a text", reflect.Bool: "true or false",
	}[wrong.Type.Kind()]
	if want == "" {
		want = "a whole number"
	}
	kind, _, _ := strings.Cut(wrong.Value, " ") // a number comes with its digits
	got := map[string]string{
		"array": "a list", "object": "an object", "string": "a text", "bool": "true or false", "number": "a number",
	}[kind]
	text := "expected " + want + ", got " + got
	if wrong.Field != "" {
		text += " in " + strings.ToLower(wrong.Field[:1]) + wrong.Field[1:]
	}
	return text
}

// saying is what an object says that is not what was expected, as the end of a sentence.
func saying(raw []byte) string {
	said := complaint(raw)
	var object struct{ Message json.RawMessage }
	if said == "" && json.Unmarshal(raw, &object) == nil {
		said = words(object.Message)
	}
	if said == "" {
		return ""
	}
	return ", which says: " + said
}
