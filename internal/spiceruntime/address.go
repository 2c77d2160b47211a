package spiceruntime

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

const dataSuffix = "-prod-aws-data"

// Regions as Spice Cloud lists them are such as us-east-1.
var regionPattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

// BaseURL is the address of an app's runtime, without a trailing slash. The first that is not empty decides:
// override (what the user gave), endpoint and cname (what the management API says of the app), then region. The
// first two are a URL or a bare host; cname is a bare host or, like region, one of the forms us-east-1 and
// us-east-1-prod-aws-data, of which the official command line tool makes
// https://us-east-1-prod-aws-data.spiceai.io.
//
// An error means that none is given, or that the one that decides is no address that a key may be sent to.
func BaseURL(override, endpoint, cname, region string) (string, error) {
	for _, source := range []struct {
		name, value string
		host        bool // it is a URL or a host, whatever it looks like
	}{
		{"runtime-url", override, true},
		{"the app's endpoint", endpoint, true},
		{"the app's cname", cname, false},
		{"the app's region", region, false},
	} {
		value := strings.TrimSpace(source.value)
		if value == "" {
			continue
		}
		if !source.host && !strings.ContainsAny(value, "./:") {
			return regionURL(source.name, value)
		}
		if !strings.Contains(value, "://") {
			value = "https://" + value
		}
		return checkURL(source.name, value)
	}
	return "", errors.New("the address of the runtime is not known: the app names neither endpoint nor region; set runtime-url")
}

func regionURL(what, value string) (string, error) {
	region := strings.TrimSuffix(value, dataSuffix)
	if !regionPattern.MatchString(region) {
		return "", fmt.Errorf("%s %q: expected a region such as us-east-1", what, value)
	}
	return "https://" + strings.ToLower(region) + dataSuffix + ".spiceai.io", nil
}

// checkURL returns the URL without a trailing slash.
func checkURL(what, raw string) (string, error) {
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
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return "", fmt.Errorf("%s %q: plain http would show the API key to the network; use https (http is for loopback addresses only)", what, raw)
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// loopback tells whether the host is this machine: an address of the loopback ranges, or a name that RFC 6761
// reserves for it.
func loopback(host string) bool {
	host = strings.ToLower(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
