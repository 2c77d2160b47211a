package ci

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// outputName is what an output may be called; anything else could be read as more than a name.
var outputName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

func checkName(out Output) error {
	if !outputName.MatchString(out.Name) {
		return fmt.Errorf("write output %q: not a name", out.Name)
	}
	return nil
}

// EncodeOutputs is the content of a file of outputs: one JSON object where name ends in .json, in the order given,
// else dotenv, one line each.
//
// In dotenv the names are upper-case with "_" for "-". A value is bare where it can be, else in single quotes, so
// that the shell's "source" and dotenv parsers agree on it; where it holds a single quote itself, the parts are
// quoted each in their own way, which shells and github.com/hashicorp/go-envparse read and simpler parsers may not.
// A line break in a value is written as \n, two characters; all other control characters as blanks.
//
// A bad name, and one that is there twice, is an error.
func EncodeOutputs(name string, outs []Output) ([]byte, error) {
	asJSON := strings.EqualFold(filepath.Ext(name), ".json")
	var b bytes.Buffer
	seen := make(map[string]bool, len(outs))
	for i, out := range outs {
		if err := checkName(out); err != nil {
			return nil, err
		}
		key, value := dotenvName(out.Name), dotenvValue
		if asJSON {
			key, value = out.Name, quoteJSON
		}
		if seen[key] {
			return nil, fmt.Errorf("write output %q: there are two of this name", out.Name)
		}
		seen[key] = true
		switch {
		case !asJSON:
			fmt.Fprintf(&b, "%s=%s\n", key, value(out.Value))
		case i == 0:
			fmt.Fprintf(&b, "{\n  %q: %s", key, value(out.Value))
		default:
			fmt.Fprintf(&b, ",\n  %q: %s", key, value(out.Value))
		}
	}
	if asJSON {
		if len(outs) == 0 {
			b.WriteString("{")
		}
		b.WriteString("\n}\n")
	}
	return b.Bytes(), nil
}

func dotenvName(name string) string {
	return strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

var (
	bare       = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]*$`) // what no shell and no parser takes for more than it is
	lineBreaks = strings.NewReplacer("\r\n", `\n`, "\n", `\n`, "\r", `\n`)
)

// oneLine is a value with \n for line breaks and blanks for all other control characters.
func oneLine(value string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, lineBreaks.Replace(strings.ToValidUTF8(value, "\uFFFD")))
}

func dotenvValue(value string) string {
	value = oneLine(value)
	switch {
	case bare.MatchString(value):
		return value
	case strings.Contains(value, "'") && !strings.ContainsAny(value, "\"\\$`!"):
		return `"` + value + `"` // it's
	}
	return "'" + strings.ReplaceAll(value, "'", `'"'"'`) + "'"
}

// quoteJSON is the value as JSON. It leaves <, > and & as they are, for people read the file too.
func quoteJSON(value string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(value) // a string always has a JSON form, and a strings.Builder takes it
	return strings.TrimSuffix(b.String(), "\n")
}
