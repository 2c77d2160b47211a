package spicepod

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/spicedeploy/spice-deploy/internal/redact"
)

// looksSecret tells whether a literal value under the key is to be taken for a credential. It would rather
// hide a primary_key than show a private_key.
func looksSecret(key string) bool {
	key = strings.ToLower(key)
	for _, part := range []string{"pass", "secret", "token", "pwd", "credential", "authorization"} {
		if strings.Contains(key, part) {
			return true
		}
	}
	return strings.HasSuffix(key, "key") || strings.HasSuffix(key, "keys")
}

// hideRepeated marks each value that is also one under a key that is surely a credential's, in either manifest: an alias
// of it, or the same text once more but for blanks around it. What is shorter than a secret that can be covered is no clue.
func hideRepeated(manifests ...*value) {
	type place struct {
		*value
		secret bool
	}
	seen := map[place]bool{} // maps and lists, which aliases may name without end
	var scalars []*value
	credentials := map[string]bool{}
	var collect func(v *value, secret, top bool)
	collect = func(v *value, secret, top bool) {
		if v.scalar() {
			scalars = append(scalars, v)
			if text := strings.TrimSpace(v.text); secret && len(text) >= redact.MinLength && hideAll(text) != text {
				credentials[text] = true
			}
			return
		}
		if seen[place{v, secret}] {
			return
		}
		seen[place{v, secret}] = true
		for _, item := range v.items {
			collect(item, secret, false)
		}
		for _, e := range v.entries {
			collect(e.value, secret || surelySecret.MatchString(e.key) && underSecret(e.key, top), false)
		}
	}
	for _, m := range manifests {
		collect(m, false, true)
	}
	for _, v := range scalars {
		v.hidden = credentials[strings.TrimSpace(v.text)]
	}
}

// surelySecret are keys whose value is a credential wherever it stands: a primary_key names a column, and a tokenizer a
// model.
var surelySecret = regexp.MustCompile(`(?i)pass|secret|pwd|credential|authorization|token$|(api|access|private|account)_?key$`)

// underSecret tells whether what stands under a key is a credential. The stores of secrets at the top are none.
func underSecret(key string, top bool) bool { return looksSecret(key) && (!top || key != "secrets") }

// hideAll covers everything but the references: what is left says where a secret comes from, not what it is.
func hideAll(s string) string {
	s, references := setAside(s)
	return putBack(coverRuns(s), references)
}

// HideInText covers the credentials inside a text that is none as a whole: the user part of URLs and, in a
// text of one line, what is given to a name that looks like a credential (connection strings, query
// parameters, headers).
func HideInText(s string) string {
	if !strings.ContainsAny(s, "=:") {
		return s
	}
	s, references := setAside(s)
	s = urlPattern.ReplaceAllStringFunc(s, hideUser)
	if !strings.Contains(s, "\n") {
		s = hidePairs(s)
	}
	return putBack(s, references)
}

var urlPattern = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>]*`)

// hideUser covers the user part of one URL. A password may hold a raw slash or at sign, so that the user
// part goes up to the last at sign as long as what stands before it cannot be a host and a path.
func hideUser(url string) string {
	begin := strings.Index(url, "://") + len("://")
	rest := url[begin:]
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	end := strings.LastIndex(authority, "@")
	if strings.Contains(authority, ":") {
		end = strings.LastIndex(rest, "@")
	}
	if end < 0 {
		return url
	}
	return url[:begin] + coverRuns(rest[:end]) + rest[end:]
}

var pairPattern = regexp.MustCompile(`([\w.-]+)["']?(=|:[ \t]*)`)

// hidePairs covers the value in each name=value and name: value whose name looks like a credential.
func hidePairs(s string) string {
	var b strings.Builder
	behind := len(s) - 1 - strings.LastIndexByte(s, ';') // how much follows the last semicolon
	for {
		at := pairPattern.FindStringSubmatchIndex(s)
		if at == nil {
			return b.String() + s
		}
		name, header, begin := s[at[2]:at[3]], s[at[4]] == ':', at[1]
		b.WriteString(s[:begin])
		s = s[begin:]
		// A secret store, aws_secrets_manager:NAME, is followed by a name.
		if looksSecret(name) && !strings.HasSuffix(name, "secrets_manager") {
			end := pairEnd(s, ends(header, len(s) > behind))
			b.WriteString(coverRuns(s[:end]))
			s = s[end:]
		}
	}
}

// ends is what a value may end at: in a connection string at a semicolon only, since it may hold blanks; the
// value of a header holds blanks too.
func ends(header, connectionString bool) string {
	switch {
	case connectionString:
		return ";"
	case header:
		return ","
	}
	return "&, \t"
}

// pairEnd is where the value ends that s begins with: behind its closing quote, else at one of ends.
func pairEnd(s, ends string) int {
	const longestQuoted = 512
	if s != "" {
		if i := strings.IndexByte(`'"{`, s[0]); i >= 0 {
			if j := strings.IndexByte(s[1:min(len(s), longestQuoted)], `'"}`[i]); j >= 0 {
				return j + 2
			}
		}
	}
	if i := strings.IndexAny(s, ends); i >= 0 {
		return i
	}
	return len(s)
}

// aside stands around the number of a reference that was set aside. YAML forbids the character.
const aside = "\x00"

var asidePattern = regexp.MustCompile(aside + `[0-9]+` + aside)

// setAside replaces each reference by a short mark without blanks, so that patterns see it as one word.
func setAside(s string) (string, []string) {
	var references []string
	s = strings.ReplaceAll(s, aside, "\uFFFD") // JSON allows the character
	s = referencePattern.ReplaceAllStringFunc(s, func(reference string) string {
		references = append(references, reference)
		return aside + strconv.Itoa(len(references)-1) + aside
	})
	return s, references
}

func putBack(s string, references []string) string {
	return asidePattern.ReplaceAllStringFunc(s, func(mark string) string {
		i, _ := strconv.Atoi(strings.Trim(mark, aside))
		return references[i]
	})
}

// coverRuns covers everything between the references that were set aside.
func coverRuns(s string) string {
	var b strings.Builder
	cover := func(run string) {
		if strings.Trim(run, " \t\r\n:") != "" {
			run = redact.Cover
		}
		b.WriteString(run)
	}
	last := 0
	for _, at := range asidePattern.FindAllStringIndex(s, -1) {
		cover(s[last:at[0]])
		b.WriteString(s[at[0]:at[1]])
		last = at[1]
	}
	cover(s[last:])
	return b.String()
}

// inlineKeyPattern finds each "key:" of a line, also inside {}.
var inlineKeyPattern = regexp.MustCompile(`([\w.<-]+)(?:["']\s*:|\s*:(?:\s|$))`)

// hideInLine covers the credentials in a line of the file as it stands: everything behind the first key
// that looks like one.
func hideInLine(line string) string {
	if isSecretsSection(line) {
		return HideInText(line)
	}
	for _, at := range inlineKeyPattern.FindAllStringSubmatchIndex(line, -1) {
		if looksSecret(line[at[2]:at[3]]) {
			return HideInText(line[:at[1]]) + hideAll(line[at[1]:])
		}
	}
	return HideInText(line)
}
