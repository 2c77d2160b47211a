package emulator

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

func runtimeHealth(_ *state, _ *call, _ *running) reply { return replyText(http.StatusOK, "ok\n") }

// runtimeReady is 200 or 503. What is in verbose lines is not documented beyond their being several.
func runtimeReady(s *state, c *call, run *running) reply {
	for _, name := range []string{"min_ready_executors", "min_ready_executors_percent"} {
		if c.query.Has(name) {
			return replyText(http.StatusBadRequest, name+" is only supported by a scheduler")
		}
	}
	status, body := http.StatusOK, "ready"
	waits := s.waitsFor(run)
	if len(waits) > 0 {
		status, body = http.StatusServiceUnavailable, "not ready"
	}
	if c.query.Get("verbose") == "true" {
		for _, d := range run.datasets() {
			body += "\ndataset " + d.name + ": " + d.state.Status
		}
		for _, reason := range waits {
			body += "\n" + reason
		}
	}
	return replyText(status, body)
}

// waitsFor is why the runtime is not ready; none when it is.
func (s *state) waitsFor(run *running) []string {
	var reasons []string
	if run.now.Before(run.since.Add(run.script.ReadyAfter)) {
		reasons = append(reasons, "components are loading")
	}
	for _, m := range slices.Concat(run.models("models"), run.models("embeddings")) {
		if m.state.failed() {
			reasons = append(reasons, "model "+m.name+": "+m.state.Status)
		}
	}
	if !s.settings.ReadyWithoutSecrets {
		for _, ref := range run.deployment.missingSecrets() {
			reasons = append(reasons, ref+" could not be resolved")
		}
	}
	return reasons
}

// runtimeStatus is about connections and says nothing of datasets.
func runtimeStatus(_ *state, c *call, _ *running) reply {
	type connection struct {
		Name     string `json:"name"`
		Endpoint string `json:"endpoint"`
		Status   string `json:"status"`
	}
	list := []connection{
		{"http", "0.0.0.0:8090", "Ready"},
		{"flight", "0.0.0.0:50051", "Ready"},
		{"metrics", "0.0.0.0:9090", "Ready"},
		{"opentelemetry", "0.0.0.0:50052", "Ready"},
	}
	lines := [][]string{{"name", "endpoint", "status"}}
	for _, l := range list {
		lines = append(lines, []string{l.Name, l.Endpoint, l.Status})
	}
	return formatted(c, list, lines)
}

// formatted answers JSON or, for format=csv, lines.
func formatted(c *call, v any, lines [][]string) reply {
	switch c.query.Get("format") {
	case "", "json":
		return replyJSON(http.StatusOK, v)
	case "csv":
		return replyCSV(lines)
	}
	return replyText(http.StatusBadRequest, "Failed to deserialize query string: unknown format, expected json or csv")
}

func replyCSV(lines [][]string) reply {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.WriteAll(lines) // a bytes.Buffer does not fail
	return reply{status: http.StatusOK, header: http.Header{"Content-Type": {"text/csv; charset=utf-8"}}, body: b.Bytes()}
}

// dataset is a dataset of the spicepod that is served, in the state that it is in.
type dataset struct {
	name, from              string
	accelerated, replicated bool
	state                   Component
}

func (run *running) datasets() []dataset {
	var list []dataset
	for _, m := range run.entries("datasets") {
		name := text(m, "name")
		script := run.script.Datasets[name]
		if script.Missing {
			continue
		}
		list = append(list, dataset{
			name: name, from: text(m, "from"), state: run.component(script),
			accelerated: enabled(m["acceleration"], true), replicated: enabled(m["replication"], false),
		})
	}
	return list
}

// enabled reads the switch of a part of a dataset, which is off where the part is not there.
func enabled(v any, fallback bool) bool {
	m, ok := v.(map[string]any)
	if !ok {
		return false
	}
	if on, given := m["enabled"].(bool); given {
		return on
	}
	return fallback
}

// wireDataset has the last three fields only where the status was asked for; the errors are null then, not
// absent.
type wireDataset struct {
	From                string `json:"from"`
	Name                string `json:"name"`
	ReplicationEnabled  bool   `json:"replication_enabled"`
	AccelerationEnabled bool   `json:"acceleration_enabled"`
}

type wireDatasetStatus struct {
	wireDataset
	Status       string          `json:"status"`
	Error        *ComponentError `json:"error"`
	ErrorMessage *string         `json:"error_message"`
}

// listDatasets does not list views: the runtime does not either.
func listDatasets(_ *state, c *call, run *running) reply {
	list, header := []any{}, []string{"from", "name", "replication_enabled", "acceleration_enabled"}
	withStatus := c.query.Get("status") == "true"
	if withStatus {
		header = append(header, "status", "error_message")
	}
	lines := [][]string{header}
	for _, d := range run.datasets() {
		if source := c.query.Get("source"); source != "" && source != d.from {
			continue
		}
		w := wireDataset{From: d.from, Name: quoted(d.name), ReplicationEnabled: d.replicated, AccelerationEnabled: d.accelerated}
		line := []string{w.From, w.Name, fmt.Sprint(w.ReplicationEnabled), fmt.Sprint(w.AccelerationEnabled)}
		if withStatus {
			list = append(list, wireDatasetStatus{w, d.state.Status, d.state.Error, orNull(d.state.ErrorMessage)})
			line = append(line, d.state.Status, d.state.ErrorMessage)
		} else {
			list = append(list, w)
		}
		lines = append(lines, line)
	}
	return formatted(c, list, lines)
}

var plainName = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

// quoted is a name as SQL wants it: in double quotes where it has upper case, dashes, dots and the like.
func quoted(name string) string {
	if plainName.MatchString(name) {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// model is a model or an embedding of the spicepod that is served.
type model struct {
	name, from string
	datasets   any
	state      Component
}

// models is what a section of the spicepod holds.
func (run *running) models(section string) []model {
	var list []model
	for _, m := range run.entries(section) {
		name := text(m, "name")
		if script := run.script.Models[name]; !script.Missing {
			list = append(list, model{name: name, from: text(m, "from"), datasets: m["datasets"], state: run.component(script)})
		}
	}
	return list
}

// listModels has the workers at its end: they can be used as models.
func listModels(_ *state, c *call, run *running) reply {
	type wireModel struct {
		ID           string  `json:"id"`
		Object       string  `json:"object"`
		OwnedBy      string  `json:"owned_by"`
		Datasets     any     `json:"datasets"`
		Status       *string `json:"status"`
		ErrorMessage string  `json:"error_message,omitempty"`
	}
	list := []wireModel{}
	for _, m := range slices.Concat(run.models("models"), run.models("workers")) {
		owner, _, _ := strings.Cut(m.from, ":")
		w := wireModel{ID: m.name, Object: "model", OwnedBy: owner, Datasets: m.datasets}
		if c.query.Get("status") == "true" {
			w.Status, w.ErrorMessage = orNull(m.state.Status), m.state.ErrorMessage
		}
		list = append(list, w)
	}
	return replyJSON(http.StatusOK, map[string]any{"object": "list", "data": list})
}
