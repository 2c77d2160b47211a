package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// forms returns the shapes in which a secret may show up: the value and each of its lines, as they are, with runs
// of blanks made one, as messages that are one line have them, and as JSON, Go, URL and base64 encoders write them.
func forms(value string) []string {
	parts := []string{value, strings.TrimSpace(value)}
	for line := range strings.Lines(value) {
		parts = append(parts, strings.TrimSpace(line))
	}
	var out []string
	for _, part := range parts {
		if len(part) < MinLength {
			continue
		}
		out = append(out,
			part,
			strings.Join(strings.Fields(part), " "),
			jsonString(part, true),
			jsonString(part, false),
			strings.Trim(strconv.Quote(part), `"`),
			url.QueryEscape(part),
			url.PathEscape(part),
		)
		out = append(out, base64Forms(part)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func jsonString(s string, escapeHTML bool) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(escapeHTML)
	if err := enc.Encode(s); err != nil { // a string always encodes
		return s
	}
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(b.String()), `"`), `"`)
}

// base64Forms returns the encodings of s by itself and as a part of something longer, which base64 shows in
// three ways, by where s stands among the groups of three bytes. The GitHub runner masks the same ones
// (ValueEncoders.cs). Only the characters that s alone decides can be found inside something longer.
func base64Forms(s string) []string {
	// shortest is how long such an inner part must be: four characters would match by chance.
	const shortest = 8
	var out []string
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		whole := enc.EncodeToString([]byte(s))
		out = append(out, whole, strings.TrimRight(whole, "="))
		if encoded := whole[:len(s)/3*4]; len(encoded) >= shortest {
			out = append(out, encoded)
		}
		for shift := 1; shift < min(3, len(s)); shift++ {
			inner := s[shift:]
			inner = inner[:len(inner)/3*3]
			if encoded := enc.EncodeToString([]byte(inner)); len(encoded) >= shortest {
				out = append(out, encoded)
			}
		}
	}
	return out
}
