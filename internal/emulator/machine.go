package emulator

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// The states of the state machine. Created means superseded: a newer deployment has started.
const (
	queued     = "queued"
	inProgress = "in_progress"
	succeeded  = "succeeded"
	failed     = "failed"
	created    = "created"
)

// stuck is an Outcome's status for a deployment that stays in progress for ever, as the service's do when an
// instance never becomes ready.
const stuck = "stuck"

// deployment is what was asked for and what is to become of it; what it is at a moment is computed by spans.
type deployment struct {
	id        int64
	actor     string
	requestID string
	createdBy any
	source    string

	created  time.Time
	start    time.Time // when it leaves the queue, if nothing newer starts first; zero: never
	end      time.Time // when it ends, likewise
	outcome  Outcome
	imageTag string // the pin; "" for the channel's default
	channel  string
	replicas int
	branch   string
	sha      string
	message  string
	debug    bool

	spicepod    any      // what is deployed
	secretNames []string // what the app had then
}

// schedule fixes when a deployment starts and ends, from its outcome and the defaults.
func (d *deployment) schedule(s *state, now time.Time) {
	d.created = now
	if d.outcome.Status == queued {
		return
	}
	wait := s.settings.Queued
	if d.outcome.Queued != nil {
		wait = *d.outcome.Queued
	}
	d.start = d.created.Add(wait)
	if d.outcome.Status == stuck {
		return
	}
	run := s.settings.InProgress
	if d.outcome.InProgress != nil {
		run = *d.outcome.InProgress
	}
	d.end = d.start.Add(run)
}

// span is a deployment's life with the others taken into account. The zero time means never.
type span struct{ start, end, superseded time.Time }

// spans computes the life of every deployment of the app, oldest first: when a newer one starts, each earlier
// one that has not ended is superseded, and one that was still queued never starts.
func (a *app) spans() []span {
	list := make([]span, len(a.deployments))
	var next time.Time // the earliest start among the newer ones
	for i := len(list) - 1; i >= 0; i-- {
		d, sp := a.deployments[i], &list[i]
		if !next.IsZero() && !before(d.start, next) {
			sp.superseded = next
			continue
		}
		sp.start = d.start
		if !next.IsZero() && !before(d.end, next) {
			sp.superseded = next
		} else {
			sp.end = d.end
		}
		if before(sp.start, next) {
			next = sp.start
		}
	}
	return list
}

// before compares with the zero time as never.
func before(t, limit time.Time) bool {
	return !t.IsZero() && (limit.IsZero() || t.Before(limit))
}

func reached(t, now time.Time) bool { return !t.IsZero() && !now.Before(t) }

// status is the state at a moment; one that has ended has the outcome's word.
func (d *deployment) status(sp span, now time.Time) string {
	switch {
	case reached(sp.superseded, now):
		return created
	case reached(sp.end, now):
		return cmp.Or(d.outcome.Status, succeeded)
	case reached(sp.start, now):
		return inProgress
	}
	return queued
}

// problem is the error that shows at a moment: a shortage while it waits for room, the outcome's when it failed.
func (d *deployment) problem(sp span, now time.Time) (code, message string) {
	switch d.status(sp, now) {
	case inProgress:
		until := d.outcome.ShortageFor
		if d.outcome.Shortage == "" || until > 0 && !now.Before(sp.start.Add(until)) {
			return "", ""
		}
		return d.outcome.Shortage, cmp.Or(d.outcome.ShortageMessage, "Waiting for capacity in the region to place the instance")
	case queued, created:
		return "", ""
	}
	return d.outcome.ErrorCode, d.outcome.ErrorMessage
}

// finished is when it ended, the zero time while it has not.
func (sp span) finished(now time.Time) time.Time {
	for _, t := range []time.Time{sp.superseded, sp.end} {
		if reached(t, now) {
			return t
		}
	}
	return time.Time{}
}

// updated is the last change that was due, the zero time while queued.
func (d *deployment) updated(sp span, now time.Time) time.Time {
	last := time.Time{}
	times := []time.Time{sp.start, sp.end, sp.superseded}
	if d.outcome.ShortageFor > 0 && !sp.start.IsZero() {
		if cleared := sp.start.Add(d.outcome.ShortageFor); before(cleared, sp.finished(now)) {
			times = append(times, cleared)
		}
	}
	for _, t := range times {
		if reached(t, now) && t.After(last) {
			last = t
		}
	}
	return last
}

// succeeds tells whether the outcome is a success under any of the words that clients know for it.
func (o Outcome) succeeds() bool {
	return slices.Contains([]string{"", succeeded, "success", "completed"}, o.Status)
}

// resolvedTag is the runtime that a deployment came to run, "" before it succeeded and without a pin.
func (d *deployment) resolvedTag(sp span, now time.Time) string {
	if !d.succeededBy(sp, now) {
		return d.imageTag
	}
	if d.outcome.ImageTag != "" || d.imageTag != "" {
		return cmp.Or(d.outcome.ImageTag, d.imageTag)
	}
	return imageTags["enterprise"][0]
}

func (d *deployment) succeededBy(sp span, now time.Time) bool {
	return reached(sp.end, now) && d.outcome.succeeds()
}

// wireDeployment is a deployment as the API shows it.
type wireDeployment struct {
	ID             int64   `json:"id"`
	Status         string  `json:"status"`
	CreatedAt      string  `json:"created_at"`
	StartedAt      *string `json:"started_at"`
	UpdatedAt      *string `json:"updated_at"`
	FinishedAt     *string `json:"finished_at"`
	Image          *string `json:"image"`
	ImageTag       *string `json:"image_tag"`
	Channel        *string `json:"channel"`
	Replicas       *int    `json:"replicas"`
	Branch         *string `json:"branch"`
	CommitSHA      *string `json:"commit_sha"`
	CommitMessage  *string `json:"commit_message"`
	ErrorCode      *string `json:"error_code"`
	ErrorMessage   *string `json:"error_message,omitempty"`
	Error          *string `json:"error,omitempty"` // how one edition spells error_message
	CreationSource *string `json:"creation_source"`
	CreatedBy      any     `json:"created_by"`
}

func (s *state) wireDeployment(d *deployment, sp span, now time.Time) wireDeployment {
	code, message := d.problem(sp, now)
	tag := d.resolvedTag(sp, now)
	word := d.status(sp, now)
	w := wireDeployment{
		ID: d.id, Status: cmp.Or(d.outcome.Words[word], word), CreatedAt: s.stamp(d.created),
		UpdatedAt: s.stampOrNull(d.updated(sp, now)), FinishedAt: s.stampOrNull(sp.finished(now)),
		ImageTag: orNull(tag), Channel: orNull(d.channel), Replicas: orNull(d.replicas), Branch: orNull(d.branch),
		CommitSHA: orNull(d.sha), CommitMessage: orNull(d.message), ErrorCode: orNull(code),
		CreationSource: orNull(d.source), CreatedBy: d.createdBy,
	}
	if reached(sp.start, now) {
		w.StartedAt = s.stampOrNull(sp.start)
	}
	if tag != "" {
		w.Image = new("spiceai/spiceai:" + tag)
	}
	if s.settings.ErrorField == "error" {
		w.Error = orNull(message)
	} else {
		w.ErrorMessage = orNull(message)
	}
	return w
}

// createdBy is who a deployment says it is by; editions differ in the type.
func (s *state) createdBy(actor string) any {
	switch s.settings.CreatedBy {
	case "string":
		return actor + "@example.com"
	case "null":
		return nil
	}
	if actor == "default" {
		return 1
	}
	return 2
}

// secretNames is sorted.
func (a *app) secretNames() []string { return slices.Sorted(maps.Keys(a.secrets)) }
