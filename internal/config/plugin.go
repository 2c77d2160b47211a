package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// ciPluginVariables are PLUGIN_ names that a CI system sets for every plugin: Harness's, in its lite-engine
// (pipeline/runtime/run.go).
func ciPluginVariables() []string {
	return []string{
		"PLUGIN_ARTIFACT_FILE",
		"PLUGIN_BUILD_TOOL_FILE",
		"PLUGIN_CACHE_INTEL_METRICS_FILE",
		"PLUGIN_CACHE_METRICS_FILE",
		"PLUGIN_METADATA_FILE",
	}
}

// checkPlugin looks for settings of a CI plugin that no option reads. The CI system does not know which
// settings there are, so a slip of the pen would pass in silence.
func (l *lookup) checkPlugin(rows []option) {
	names := allNames(rows)
	for _, key := range slices.Sorted(maps.Keys(l.vars)) {
		name, isPlugin := strings.CutPrefix(key, "PLUGIN_")
		if isPlugin && strings.TrimSpace(l.vars[key]) != "" && !slices.Contains(ciPluginVariables(), key) {
			l.checkSetting(key, name, "PLUGIN_", names)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(l.vars)) {
		l.checkSpice(key, names)
	}
	for _, key := range slices.Sorted(maps.Keys(buildkiteSettings(l.vars))) {
		l.checkSetting(key, key, "", names)
	}
}

// listEntry is a variable of a list, as Bitbucket writes one: NAME_COUNT, NAME_0 and so on.
var listEntry = regexp.MustCompile(`_([0-9]+|COUNT)$`)

// checkSpice names a SPICE_ variable that is nearly an option. It may as well be meant for something else, a secret
// that secrets-from-env sends, so it is no problem.
func (l *lookup) checkSpice(key string, names []string) {
	name, ours := strings.CutPrefix(key, "SPICE_")
	name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	if !ours || strings.TrimSpace(l.vars[key]) == "" || slices.Contains(names, name) || strings.HasPrefix(key, "SPICE_CLOUD_") || listEntry.MatchString(key) {
		return
	}
	if near, ok := nearest(name, names); ok {
		l.notice("warning: %s is not an option and is not used; did you mean SPICE_%s?", quote(key), variableName(near))
	}
}

// checkSetting reports a setting that is not an option. The one that was meant is written in the setting's own way:
// behind the prefix in upper case, without one as the option.
func (l *lookup) checkSetting(key, name, prefix string, names []string) {
	name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	if slices.Contains(names, name) && (prefix == "" || key == strings.ToUpper(key)) {
		return
	}
	near, ok := nearest(name, names)
	if !ok {
		l.notice("%s is not an option and is not used", quote(key))
		return
	}
	if prefix != "" {
		near = prefix + variableName(near)
	}
	l.problem("", "%s is not an option; did you mean %s?", quote(key), near)
}
