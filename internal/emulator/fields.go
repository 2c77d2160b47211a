package emulator

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

var (
	// The patterns of tags are those that the vendor's action says mirror the API.
	tagKeyPattern   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./-]{0,62}$`)
	tagValuePattern = regexp.MustCompile(`^[A-Za-z0-9_@-]{0,256}$`)

	visibilities = []string{"private", "public"}
	// channels are the documented ones and the two that only the CLI and the Terraform provider know.
	channels = []string{"stable", "preview", "nightly", "internal", "internal-sandbox"}
)

// readCommon reads what both create and update take.
func (s *state) readCommon(f *form, a *app) {
	if v := f.textOrNull("description"); v != nil {
		a.description = *v
	}
	if v := f.oneOf("visibility", visibilities...); v != nil {
		a.visibility = *v
	}
	if f.null("tags") {
		a.tags = nil
	} else if v := read[map[string]string](f, "tags", "an object of strings"); v != nil {
		checkTags(f, *v)
		a.tags = *v
	}
	if v := f.oneOf("update_channel", channels...); v != nil {
		a.updateChannel = *v
	}
	if v := f.integer("replicas", 1, 10); v != nil {
		a.replicas = *v
	}
	if v := read[map[string]any](f, "resources", "object"); v != nil {
		a.resources = *v
	}
	if v := read[map[string]any](f, "executor", "object"); v != nil {
		a.executor = *v
	}
	for _, name := range []string{"storage_claim_size_gb", "storage_size_gb"} { // the first is the deprecated twin
		if v := read[float64](f, name, "number"); v != nil {
			a.storageGB = v
		}
	}
}

// readPlacement takes a region, a cluster, or the deprecated cname.
func (s *state) readPlacement(f *form, a *app) {
	for _, name := range []string{"cname", "region"} {
		v := f.text(name)
		if v == nil {
			continue
		}
		region := strings.TrimSuffix(*v, cnameSuffix)
		i := slices.IndexFunc(regions, func(r wireRegion) bool { return r.Region == region })
		switch {
		case i < 0:
			f.fail(name, "Unknown region")
		case regions[i].Disabled:
			f.fail(name, "Region is disabled")
		default:
			a.region = region
		}
	}
	if v := f.text("cluster_name"); v != nil {
		if !handlePattern.MatchString(*v) {
			f.fail("cluster_name", "Not a valid cluster name")
		}
		a.cluster = *v
	}
}

func checkTags(f *form, tags map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		if !tagKeyPattern.MatchString(key) {
			f.fail("tags", "Key %q must match %s", key, tagKeyPattern)
		}
		if !tagValuePattern.MatchString(tags[key]) {
			f.fail("tags", "Value of %q must match %s", key, tagValuePattern)
		}
	}
}

// planRefusal is what the organization's plan does not include. Of these refusals neither code nor prose is
// documented, apart from the sentence about resources; the status is the one for plans.
func (s *state) planRefusal(f *form, a *app) *reply {
	switch {
	case f.given("tags") && len(a.tags) > 0 && s.settings.Plan == "community":
		return refusef(http.StatusForbidden, "Tags are not available on your plan")
	case f.given("resources") && !s.settings.PrivateCompute:
		return refusef(http.StatusForbidden, "Resource limits can only be updated when private compute is enabled")
	case f.given("replicas") && a.replicas > s.settings.MaxReplicas:
		return refusef(http.StatusForbidden, "Your plan allows at most %d replicas", s.settings.MaxReplicas)
	}
	return nil
}

// imageRefusal is what the service says to a pinned image tag. Tags of other channels than stable are not
// published anywhere that could be checked.
func (s *state) imageRefusal(tag, channel string) *reply {
	switch {
	case s.settings.Plan != "enterprise":
		return refuse(http.StatusForbidden, "image_tag_requires_enterprise", "Pinning an image tag requires the Enterprise plan")
	case channel == "stable" && !s.settings.AcceptUnknownImageTags && !published(tag):
		return refuse(http.StatusBadRequest, "invalid_stable_image_tag", fmt.Sprintf("Image tag %q is not published for the stable channel", tag))
	}
	return nil
}
