package config

import (
	"maps"
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
	known := ciPluginVariables()
	for _, opt := range rows {
		for _, name := range opt.names() {
			known = append(known, variables(opt, name, pluginLevel)...)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(l.vars)) {
		rest, isPlugin := strings.CutPrefix(key, "PLUGIN_")
		if !isPlugin || strings.TrimSpace(l.vars[key]) == "" || slices.Contains(known, key) {
			continue
		}
		name := strings.ToLower(strings.ReplaceAll(rest, "_", "-"))
		if near, ok := nearest(name, names); ok {
			l.problem("", "%s is not an option; did you mean PLUGIN_%s?", quote(key),
				strings.ToUpper(strings.ReplaceAll(near, "-", "_")))
			continue
		}
		l.notice("%s is not an option and is not used", quote(key))
	}
}
