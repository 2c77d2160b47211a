package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// forms returns the shapes in which a secret may show up: the value and each of its lines, as they are, with runs
// of blanks made one, as messages that are one line have them, and as JSON, Go, URL, HTML and base64 encoders write
// them.
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
			jsonASCII(part),
			strings.ReplaceAll(jsonString(part, false), "/", `\/`), // as PHP writes it
			strings.Trim(strconv.Quote(part), `"`),
		)
		out = append(out, urlForms(part)...)
		out = append(out, htmlForms(part)...)
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

// jsonASCII is what encoders write that escape all that is not ASCII, as Python's and .NET's do.
func jsonASCII(s string) string {
	var b strings.Builder
	for _, r := range jsonString(s, false) {
		switch {
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// urlForms returns what URLs hold of s, with the digits of escapes in either case, where that is not s itself.
func urlForms(s string) []string {
	var out []string
	query := url.QueryEscape(s)
	component := strings.ReplaceAll(query, "+", "%20") // as Python's quote writes it; JavaScript leaves more as it is
	script := strings.NewReplacer("%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*").Replace(component)
	for _, form := range []string{query, url.PathEscape(s), component, script} {
		if form == s || slices.Contains(out, form) {
			continue
		}
		small := []byte(form)
		for i := range small {
			if small[i] == '%' {
				small[i+1] |= ' ' // %2F, %2f: the bit that makes a letter small leaves a digit as it is
				small[i+2] |= ' '
			}
		}
		out = append(out, form, string(small))
	}
	return out
}

// htmlForms returns what HTML holds of s where that is not s itself: pages differ in how they write a quote, and
// whether they escape a bar.
func htmlForms(s string) []string {
	if !strings.ContainsAny(s, `<>&'"|`) {
		return nil
	}
	basic := html.EscapeString(s)
	named := strings.NewReplacer("&#34;", "&quot;", "&#39;", "&apos;").Replace(basic)
	python := strings.NewReplacer("&#34;", "&quot;", "&#39;", "&#x27;").Replace(basic)
	var out []string
	for _, form := range []string{basic, named, python} {
		out = append(out, form, strings.ReplaceAll(form, "|", "&#124;"))
	}
	return out
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
