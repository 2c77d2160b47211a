package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/ci"
	"github.com/spicedeploy/spice-deploy/internal/redact"
)

// The log's rules: one line for each thing that changed, with what it is about in the first column; nothing is
// printed twice; a line that says the same as the one before is worth printing only as a sign of life, every 30
// seconds. Remote text is defused and every secret covered on the way out.
type log struct {
	redactor *redact.Redactor

	mu    sync.Mutex // orders the lines of parallel requests
	out   *redact.Writer
	last  time.Time
	state string // what a sign of life says
}

// quiet is how long the log says nothing before it gives a sign of life.
const quiet = 30 * time.Second

func newLog(w io.Writer, r *redact.Redactor) *log {
	return &log{redactor: r, out: r.NewWriter(w), last: time.Now()}
}

// line prints one line under a label, further lines of the text below it. A log that cannot be written any more
// (a closed pipe) is no reason to stop deploying.
func (l *log) line(label, format string, args ...any) {
	text := l.redactor.Redact(fmt.Sprintf(format, args...))
	l.mu.Lock()
	defer l.mu.Unlock()
	for part := range strings.SplitSeq(text, "\n") {
		_, _ = fmt.Fprintf(l.out, "%-11s %s\n", label, l.redactor.Redact(ci.Defuse(part)))
		label = ""
	}
	l.last = time.Now()
}

// text prints a block as it is, defused and covered, without labels.
func (l *log) text(block string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for part := range strings.Lines(l.redactor.Redact(block)) {
		_, _ = fmt.Fprintln(l.out, l.redactor.Redact(ci.Defuse(strings.TrimRight(part, "\r\n"))))
	}
}

// Observe prints what happens in a run.
func (l *log) Observe(e deploy.Event) {
	switch e.Level {
	case deploy.Warning:
		l.line(string(e.Phase), "warning: %s", e.Text)
	default:
		l.line(string(e.Phase), "%s", e.Text)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = e.Text
	if d := e.Result.Deployment; d.ID != 0 {
		l.state = fmt.Sprintf("%d is %s", d.ID, d.RawStatus)
	}
}

// signsOfLife prints a line whenever nothing was printed for a while, until stop is called.
func (l *log) signsOfLife(ctx context.Context, limit time.Duration) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	started := time.Now()
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			l.mu.Lock()
			silent, state := time.Since(l.last), l.state
			l.mu.Unlock()
			if silent >= quiet && state != "" {
				l.line("waiting", "%s; %s of at most %s", state, time.Since(started).Round(time.Second), limit)
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// flush prints what the redacting writer holds back.
func (l *log) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.out.Flush()
}
