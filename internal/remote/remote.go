// Package remote holds the two rules that everything which talks to a server shares: which addresses may get a
// credential, and how a server's text becomes a line that can be shown.
//
// It sends nothing, and it does not know which text is secret.
package remote

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// BaseURL returns the address of a service without a trailing slash: https, or http to this machine, with neither
// credentials nor a query. The error begins with what, the name of the setting, and repeats no password.
func BaseURL(what, raw string) (string, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		// The error of url.Parse repeats the text, and with it a password in the user part.
		return "", fmt.Errorf("%s: not a URL", what)
	case u.User != nil:
		return "", fmt.Errorf("%s %q: credentials do not belong in it", what, u.Redacted())
	case u.Hostname() == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return "", fmt.Errorf("%s %q: expected https://HOST", what, raw)
	case u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("%s %q: it must not have a query or a fragment", what, raw)
	case u.Scheme == "http" && !Loopback(u.Hostname()):
		return "", fmt.Errorf("%s %q: plain http would show the credentials to the network; use https (http is for loopback addresses only)", what, raw)
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// Loopback tells whether the host is this machine: an address of the loopback ranges, or a name that RFC 6761
// reserves for it.
func Loopback(host string) bool {
	host = strings.ToLower(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// colour is what a terminal takes as a command about the text: ESC [ … letter.
var colour = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`)

// OneLine makes one line of a text: commands to a terminal are left out, whatever cannot be printed becomes a blank, runs of blanks become one, and
// what is longer than limit characters is cut.
func OneLine(text string, limit int) string {
	text = colour.ReplaceAllString(text, "")
	var b strings.Builder
	count, blank := 0, false
	for _, r := range text {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) {
			blank = b.Len() > 0
			continue
		}
		if blank && count < limit-1 {
			b.WriteByte(' ')
			count++
		}
		blank = false
		if count == limit-1 {
			b.WriteString("…")
			break
		}
		b.WriteRune(r)
		count++
	}
	return b.String()
}
