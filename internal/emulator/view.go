package emulator

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// AppState is an app as it stands, with deleted ones among them.
type AppState struct {
	ID               int64             `json:"id"`
	Name             string            `json:"name"`
	Org              string            `json:"org"`
	Kind             string            `json:"kind"`
	Visibility       string            `json:"visibility"`
	Region           string            `json:"region,omitempty"`
	Tags             map[string]string `json:"tags,omitempty"`
	Repository       string            `json:"repository,omitempty"`
	ProductionBranch string            `json:"production_branch,omitempty"`
	UpdateChannel    string            `json:"update_channel,omitempty"`
	ImageTag         string            `json:"image_tag,omitempty"`
	Replicas         int               `json:"replicas"`
	Paused           bool              `json:"paused"`
	Deleted          bool              `json:"deleted"`
	Secrets          []string          `json:"secrets"`           // names, sorted
	Serving          int64             `json:"serving,omitempty"` // the deployment whose spicepod is served; 0 for none
	Deployments      []DeploymentState `json:"deployments"`       // oldest first
	Spicepod         json.RawMessage   `json:"-"`                 // as stored; nil for none
}

// DeploymentState is a deployment as it stands.
type DeploymentState struct {
	ID            int64           `json:"id"`
	Status        string          `json:"status"` // of the state machine, whatever word the API shows
	Actor         string          `json:"actor"`  // the name of the token, or of somebody else
	RequestID     string          `json:"request_id,omitempty"`
	CreatedAt     time.Time       `json:"created_at"`
	StartedAt     time.Time       `json:"started_at,omitzero"`
	FinishedAt    time.Time       `json:"finished_at,omitzero"`
	Branch        string          `json:"branch,omitempty"`
	CommitSHA     string          `json:"commit_sha,omitempty"`
	CommitMessage string          `json:"commit_message,omitempty"`
	ImageTag      string          `json:"image_tag,omitempty"`
	Channel       string          `json:"channel,omitempty"`
	Replicas      int             `json:"replicas"`
	Debug         bool            `json:"debug,omitempty"`
	ErrorCode     string          `json:"error_code,omitempty"`
	ErrorMessage  string          `json:"error_message,omitempty"`
	Spicepod      json.RawMessage `json:"-"` // what was deployed
}

// Apps is every app there ever was since the last reset, in the order of their ids.
func (e *Emulator) Apps() []AppState {
	e.enter()
	defer e.mu.Unlock()
	return e.state.view(time.Now())
}

// App is the app with the id; the zero value where there is none.
func (e *Emulator) App(id int64) AppState {
	for _, a := range e.Apps() {
		if a.ID == id {
			return a
		}
	}
	return AppState{}
}

func (s *state) view(now time.Time) []AppState {
	views := make([]AppState, len(s.apps))
	for i, a := range s.apps {
		v := AppState{
			ID: a.id, Name: a.name, Org: a.org, Kind: a.kind(), Visibility: a.visibility, Region: a.region,
			Tags: maps.Clone(a.tags), Repository: a.repository, ProductionBranch: a.productionBranch,
			UpdateChannel: a.updateChannel, ImageTag: a.imageTag, Replicas: a.replicas,
			Paused: a.paused, Deleted: a.deleted, Spicepod: encodeOrNil(a.spicepod),
			Secrets: slices.Sorted(maps.Keys(a.secrets)), Deployments: []DeploymentState{},
		}
		if d, _ := s.serving(a, now); d != nil {
			v.Serving = d.id
		}
		for j, sp := range a.spans() {
			v.Deployments = append(v.Deployments, a.deployments[j].view(sp, now))
		}
		views[i] = v
	}
	return views
}

// view is the deployment for tests and the control routes.
func (d *deployment) view(sp span, now time.Time) DeploymentState {
	code, message := d.problem(sp, now)
	v := DeploymentState{
		ID: d.id, Status: d.status(sp, now), Actor: d.actor, RequestID: d.requestID, CreatedAt: d.created,
		FinishedAt: sp.finished(now), Branch: d.branch, CommitSHA: d.sha, CommitMessage: d.message,
		ImageTag: d.resolvedTag(sp, now), Channel: d.channel, Replicas: d.replicas, Debug: d.debug,
		ErrorCode: code, ErrorMessage: message, Spicepod: encodeOrNil(d.spicepod),
	}
	if reached(sp.start, now) {
		v.StartedAt = sp.start
	}
	return v
}
