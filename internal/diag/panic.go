package diag

import (
	"fmt"
	"runtime/debug"
)

// Panic is a bug that showed as a panic: what it said, and where it was.
type Panic struct {
	Value any
	Stack []byte
}

func (p *Panic) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// Guard calls f and turns a panic of it into the [Error] of a bug. Whoever starts a goroutine calls what it does
// through Guard: a panic there would end the process with no word to the steps after it, and with its text as it
// is, secrets and all.
func Guard(f func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &Error{Result: InternalError, Err: &Panic{value, debug.Stack()}, Hint: Hint(Bug)}
		}
	}()
	return f()
}
