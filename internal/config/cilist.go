package config

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
)

// CI systems write a list or a map of their pipeline into the environment, each in a way of its own:
//
//   - Drone, Harness and Woodpecker as JSON, and a list of words with commas;
//   - Buildkite a list as NAME_0, NAME_1 and so on, and all of it as JSON once more (agent/plugin/plugin.go);
//   - Bitbucket a list as NAME_COUNT, NAME_0 and so on, see
//     https://support.atlassian.com/bitbucket-cloud/docs/advanced-techniques-for-writing-pipes/.
//
// Maps are read as JSON by the options that take them, so only lists are left to deal with here.

// buildkitePrefix is what Buildkite makes of the settings of a plugin from a repository of the name
// spice-deploy-buildkite-plugin.
const buildkitePrefix = "BUILDKITE_PLUGIN_SPICE_DEPLOY_"

// separator stands between the items of an option that is a list, and is "" for all others.
func separator(opt option) string {
	switch opt.name {
	case "scope":
		return " "
	case "secrets", "secrets-from-env", "secrets-exclude":
		return "\n"
	}
	return ""
}

// plain is the value of a variable, with a list as the option writes one.
func (l *lookup) plain(opt option, variable string, at level) string {
	value := l.vars[variable]
	if at != pluginLevel && at != spiceLevel {
		return value
	}
	items, isList := l.numbered(variable)
	if value != "" {
		items, isList = jsonList(value)
	}
	switch separator := separator(opt); {
	case !isList:
		return value
	case separator != "":
		return strings.Join(items, separator)
	case value == "":
		list, _ := json.Marshal(items) // strings always have a JSON form
		return string(list)
	}
	return value
}

// maxItems is far more than a pipeline lists by hand.
const maxItems = 10_000

// numbered is NAME_0, NAME_1 and so on: as many as NAME_COUNT says, and without it up to the first that is not set.
func (l *lookup) numbered(variable string) (items []string, isList bool) {
	count, err := strconv.Atoi(l.vars[variable+"_COUNT"])
	counted := err == nil
	for i := 0; i < maxItems && (!counted || i < count); i++ {
		item, set := l.vars[variable+"_"+strconv.Itoa(i)]
		if !set && !counted {
			break
		}
		items = append(items, item)
	}
	return items, len(items) > 0
}

// jsonList is a JSON array of texts, numbers and words, each as it is written there.
func jsonList(value string) (items []string, isList bool) {
	var raw []json.RawMessage
	if json.Unmarshal([]byte(value), &raw) != nil {
		return nil, false
	}
	for _, item := range raw {
		text := string(item)
		if strings.HasPrefix(text, "[") || strings.HasPrefix(text, "{") {
			return nil, false
		}
		if strings.HasPrefix(text, `"`) && json.Unmarshal(item, &text) != nil {
			return nil, false
		}
		items = append(items, text)
	}
	return items, true
}

// unresolved is what Azure Pipelines leaves of a variable that is not there, such as a secret in a build of a fork.
var unresolved = regexp.MustCompile(`^\$\([A-Za-z0-9_.-]+\)$`)

// adaptToCI changes what the CI system writes where another would write nothing, or a map as one variable.
func adaptToCI(vars map[string]string) {
	if vars["TF_BUILD"] != "" {
		for name, value := range vars {
			if unresolved.MatchString(value) {
				vars[name] = ""
			}
		}
	}
	for key, value := range buildkiteSettings(vars) {
		if strings.HasPrefix(string(value), "{") {
			vars[buildkitePrefix+variableName(key)] = string(value)
		}
	}
}

// buildkiteSettings is the settings of this plugin as the pipeline has them.
func buildkiteSettings(vars map[string]string) map[string]json.RawMessage {
	var settings map[string]json.RawMessage
	if vars["BUILDKITE_PLUGIN_NAME"] == "SPICE_DEPLOY" {
		_ = json.Unmarshal([]byte(vars["BUILDKITE_PLUGIN_CONFIGURATION"]), &settings) // null for a plugin without settings
	}
	return settings
}

// variableName is a name as environment variables have it.
func variableName(name string) string {
	return strings.ToUpper(strings.NewReplacer("-", "_", " ", "_").Replace(name))
}
