package config

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/spicedeploy/spice-deploy/internal/remote"
)

// webAddress is an address that credentials are sent to: https, or http to this machine.
func webAddress(to *string) kind {
	return kind{arg: "URL", set: func(s string) error {
		if err := checkAddress(s); err != nil {
			return err
		}
		*to = strings.TrimRight(s, "/")
		return nil
	}}
}

func checkAddress(s string) error {
	// First of all, so that no message below repeats a password.
	if strings.ContainsAny(s, "@?#") {
		return errors.New("expected an address without user name, password, query and fragment")
	}
	scheme, rest, found := strings.Cut(s, "://")
	if !found {
		return fmt.Errorf("expected an address with its scheme, got %s%s", quote(s), proposal(s))
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" {
		return fmt.Errorf("expected an address such as https://api.spice.ai, got %s", quote(s))
	}
	if port := u.Port(); port != "" {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return fmt.Errorf("expected a port of at most 65535, got %s", quote(port))
		}
	}
	switch {
	case strings.EqualFold(scheme, "https"):
		return nil
	case !strings.EqualFold(scheme, "http"):
		return fmt.Errorf("expected an https address, got %s", quote(s))
	case !remote.Loopback(u.Hostname()):
		return fmt.Errorf("plain http is refused except to a loopback address, got %s%s", quote(s), proposal(rest))
	}
	return nil
}

// proposal gives an address its right scheme, where that makes it one that is accepted.
func proposal(rest string) string {
	u, err := url.Parse("https://" + rest)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	if remote.Loopback(u.Hostname()) {
		return "; write http://" + rest
	}
	return "; write https://" + rest
}
