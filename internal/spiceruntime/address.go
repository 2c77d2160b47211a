package spiceruntime

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spicedeploy/spice-deploy/internal/remote"
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
		return remote.BaseURL(source.name, value)
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
