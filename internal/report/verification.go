package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spicedeploy/spice-deploy/deploy"
	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
)

// mostOfDatasets bounds the outputs and the summary; those that are not well come first where there are more.
const (
	mostOfDatasets = 1000
	mostOfRows     = 200
)

// missing is the status of a dataset that was deployed and that the runtime does not list.
const missing = "missing"

// datasets is what the runtime lists, and what it ought to.
func datasets(r deploy.Result, most int) []spiceruntime.Dataset {
	list := slices.Clone(r.Datasets)
	for _, name := range r.MissingDatasets {
		list = append(list, spiceruntime.Dataset{Name: name, Status: missing})
	}
	if len(list) > most {
		slices.SortStableFunc(list, func(a, b spiceruntime.Dataset) int { return cmp.Compare(urgency(a), urgency(b)) })
		list = list[:most]
	}
	return list
}

// urgency sorts datasets by how much they matter to whoever looks for what is wrong.
func urgency(d spiceruntime.Dataset) int {
	switch {
	case d.State() == spiceruntime.Failed:
		return 0
	case d.Status == missing:
		return 1
	case d.State() == spiceruntime.Pending:
		return 2
	}
	return 3
}

// datasetsJSON is the output datasets, in the shape of the official action.
func datasetsJSON(r deploy.Result) string {
	type dataset struct {
		Name         string `json:"name"`
		Status       string `json:"status"`
		From         string `json:"from,omitempty"`
		Error        string `json:"error,omitempty"`
		ErrorMessage string `json:"error_message,omitempty"`
	}
	list := []dataset{}
	for _, d := range datasets(r, mostOfDatasets) {
		list = append(list, dataset{d.Name, d.Status, d.From, d.Error, d.ErrorMessage})
	}
	return encode(list)
}

// testResultsJSON is the output test-results, in the shape of the official action, with what was asked and what to do
// added.
func testResultsJSON(r deploy.Result) string {
	type result struct {
		Name       string `json:"name"`
		OK         bool   `json:"ok"`
		DurationMS int64  `json:"durationMs"`
		Detail     string `json:"detail,omitempty"`
		Error      string `json:"error,omitempty"`
		Probe      string `json:"probe"`
		Hint       string `json:"hint,omitempty"`
	}
	list := []result{}
	for _, p := range r.Probes {
		list = append(list, result{p.Name, p.OK, p.Duration.Milliseconds(), p.Detail, p.Error, p.Probe, p.Hint})
	}
	return encode(list)
}

// verificationSection shows the datasets, the probes and what the runtime's log says about them.
func verificationSection(b *page, r deploy.Result) {
	if list := datasets(r, mostOfRows); len(list) > 0 {
		b.WriteString("### Datasets\n\n| | dataset | status | from | error |\n| --- | --- | --- | --- | --- |\n")
		for _, d := range list {
			fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", signOf(d), b.code(d.Name), b.text(d.Status), b.code(d.From), b.text(strings.TrimSpace(d.ErrorMessage+" "+d.Error)))
		}
		if more := len(r.Datasets) + len(r.MissingDatasets) - len(list); more > 0 {
			fmt.Fprintf(b, "| | and %d more | | | |\n", more)
		}
		b.WriteString("\n")
	}
	if len(r.Probes) > 0 {
		b.WriteString("### Probes\n\n| | probe | asked | took | found |\n| --- | --- | --- | --- | --- |\n")
		for _, p := range r.Probes[:min(len(r.Probes), mostOfRows)] {
			sign, found := "✅", p.Detail
			if !p.OK {
				sign, found = "❌", p.Error
			}
			fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", sign, p.Name, b.code(p.Probe), p.Duration.Round(time.Millisecond), b.text(found))
		}
		b.WriteString("\n")
	}
	if len(r.RuntimeLog) > 0 {
		fmt.Fprintf(b, "### What the runtime's log says\n\n%s\n\n", b.fenced("", b.cover(strings.Join(r.RuntimeLog, "\n"))))
	}
}

func signOf(d spiceruntime.Dataset) string {
	switch {
	case d.State() == spiceruntime.Ready:
		return "✅"
	case d.State() == spiceruntime.Failed, d.Status == missing:
		return "❌"
	}
	return "⏳"
}
