package spiceruntime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Ready tells whether the runtime says that its components are ready. It asks once, for at most 30 s. "Not
// ready" is an answer; every other failure, 5xx of the edge included, is an [*Error].
//
// On Cloud the answer may be the former version's: ready is necessary, and the datasets decide.
func (c *Client) Ready(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	err := c.exchange(ctx, request{method: http.MethodGet, path: "/v1/ready", accept: "*/*"}, func(_ http.Header, body io.Reader) error {
		text, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		if said := plain(text); said != "ready" {
			return fmt.Errorf("expected ready, got %q", said)
		}
		return nil
	})
	if refused, ok := errors.AsType[*Error](err); ok && refused.Status == http.StatusServiceUnavailable && refused.Message == "not ready" {
		return false, nil
	}
	return err == nil, err
}

// State is what the status of a dataset comes to.
type State string

// The states.
const (
	Ready   State = "ready"   // Ready; Refreshing, which still serves; Disabled, which is meant so
	Pending State = "pending" // Initializing, ShuttingDown, and every word that is not known
	Failed  State = "failed"  // Error, which may pass: the runtime goes on trying to load
)

// Dataset is a dataset of the runtime. Views are not listed. Name and From are as the spicepod spells them, since
// they are compared with it, so that whoever prints them cleans them; the other texts are one short line.
type Dataset struct {
	Name         string // without the quotes of SQL, in which the runtime puts names with capitals, dashes or dots
	From         string
	Status       string // the runtime's own word, in the case it uses
	Error        string // the code, such as dataset.auth
	ErrorMessage string
}

// State sorts the status, without regard to case: the documentation and the answers differ in it.
func (d Dataset) State() State {
	switch strings.ToLower(d.Status) {
	case "ready", "refreshing", "disabled":
		return Ready
	case "error":
		return Failed
	}
	return Pending
}

// Datasets lists the datasets with their status, perhaps none. It asks once, for at most 30 s; errors are
// [*Error].
func (c *Client) Datasets(ctx context.Context) ([]Dataset, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var list []struct {
		Name, From, Status string
		Error              json.RawMessage
		ErrorMessage       string `json:"error_message"`
	}
	r := request{method: http.MethodGet, path: "/v1/datasets", query: "?status=true", accept: jsonType}
	err := c.exchange(ctx, r, func(_ http.Header, body io.Reader) error {
		if err := readJSON(body, &list); err != nil {
			return err
		}
		if list == nil {
			return errors.New("expected a list, got null")
		}
		for i, d := range list {
			if d.Name == "" {
				return fmt.Errorf("entry %d of the list has no name", i+1)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	datasets := make([]Dataset, len(list))
	for i, d := range list {
		datasets[i] = Dataset{
			Name: unquote(d.Name), From: d.From, Status: c.line(d.Status, detailLimit),
			Error: c.line(errorCode(d.Error), detailLimit), ErrorMessage: c.line(d.ErrorMessage, textLimit),
		}
	}
	return datasets, nil
}

// errorCode reads {"category", "type", "code"}, or a text.
func errorCode(raw json.RawMessage) string {
	var object struct{ Category, Type, Code string }
	if json.Unmarshal(raw, &object) != nil {
		return words(raw)
	}
	for _, said := range []string{object.Code, object.Type, object.Category} {
		if said != "" {
			return said
		}
	}
	return ""
}

// unquote takes the quotes off a name of SQL, part by part: "Orders-EU" and spice."Or""ders". What is not
// balanced stays as it is.
func unquote(name string) string {
	var b strings.Builder
	for rest := name; ; {
		part, after, quoted := strings.Cut(rest, `"`)
		b.WriteString(part)
		if !quoted {
			return b.String()
		}
		for {
			inner, next, closed := strings.Cut(after, `"`)
			if !closed {
				return name
			}
			b.WriteString(inner)
			if !strings.HasPrefix(next, `"`) {
				rest = next
				break
			}
			b.WriteByte('"')
			after = next[1:]
		}
	}
}
