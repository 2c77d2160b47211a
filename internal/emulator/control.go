package emulator

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// maxControl bounds a control request's body.
const maxControl = 8 << 20

// otherDeployment is the body of POST /_emulator/deployments.
type otherDeployment struct {
	App        string `yaml:"app"` // the app's name
	Deployment `yaml:",inline"`
}

// serveControl answers a control route and returns the status.
func (e *Emulator) serveControl(w http.ResponseWriter, r *http.Request) int {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxControl))
	var answer any
	if err == nil {
		answer, err = e.control(r.Method+" "+strings.TrimPrefix(r.URL.Path, "/_emulator/"), body)
	}
	reply := replyJSON(http.StatusOK, answer)
	switch {
	case errors.Is(err, errNoControl):
		reply = *refusef(http.StatusNotFound, "No such control route: %s %s", r.Method, r.URL.EscapedPath())
	case err != nil:
		reply = *refusef(http.StatusBadRequest, "%v", err)
	}
	w.Header().Set("Content-Type", reply.header.Get("Content-Type"))
	w.WriteHeader(reply.status)
	_, _ = w.Write(reply.body) // a client that has gone is no concern of ours
	return reply.status
}

var errNoControl = errors.New("no such control route")

func (e *Emulator) control(route string, body []byte) (any, error) {
	done := map[string]bool{"ok": true}
	switch route {
	case "GET state":
		return e.controlState(), nil
	case "GET requests":
		return map[string]any{"requests": e.Requests()}, nil
	case "POST scenario":
		sc, err := ParseScenario(body)
		if err != nil {
			return nil, err
		}
		return done, e.Apply(sc)
	case "POST faults":
		faults, err := oneOrMany[Fault](body)
		if err != nil {
			return nil, err
		}
		return done, e.AddFaults(faults...)
	case "DELETE faults":
		e.ClearFaults()
		return done, nil
	case "POST outcomes":
		outcomes, err := oneOrMany[Outcome](body)
		if err != nil {
			return nil, err
		}
		return done, e.AddOutcomes(outcomes...)
	case "PATCH settings":
		var change SettingsChange
		if err := decode(body, &change); err != nil {
			return nil, err
		}
		return done, e.Configure(change)
	case "POST apps":
		var spec App
		if err := decode(body, &spec); err != nil {
			return nil, err
		}
		id, err := e.AddApp(spec)
		return map[string]int64{"id": id}, err
	case "POST deployments":
		return e.controlDeployment(body)
	case "POST tokens":
		var spec TokenSpec
		if err := decode(body, &spec); err != nil {
			return nil, err
		}
		return map[string]string{"token": e.MintToken(spec)}, nil
	case "POST reset":
		e.Reset()
		return done, nil
	}
	return nil, errNoControl
}

func (e *Emulator) controlDeployment(body []byte) (any, error) {
	var spec otherDeployment
	if err := decode(body, &spec); err != nil {
		return nil, err
	}
	if err := spec.problems(""); err != nil {
		return nil, err
	}
	e.enter()
	defer e.mu.Unlock()
	a := e.state.appByName(e.opts.Org, spec.App)
	if a == nil {
		return nil, fmt.Errorf("app: no app named %q", spec.App)
	}
	return map[string]int64{"id": e.state.addDeployment(a, spec.Deployment, time.Now()).id}, nil
}

// oneOrMany decodes a list, or a single one as a list of one.
func oneOrMany[T any](body []byte) ([]T, error) {
	var node yaml.Node
	if err := yaml.Load(body, &node); err != nil {
		return nil, err
	}
	if len(node.Content) == 1 && node.Content[0].Kind == yaml.SequenceNode {
		var list []T
		return list, decode(body, &list)
	}
	list := make([]T, 1)
	return list, decode(body, &list[0])
}

// controlState holds no value of a secret, no credential and no key.
func (e *Emulator) controlState() any {
	type faultState struct {
		Method string `json:"method,omitempty"`
		Path   string `json:"path,omitempty"`
		Kind   string `json:"kind"`
		Nth    int    `json:"nth,omitempty"`
		Times  int    `json:"times,omitempty"`
		Seen   int    `json:"seen"`
	}
	e.enter()
	defer e.mu.Unlock()
	faults := []faultState{}
	for _, f := range e.state.faults {
		faults = append(faults, faultState{f.Method, f.Path, f.Kind, f.Nth, f.Times, f.seen})
	}
	return map[string]any{
		"org": e.opts.Org, "apps": e.state.view(time.Now()), "faults": faults,
		"outcomes": len(e.state.outcomes), "settings": readable(e.state.settings),
	}
}

// readable writes durations as "2s": by way of YAML, which knows how.
func readable(st Settings) any {
	text, err := yaml.Dump(st)
	if err != nil {
		panic(fmt.Sprintf("emulator: write the settings: %v", err))
	}
	var v map[string]any
	if err := yaml.Load(text, &v); err != nil {
		panic(fmt.Sprintf("emulator: read the settings back: %v", err))
	}
	return v
}
