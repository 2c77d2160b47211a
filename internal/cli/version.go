package cli

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// version and commit are set by the linker in a release: -X …/internal/cli.version=1.2.3.
var version, commit string

// versionOf returns the version and the commit of this binary: what the linker was told, else what the Go
// command recorded, else that it was built from source.
func versionOf() (string, string) {
	v, c := version, commit
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "(devel)" {
			v = cmp.Or(v, info.Main.Version)
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				c = cmp.Or(c, s.Value)
			}
		}
	}
	return cmp.Or(v, "source"), cmp.Or(c, "unknown")
}

func versionLine() string {
	v, c := versionOf()
	return fmt.Sprintf("spice-deploy %s (commit %s, %s, %s/%s)", v, c, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func userAgent() string {
	v, _ := versionOf()
	return "spice-deploy/" + v + " (+https://github.com/spicedeploy/spice-deploy)"
}
