package cli

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// version and commit are set by the linker in a release: -X …/internal/cli.version=v1.2.3.
var version, commit string

// versionOf returns the version and the commit of this binary: what the linker was told, else what the Go
// command recorded, else that it was built from source.
func versionOf() (string, string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return told(version, commit, info)
}

// told fills in what the linker was not told with what the Go command wrote down. A tree that had changes when it
// was built is not the commit alone, and the commit says so. Without a version of the module the commit is that of
// another repository, in which the sources lie.
func told(version, commit string, info *debug.BuildInfo) (string, string) {
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		version, commit = cmp.Or(version, info.Main.Version), cmp.Or(commit, settings["vcs.revision"])
	}
	if commit != "" && settings["vcs.modified"] == "true" {
		commit += " with changes"
	}
	return cmp.Or(version, "source"), cmp.Or(commit, "unknown")
}

func versionLine() string {
	v, c := versionOf()
	return fmt.Sprintf("spice-deploy %s (commit %s, %s, %s/%s)", v, c, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func userAgent() string {
	v, _ := versionOf()
	return "spice-deploy/" + v + " (+https://github.com/spicedeploy/spice-deploy)"
}
