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
	v, c := version, commit
	if info, ok := debug.ReadBuildInfo(); ok {
		recordedVersion, recordedCommit := recorded(info)
		v, c = cmp.Or(v, recordedVersion), cmp.Or(c, recordedCommit)
	}
	return cmp.Or(v, "source"), cmp.Or(c, "unknown")
}

// recorded returns what the Go command wrote down of the version and the commit, "" where it did not. A tree
// that had changes when it was built is not the commit alone, and the commit says so.
func recorded(info *debug.BuildInfo) (version, commit string) {
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	commit = settings["vcs.revision"]
	if settings["vcs.modified"] == "true" {
		commit += " with changes"
	}
	if info.Main.Version != "(devel)" {
		version = info.Main.Version
	}
	return version, commit
}

func versionLine() string {
	v, c := versionOf()
	return fmt.Sprintf("spice-deploy %s (commit %s, %s, %s/%s)", v, c, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func userAgent() string {
	v, _ := versionOf()
	return "spice-deploy/" + v + " (+https://github.com/spicedeploy/spice-deploy)"
}
