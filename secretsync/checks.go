package secretsync

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spicedeploy/spice-deploy/internal/redact"
)

// maxBody is how large a request Spice Cloud takes, in bytes.
const maxBody = 1 << 20

// unsendable says why a value cannot reach the app as it is, "" where it can.
func unsendable(e entry) string {
	switch {
	case strings.Contains(e.value, "\x00"):
		return "holds a NUL byte, which an environment variable of the runtime cannot carry"
	case !utf8.ValidString(e.value):
		return "is not valid UTF-8, and JSON cannot carry it byte for byte; encode it, for example as base64"
	case tooLarge(e):
		return "is too large: Spice Cloud takes requests of at most 1 MiB"
	default:
		return ""
	}
}

// tooLarge looks at the request as it is sent. No character takes more than six bytes there, which spares the
// encoding of all but the largest.
func tooLarge(e entry) bool {
	if len(e.value) < maxBody/6-1024 {
		return false
	}
	body, err := json.Marshal(map[string]string{"name": e.name, "value": e.value})
	return err != nil || len(body) > maxBody
}

// leaveOutCredentials drops the secrets that open Spice Cloud itself: an app that holds them could deploy over
// itself, and toJSON(secrets) brings them along unasked.
func (c *collector) leaveOutCredentials(credentials []redact.Secret) {
	values := map[string]bool{}
	for _, credential := range credentials {
		if value := strings.TrimSpace(credential.Reveal()); value != "" {
			values[value] = true
		}
	}
	c.entries = slices.DeleteFunc(c.entries, func(e entry) bool {
		if !values[strings.TrimSpace(e.value)] {
			return false
		}
		c.warnings = append(c.warnings, fmt.Sprintf("%s: %s is left out: it has the value of a credential of this run", e.at.option, e.name))
		return true
	})
}

// warnOfShort names the secrets that masking cannot cover.
func (c *collector) warnOfShort() {
	for _, e := range c.entries {
		switch {
		case e.value == "":
			c.warnings = append(c.warnings, fmt.Sprintf("%s: %s is given as an empty value; if a CI secret was to be pasted there, it is not set", e.at.option, e.name))
		case len(strings.TrimSpace(e.value)) < redact.MinLength:
			c.warnings = append(c.warnings, fmt.Sprintf("%s: %s is shorter than %d characters, so it is not masked in the log", e.at.option, e.name, redact.MinLength))
		}
	}
}

// glob is one pattern of secrets-exclude.
type glob struct {
	pattern string
	used    bool
}

func (c *collector) readExclude(patterns []string) {
	for i, pattern := range patterns {
		if _, err := path.Match(pattern, ""); err != nil {
			c.report(place{option: excludeWord, item: i + 1}, fmt.Sprintf("%q is not a glob: a [ has no ], or a \\ ends it", pattern), "")
			continue
		}
		c.globs = append(c.globs, glob{pattern: pattern})
	}
}

// isExcluded tells whether a name that was given is left out, and remembers it.
func (c *collector) isExcluded(name string) bool {
	for i, g := range c.globs {
		if name != "" && matches(g.pattern, name) {
			c.globs[i].used = true
			c.excluded[name] = true
			return true
		}
	}
	return false
}

func (c *collector) noteUnusedGlobs() {
	for _, g := range c.globs {
		if !g.used {
			c.notices = append(c.notices, fmt.Sprintf("%s: %q matches none of the secrets that were given", excludeWord, g.pattern))
		}
	}
}

// matches compares without regard to case, since the runtime looks names up in upper case. The pattern was
// checked when it was read.
func matches(pattern, name string) bool {
	ok, err := path.Match(strings.ToUpper(pattern), strings.ToUpper(name))
	return ok && err == nil
}

func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern, name) })
}
