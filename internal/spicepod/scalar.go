package spicepod

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// The numbers of the YAML 1.2 core schema (https://yaml.org/spec/1.2.2/#1032-tag-resolution). The YAML
// library knows more of them (1_000, 0b11, dates), which Spice Cloud keeps as text.
var (
	decimalPattern = regexp.MustCompile(`^[-+]?[0-9]+$`)
	octalPattern   = regexp.MustCompile(`^0o[0-7]+$`)
	hexPattern     = regexp.MustCompile(`^0x[0-9a-fA-F]+$`)
	floatPattern   = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
	infPattern     = regexp.MustCompile(`^[-+]?\.(inf|Inf|INF)$`)
	nanPattern     = regexp.MustCompile(`^\.(nan|NaN|NAN)$`)
)

// quotedStyle is every style that makes a scalar text whatever it looks like.
const quotedStyle = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle

// scalarOf is a YAML scalar as a value. A tag that is not of the core schema makes it text.
func scalarOf(n *yaml.Node) *value {
	v := &value{kind: text, text: n.Value, at: position{n.Line, n.Column}}
	switch {
	case n.Style&yaml.TaggedStyle != 0:
		switch n.ShortTag() {
		case "!!null", "!!bool", "!!int", "!!float":
			v.kind, v.text = resolve(n.Value)
		}
	case n.Style&quotedStyle == 0:
		v.kind, v.text = resolve(n.Value)
	}
	v.seal()
	return v
}

// resolve is what a plain scalar means, with its text in the one form that all scalars of that meaning share.
func resolve(s string) (kind, string) {
	switch s {
	case "", "~", "null", "Null", "NULL":
		return null, ""
	case "true", "True", "TRUE", "false", "False", "FALSE":
		return boolean, strings.ToLower(s)
	}
	if !strings.ContainsAny(s[:1], "+-.0123456789") {
		return text, s // most texts are seen to be no number without a pattern
	}
	switch {
	case decimalPattern.MatchString(s), floatPattern.MatchString(s):
		return number, canonicalNumber(s)
	case octalPattern.MatchString(s), hexPattern.MatchString(s):
		if n, err := strconv.ParseUint(strings.Replace(s, "0o", "0", 1), 0, 64); err == nil {
			return number, canonicalNumber(strconv.FormatUint(n, 10))
		}
		return number, s
	case infPattern.MatchString(s):
		return number, strings.ToLower(strings.TrimPrefix(s, "+"))
	case nanPattern.MatchString(s):
		return number, ".nan"
	}
	return text, s
}

// maxExact is where whole numbers begin that a float64, JavaScript's only number, cannot tell apart.
const maxExact = 1 << 53

// canonicalNumber is the number in the one form that 1, +1, 01, 1.0 and 1e0 share. A number that a float64
// cannot hold stays as it is written: two of those that differ must never look the same.
func canonicalNumber(s string) string {
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil, math.IsInf(f, 0), math.Abs(f) >= maxExact:
		return s
	case f == math.Trunc(f):
		return strconv.FormatInt(int64(f), 10)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}
