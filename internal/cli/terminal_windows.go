package cli

import (
	"os"

	"golang.org/x/sys/windows"
)

// understandsSequences tells whether a console takes control sequences, which it is asked to do here; those before
// Windows 10 cannot (https://learn.microsoft.com/windows/console/setconsolemode).
func understandsSequences(console *os.File) bool {
	handle, mode := windows.Handle(console.Fd()), uint32(0)
	if windows.GetConsoleMode(handle, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(handle, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
