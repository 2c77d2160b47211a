package diag

// Interrupted is the cause of a context that a signal ended.
type Interrupted struct {
	Signal string // its name: SIGINT
	Exit   int    // the exit code by the shell's convention
}

func (i Interrupted) Error() string { return "stopped by " + i.Signal }
