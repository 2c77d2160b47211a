package deploy

import "fmt"

// Observer is told what happens while it happens: a log, a progress bar, a GitHub Deployment. It is called from
// one goroutine at a time and must not block for long.
type Observer interface {
	Observe(event Event)
}

// Phase is the part of a run that an event belongs to.
type Phase string

// The phases, in the order of a run.
const (
	PhaseApp        Phase = "app"
	PhasePlan       Phase = "plan"
	PhaseConflict   Phase = "conflict"
	PhaseUpdate     Phase = "update"
	PhaseSecrets    Phase = "secrets"
	PhaseDeployment Phase = "deployment"
	PhaseVerify     Phase = "verify"
	PhaseRollback   Phase = "rollback"
	PhasePrune      Phase = "prune"
)

// Level says how much an event matters.
type Level int

// The levels.
const (
	Info Level = iota
	Notice
	Warning
)

// Event is one thing that happened. Text is one line that stands for itself; it may hold remote text, which
// whoever prints it must defuse. Result is what is known of the run by then.
type Event struct {
	Phase  Phase
	Level  Level
	Text   string
	Result Result
}

func (r *run) observe(phase Phase, level Level, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if level != Info && !r.news(text) {
		return // said by an earlier plan of this run
	}
	if level == Warning {
		r.result.Warnings = append(r.result.Warnings, text)
	}
	if r.Observer != nil {
		r.Observer.Observe(Event{Phase: phase, Level: level, Text: text, Result: r.result})
	}
}

// news tells whether this is the first time that it is asked about a thing. A run that waits plans again and again,
// and its log is to show what changed.
func (r *run) news(thing string) bool {
	told := r.said[thing]
	r.said[thing] = true
	return !told
}

func (r *run) info(phase Phase, format string, args ...any) { r.observe(phase, Info, format, args...) }

func (r *run) notice(phase Phase, format string, args ...any) {
	r.observe(phase, Notice, format, args...)
}

func (r *run) warn(phase Phase, format string, args ...any) {
	r.observe(phase, Warning, format, args...)
}
