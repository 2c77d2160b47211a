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

// Bounds in bytes, as GitHub's limits are, whatever the names and errors are like; the last one is a bound of what
// can be read.
const (
	mostOfList  = 192 << 10
	mostOfTable = 256 << 10
	mostOfLog   = 16 << 10
	mostOfRows  = 200
)

// missing is the status of a dataset that was deployed and that the runtime does not list.
const missing = "missing"

// datasets is what the runtime lists, and what it ought to; those that are not well come first where there are many.
func datasets(r deploy.Result) []spiceruntime.Dataset {
	list := slices.Clone(r.Datasets)
	for _, name := range r.MissingDatasets {
		list = append(list, spiceruntime.Dataset{Name: name, Status: missing})
	}
	if len(list) > mostOfRows {
		slices.SortStableFunc(list, func(a, b spiceruntime.Dataset) int { return cmp.Compare(urgency(a), urgency(b)) })
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
	var list jsonList
	for _, d := range datasets(r) {
		list.add(dataset{d.Name, d.Status, d.From, d.Error, d.ErrorMessage})
	}
	return list.String()
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
	var list jsonList
	for _, p := range r.Probes {
		list.add(result{p.Name, p.OK, p.Duration.Milliseconds(), p.Detail, p.Error, p.Probe, p.Hint})
	}
	return list.String()
}

// jsonList is a JSON array of at most mostOfList bytes. An entry that does not fit any more is left out, and never
// cut: a secret is not recognised by its half.
type jsonList struct{ entries strings.Builder }

func (l *jsonList) add(entry any) {
	text := encode(entry)
	if l.entries.Len()+len(text)+len("[,]") > mostOfList {
		return
	}
	if l.entries.Len() > 0 {
		l.entries.WriteByte(',')
	}
	l.entries.WriteString(text)
}

func (l *jsonList) String() string { return "[" + l.entries.String() + "]" }

// verificationSection shows the datasets, the probes and what the runtime's log says about them.
func verificationSection(b *page, r deploy.Result) {
	if list := datasets(r); len(list) > 0 {
		b.WriteString("### Datasets\n\n| | dataset | status | from | error |\n| --- | --- | --- | --- | --- |\n")
		table(b, list, func(d spiceruntime.Dataset) string {
			said := strings.TrimSpace(d.ErrorMessage + " " + d.Error)
			return fmt.Sprintf("| %s | %s | %s | %s | %s |\n", signOf(d), b.code(d.Name), b.text(d.Status), b.code(d.From), b.text(said))
		})
	}
	if len(r.Probes) > 0 {
		b.WriteString("### Probes\n\n| | probe | asked | took | found |\n| --- | --- | --- | --- | --- |\n")
		table(b, r.Probes, func(p deploy.ProbeResult) string {
			sign, found := "✅", p.Detail
			if !p.OK {
				sign, found = "❌", p.Error
			}
			return fmt.Sprintf("| %s | %s | %s | %s | %s |\n", sign, p.Name, b.code(p.Probe), p.Duration.Round(time.Millisecond), b.text(found))
		})
	}
	if len(r.RuntimeLog) > 0 {
		fmt.Fprintf(b, "### What the runtime's log says\n\n%s\n\n", b.fenced("", cut(b.cover(strings.Join(r.RuntimeLog, "\n")), mostOfLog)))
	}
}

// table writes the rows of a table of five columns, as many as can be read and have room.
func table[T any](b *page, list []T, row func(T) string) {
	shown, room := 0, mostOfTable
	for _, entry := range list[:min(len(list), mostOfRows)] {
		text := row(entry)
		if len(text) > room {
			continue // one without measure, behind which others may be in order
		}
		b.WriteString(text)
		shown, room = shown+1, room-len(text)
	}
	if more := len(list) - shown; more > 0 {
		fmt.Fprintf(b, "| | and %d more | | | |\n", more)
	}
	b.WriteString("\n")
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
