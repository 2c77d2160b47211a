package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// Runtime is how the data plane of an app behaves. The first that is given counts, as a whole: that of the
// deployment which is served (Outcome.Runtime), that of the app, that of the scenario. The zero value is a
// runtime that serves a new spicepod at once, with everything in it ready.
type Runtime struct {
	// Gap is how long a deployment that has just succeeded is not reachable yet: a proxy's 502 for everything.
	Gap time.Duration `yaml:"gap"`
	// ReadyAfter is how long from there the runtime is not ready and its datasets and models are Initializing.
	ReadyAfter time.Duration `yaml:"ready_after"`
	// ServesOld keeps what was served before in place although the deployment succeeded: a rollout that hangs.
	// Where nothing was served before, it has no effect.
	ServesOld bool `yaml:"serves_old"`

	Datasets map[string]Component `yaml:"datasets"` // by their names in the spicepod
	Models   map[string]Component `yaml:"models"`   // and embeddings, by their names in the spicepod

	// What the runtime answers, in the order of these lists: the first that matches. Where none does, the answer
	// is made up.
	SQL    []SQLAnswer    `yaml:"sql"`
	NSQL   []NSQLAnswer   `yaml:"nsql"`
	Chat   []ChatAnswer   `yaml:"chat"`
	Search []SearchAnswer `yaml:"search"`
	MCP    MCP            `yaml:"mcp"`
}

// Component is the state of a dataset, a model or an embedding. The runtime is not ready while a model or an
// embedding is in Error; the state of a dataset shows in the list of datasets and in queries alone.
type Component struct {
	// Status is served as it is: Initializing, Ready, Disabled, Error, Refreshing, ShuttingDown, or any other
	// word. Empty means Initializing until ReadyAfter, then Ready.
	Status       string          `yaml:"status"`
	For          time.Duration   `yaml:"for"`   // from the moment that the deployment is served; 0: for ever
	Error        *ComponentError `yaml:"error"` // with the status Error; null when nil
	ErrorMessage string          `yaml:"error_message"`
	Missing      bool            `yaml:"missing"` // it is in the spicepod and the runtime does not know it
}

// ComponentError classifies an error. The runtime documents codes such as dataset.auth.
type ComponentError struct {
	Category string `yaml:"category" json:"category"`
	Type     string `yaml:"type" json:"type"`
	Code     string `yaml:"code" json:"code"`
}

// When says which requests an answer is for, every one unless Match or Exact is given, and whether it is a
// refusal: it is with an Error, or with a Status from 400.
type When struct {
	Match  string `yaml:"match"` // a part of the request's text, ignoring case
	Exact  string `yaml:"exact"` // the whole text but for blanks around it and a semicolon at its end
	Status int    `yaml:"status"`
	Error  string `yaml:"error"` // the text of the refusal
}

// Row is a row of a result, or an entry of a search's. Its members are served in the order of the alphabet.
type Row map[string]any

// SQLAnswer is the answer to a query: rows, or a refusal with the status 400 unless another is given.
type SQLAnswer struct {
	When `yaml:",inline"`
	Rows []Row `yaml:"rows"`
}

// NSQLAnswer is the answer to a question: the query that was generated and its rows, or a refusal, 500.
type NSQLAnswer struct {
	When `yaml:",inline"`
	SQL  string `yaml:"sql"`
	Rows []Row  `yaml:"rows"`
}

// ChatAnswer is what a model says to the last message, or a refusal, 500.
type ChatAnswer struct {
	When `yaml:",inline"`
	Text string `yaml:"text"` // it may be empty
}

// SearchAnswer is what a search finds, or a refusal, 400.
type SearchAnswer struct {
	When    `yaml:",inline"`
	Results []Row `yaml:"results"`
}

// MCP is how /v1/mcp behaves.
type MCP struct {
	SSE        bool            `yaml:"sse"`         // answers are event streams, with other frames before the answer
	LoseEvery  int             `yaml:"lose_every"`  // every n-th tools/list or tools/call finds its session gone: 404
	RefuseHost bool            `yaml:"refuse_host"` // 403 unless the spicepod's runtime.mcp.allowed_hosts has "*"
	Tools      map[string]Tool `yaml:"tools"`       // in addition to the runtime's own, or in their place
}

// Tool is the result of a tool.
type Tool struct {
	Text    string `yaml:"text"`
	IsError bool   `yaml:"is_error"` // the tool failed
	Error   string `yaml:"error"`    // the call is refused with a JSON-RPC error of this message
}

// UnmarshalYAML keeps of YAML what JSON can hold.
func (r *Row) UnmarshalYAML(node *yaml.Node) error {
	m := map[string]any{}
	if err := node.Load(&m); err != nil {
		return err
	}
	jsonable(m)
	*r = m
	return nil
}

// answers tells whether an answer is for a text.
func (w When) answers(text string) bool {
	if w.Exact != "" {
		return plainQuery(w.Exact) == plainQuery(text)
	}
	return strings.Contains(strings.ToLower(text), strings.ToLower(w.Match))
}

// plainQuery is a query without what stands around it.
func plainQuery(text string) string {
	return strings.TrimSpace(strings.TrimRight(strings.TrimSpace(text), ";"))
}

// refuses returns the refusal, if it is one. An answer whose status says success is none.
func (w When) refuses(fallback int) (status int, message string, refused bool) {
	switch {
	case w.Status >= http.StatusBadRequest:
		status = w.Status
	case w.Error != "":
		status = fallback
	default:
		return 0, "", false
	}
	if w.Error == "" {
		return status, "Emulated refusal", true
	}
	return status, w.Error, true
}

// problems is everything that is wrong with a script by itself; where says where it stands.
func (r *Runtime) problems(where string) error {
	if r == nil {
		return nil
	}
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(where+"."+format, args...)) }
	for name, d := range map[string]time.Duration{"gap": r.Gap, "ready_after": r.ReadyAfter} {
		if d < 0 {
			fail("%s: must not be negative, got %s", name, d)
		}
	}
	for kind, components := range map[string]map[string]Component{"datasets": r.Datasets, "models": r.Models} {
		for _, name := range slices.Sorted(maps.Keys(components)) {
			c := components[name]
			if c.For < 0 {
				fail("%s.%s.for: must not be negative, got %s", kind, name, c.For)
			}
			if c.Status == "" && (c.For != 0 || c.Error != nil || c.ErrorMessage != "") {
				fail("%s.%s.status: needed for the other fields to mean something", kind, name)
			}
		}
	}
	if r.MCP.LoseEvery < 0 {
		fail("mcp.lose_every: must not be negative, got %d", r.MCP.LoseEvery)
	}
	check := func(name string, i int, w When, rows []Row) {
		if err := w.problem(rows); err != nil {
			fail("%s[%d].%w", name, i, err)
		}
	}
	for i, a := range r.SQL {
		check("sql", i, a.When, a.Rows)
	}
	for i, a := range r.NSQL {
		check("nsql", i, a.When, a.Rows)
	}
	for i, a := range r.Chat {
		check("chat", i, a.When, nil)
	}
	for i, a := range r.Search {
		check("search", i, a.When, a.Results)
	}
	return errors.Join(errs...)
}

func (w When) problem(rows []Row) error {
	switch {
	case w.Match != "" && w.Exact != "":
		return errors.New("exact: give either match or exact")
	case w.Status != 0 && w.Status != http.StatusOK && (w.Status < 400 || w.Status > 599):
		return fmt.Errorf("status: expected 200 or 400 to 599, got %d", w.Status)
	case w.Error != "" && w.Status == http.StatusOK:
		return errors.New("error: a refusal cannot have the status 200")
	}
	for i, row := range rows {
		if _, err := json.Marshal(row); err != nil {
			return fmt.Errorf("rows[%d]: %w", i, err)
		}
	}
	return nil
}
