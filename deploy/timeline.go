package deploy

import "time"

// Span is what a run spent a stretch of time on.
type Span struct {
	Name       string // secrets
	Start, End time.Time
}

// The names of spans, in the order of a run.
const (
	SpanPlan       = "plan"
	SpanWait       = "wait for others"
	SpanUpdate     = "update"
	SpanSecrets    = "secrets"
	SpanCreate     = "create"
	SpanQueued     = "queued"
	SpanInProgress = "in progress"
	SpanDatasets   = "datasets"
	SpanReadiness  = "readiness"
	SpanProbes     = "probes"
	SpanRollback   = "rollback"
	SpanPrune      = "prune"
)

// span begins a stretch of the run, which the function that it returns ends. One that follows itself at once, as
// the looks at another deployment do between plans, is one stretch.
func (r *run) span(name string) (end func()) {
	start := time.Now()
	return func() {
		line := r.result.Timeline
		if n := len(line); n > 0 && line[n-1].Name == name && !line[n-1].End.Before(start) {
			r.result.Timeline[n-1].End = time.Now()
			return
		}
		r.result.Timeline = append(line, Span{Name: name, Start: start, End: time.Now()})
	}
}
