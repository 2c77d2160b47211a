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
func datasetsJSON(r deploy.Result) jsonList {
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
	return list
}

// testResultsJSON is the output test-results, in the shape of the official action, with what was asked and what to do
// added.
func testResultsJSON(r deploy.Result) jsonList {
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
	return list
}

// LeftOut says which lists of the outputs are not whole, since not all of their entries have room.
func LeftOut(r deploy.Result) []string {
	var said []string
	for _, output := range []struct {
		name string
		list jsonList
	}{{"test-results", testResultsJSON(r)}, {"datasets", datasetsJSON(r)}} {
		if output.list.left > 0 {
			said = append(said, fmt.Sprintf("%d of %d entries have no room in the output %s and are left out", output.list.left, output.list.all, output.name))
		}
	}
	return said
}

// jsonList is a JSON array of at most mostOfList bytes. An entry that does not fit any more is left out, and never
// cut: a secret is not recognised by its half.
type jsonList struct {
	entries   []string
	size      int // of the entries with their commas
	all, left int // how many there are, and how many of them are left out
}

func (l *jsonList) add(entry any) {
	text := encode(entry)
	l.all++
	if l.size+len(text)+len("[,]") > mostOfList {
		l.left++
		return
	}
	l.size += len(text) + len(",")
	l.entries = append(l.entries, text)
}

func (l jsonList) String() string { return "[" + strings.Join(l.entries, ",") + "]" }

// verificationSection shows the datasets, the probes and what the runtime's log says about them.
func verificationSection(b *page, r deploy.Result) {
	datasetsSection(b, r)
	probesSection(b, r)
	for _, said := range LeftOut(r) {
		fmt.Fprintf(b, "%s.\n\n", said)
	}
	if len(r.RuntimeLog) > 0 {
		fmt.Fprintf(b, "### What the runtime's log says\n\n%s\n\n", b.fenced("", cut(b.cover(strings.Join(r.RuntimeLog, "\n")), mostOfLog)))
	}
}

// openRows is how many datasets are shown at once; of more, those that are well are folded away.
const openRows = 12

func datasetsSection(b *page, r deploy.Result) {
	list := datasets(r)
	if len(list) == 0 {
		return
	}
	var well, unwell [][]string
	for _, d := range list {
		row := []string{signOf(d), b.code(d.Name), b.text(d.Status), b.code(d.From), b.text(errorOf(d))}
		if d.State() == spiceruntime.Ready {
			well = append(well, row)
		} else {
			unwell = append(unwell, row)
		}
	}
	fmt.Fprintf(b, "### Datasets: %d of %d ready\n\n", len(well), len(list))
	head := []string{"", "dataset", "status", "from", "error"}
	if len(list) <= openRows {
		table(b, head, append(unwell, well...))
		return
	}
	if len(unwell) > 0 {
		table(b, head, unwell)
	}
	part := &page{cover: b.cover}
	table(part, head, well)
	if len(well) > 0 {
		b.details(fmt.Sprintf("%d ready", len(well)), part.String(), false)
	}
}

func probesSection(b *page, r deploy.Result) {
	if len(r.Probes) == 0 {
		return
	}
	var rows [][]string
	passed := 0
	for _, p := range r.Probes {
		sign, found := "❌", p.Error
		if p.OK {
			sign, found = "✅", p.Detail
			passed++
		}
		rows = append(rows, []string{sign, p.Name, b.code(p.Probe), p.Duration.Round(time.Millisecond).String(), b.text(found), b.prose(p.Hint)})
	}
	fmt.Fprintf(b, "### Probes: %d of %d passed\n\n", passed, len(rows))
	table(b, []string{"", "probe", "asked", "took", "found", "what to do"}, rows)
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

// errorOf is what the runtime says about a dataset, and its code for that.
func errorOf(d spiceruntime.Dataset) string {
	if d.ErrorMessage != "" && d.Error != "" {
		return d.ErrorMessage + " (" + d.Error + ")"
	}
	return d.ErrorMessage + d.Error
}
