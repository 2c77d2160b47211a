package emulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"time"

	"go.yaml.in/yaml/v4"
)

// updateApp changes the fields that are given and keeps the others. Either all of them are taken or none.
func updateApp(s *state, c *call, a *app) reply {
	f, refused := parseForm(c.body)
	if refused != nil {
		return *refused
	}
	next := *a
	s.readCommon(f, &next)
	s.readPlacement(f, &next)
	if v := f.textOrNull("production_branch"); v != nil {
		next.productionBranch = *v
	}
	if v := f.text("version"); v != nil {
		next.version = *v
	}
	for name, field := range map[string]*string{"registry": &next.registry, "image": &next.image, "node_group": &next.nodeGroup} {
		if v := f.textOrNull(name); v != nil {
			*field = *v
		}
	}
	readImageTag(f, &next)
	readSpicepod(f, &next)
	if refused := f.refusal(); refused != nil {
		return *refused
	}
	if refused := s.planRefusal(f, &next); refused != nil {
		return *refused
	}
	if next.imageTag != "" && (f.given("image_tag") || f.given("update_channel")) {
		if refused := s.imageRefusal(next.imageTag, next.updateChannel); refused != nil {
			return *refused
		}
	}
	if a.repository != "" && f.given("spicepod") && !sameJSON(a.spicepod, next.spicepod) {
		return *refuse(http.StatusConflict, "github_connected", "The spicepod of a project connected to GitHub is read from its repository")
	}
	*a = next
	return replyJSON(http.StatusOK, s.wire(c, a, true))
}

// readImageTag: an explicit null clears the pin, an omitted field keeps it.
func readImageTag(f *form, a *app) {
	v := f.textOrNull("image_tag")
	switch {
	case v == nil:
	case *v == "" && !f.null("image_tag"):
		f.fail("image_tag", "Must not be empty")
	default:
		a.imageTag = *v
	}
}

// readSpicepod takes YAML in a string or a JSON object. What a spicepod has to look like is checked when it is
// deployed.
func readSpicepod(f *form, a *app) {
	raw := bytes.TrimSpace(f.fields["spicepod"])
	switch {
	case raw == nil:
	case raw[0] == '{':
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			f.fail("spicepod", "Invalid JSON: %v", err)
			return
		}
		a.spicepod = v
	case raw[0] == '"':
		v, err := parseSpicepod(*f.text("spicepod"))
		if err != nil {
			f.fail("spicepod", "Invalid YAML: %v", err)
			return
		}
		a.spicepod = v
	default:
		f.fail("spicepod", "Expected a YAML string or an object")
	}
}

// parseSpicepod reads YAML into what JSON can hold, since that is how it is stored and shown.
func parseSpicepod(text string) (any, error) {
	var v any
	if err := yaml.Load([]byte(text), &v); err != nil {
		return nil, err
	}
	v = jsonable(v)
	if _, ok := v.(map[string]any); !ok {
		return nil, fmt.Errorf("expected a mapping at the top")
	}
	var canonical any
	if err := json.Unmarshal(encode(v), &canonical); err != nil {
		return nil, err
	}
	return canonical, nil
}

// jsonable replaces what YAML knows and JSON does not: keys that are no strings, points in time, infinities.
func jsonable(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			v[key] = jsonable(v[key])
		}
		return v
	case map[any]any:
		m := make(map[string]any, len(v))
		for key, value := range v {
			m[fmt.Sprint(key)] = jsonable(value)
		}
		return m
	case []any:
		for i := range v {
			v[i] = jsonable(v[i])
		}
		return v
	case time.Time:
		return v.Format(time.RFC3339)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Sprint(v)
		}
	}
	return v
}

// sameJSON compares in meaning: encoding sorts the keys.
func sameJSON(a, b any) bool { return bytes.Equal(encode(a), encode(b)) }
