//go:build !windows

package cli

import "os"

// understandsSequences tells whether a terminal takes control sequences, as all do here whose TERM is not dumb.
func understandsSequences(*os.File) bool { return true }
