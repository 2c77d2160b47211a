package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
)

// watchOfDatasets is what is known of the datasets at one look after another.
type watchOfDatasets struct {
	*verification

	differs []string               // what tells that the list is not the new version's
	tells   map[string]string      // the same of each that is listed, by its folded name
	waiting []string               // datasets that are not ready
	failing []spiceruntime.Dataset // datasets that are in error
	since   map[string]time.Time   // since when each is in error
	told    map[string]string      // the last status that the log showed of each
}

// checkDatasets waits until every dataset that was deployed is there, from where it was declared, and ready. That is
// also how the new version is told from the former one. What fails here is always a failure of the run.
func (v *verification) checkDatasets(ctx context.Context) error {
	if !v.checksDatasets() {
		return nil
	}
	defer v.span(SpanDatasets)()
	limit := v.Options.DatasetReadyTimeout
	w := &watchOfDatasets{verification: v, since: map[string]time.Time{}, told: map[string]string{}}
	failure, err := v.watch(ctx, limit, "the runtime to list its datasets", w.look)
	switch {
	case err == nil:
		v.info(PhaseVerify, "%s", v.served())
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case lasting(failure):
		return v.noRuntime(failure, true)
	}
	v.explain(ctx, w.failing)
	return w.verdict(limit, failure)
}

// sameDatasets is said where nothing tells the new version from the former one.
const sameDatasets = "whether the new version answers cannot be told, since its datasets are not known to differ in name or from"

// served is what the datasets have proven.
func (v *verification) served() string {
	text := counted(len(v.declared), "dataset") + " ready"
	switch {
	case v.result.Verify: // there is no former version to be told from
		return text
	case v.alike:
		return text + "; " + sameDatasets
	case len(v.declared) == 0:
		text = "the removed datasets are gone"
	}
	return "the new version is served: " + text
}

// errorGrace is for how long a dataset may be in error: the runtime goes on trying to load it, and a source that is
// slow to start is there at the next attempt. It is what Spice AI's own guidance waits for on a new instance.
const errorGrace = 75 * time.Second

// look is one look at the datasets. It ends the watch when all is well, and when nothing will change any more.
func (w *watchOfDatasets) look(ctx context.Context) (done bool, err error) {
	list, err := w.runtime.Datasets(ctx)
	if err != nil {
		return false, err
	}
	w.compare(list)
	list = worst(list)
	w.result.Datasets = listed(list, w.tells)
	w.judge(list)
	if len(w.differs) > 0 {
		w.since = map[string]time.Time{} // an error of the former version takes nothing from the grace of the new one
		if text := "not the new version yet: " + some(w.differs); w.news(text) {
			w.info(PhaseVerify, "%s", text)
		}
		return false, nil
	}
	w.tell(list)
	for _, d := range w.failing {
		if time.Since(w.since[d.Name]) >= errorGrace {
			return false, errWindow
		}
	}
	return len(w.failing)+len(w.waiting) == 0, nil
}

// compare notes what tells the list from that of the new version.
func (w *watchOfDatasets) compare(list []spiceruntime.Dataset) {
	w.differs, w.tells, w.result.MissingDatasets = nil, map[string]string{}, nil
	differs := func(name, why string) {
		w.differs, w.tells[fold(name)] = append(w.differs, shown(name)+" "+why), why
	}
	exact, folded := map[string][]string{}, map[string][]string{} // the froms under a name
	for _, d := range list {
		name := fold(d.Name)
		if w.gone[name] && folded[name] == nil {
			differs(d.Name, "was removed and is still served")
		}
		exact[d.Name], folded[name] = append(exact[d.Name], d.From), append(folded[name], d.From)
	}
	for _, want := range w.declared {
		froms := exact[want.Name] // in quotes, two names may differ in case alone
		if froms == nil {
			froms = folded[fold(want.Name)]
		}
		if froms == nil {
			w.differs = append(w.differs, shown(want.Name)+" is missing")
			w.result.MissingDatasets = append(w.result.MissingDatasets, shown(want.Name))
			continue
		}
		other := slices.IndexFunc(froms, func(from string) bool { return want.From != "" && !sameSource(want.From, from) })
		switch {
		case other < 0:
		case froms[other] == "":
			differs(want.Name, "is listed without a from instead of with "+shown(want.From))
		default:
			differs(want.Name, fmt.Sprintf("comes from %s instead of %s", shown(froms[other]), shown(want.From)))
		}
	}
}

// sameSource compares two froms. A slash at the end makes no difference to where they lead.
func sameSource(a, b string) bool { return strings.TrimRight(a, "/") == strings.TrimRight(b, "/") }

// worst is the list with each name once, in the worst state that it is listed in.
func worst(list []spiceruntime.Dataset) []spiceruntime.Dataset {
	rank := map[spiceruntime.State]int{spiceruntime.Ready: 0, spiceruntime.Pending: 1, spiceruntime.Failed: 2}
	var once []spiceruntime.Dataset
	at := make(map[string]int, len(list))
	for _, d := range list {
		i, known := at[d.Name]
		switch {
		case !known:
			at[d.Name] = len(once)
			once = append(once, d)
		case rank[d.State()] > rank[once[i].State()]:
			once[i] = d
		}
	}
	return once
}

// judge sorts the datasets that are not ready, those of other spicepods too.
func (w *watchOfDatasets) judge(list []spiceruntime.Dataset) {
	w.waiting, w.failing = nil, nil
	for _, d := range list {
		switch d.State() {
		case spiceruntime.Failed:
			w.failing = append(w.failing, d)
			if w.since[d.Name].IsZero() {
				w.since[d.Name] = time.Now()
			}
			continue
		case spiceruntime.Pending:
			w.waiting = append(w.waiting, inWords(d))
		}
		delete(w.since, d.Name)
	}
}

// tell logs each dataset whose status is news, of as many as can be read.
func (w *watchOfDatasets) tell(list []spiceruntime.Dataset) {
	const most = 50
	for _, d := range list {
		before, known := w.told[d.Name]
		if !known && len(w.told) >= most {
			if w.news("further datasets") {
				w.info(PhaseVerify, "there are %d datasets; those beyond the first %d are not shown here", len(list), most)
			}
			continue
		}
		status := d.Status + d.Error
		if d.State() == spiceruntime.Ready {
			status = "" // Ready and Refreshing take turns, which is no news
		}
		if !known || status != before {
			w.told[d.Name] = status
			w.info(PhaseVerify, "dataset %s", inWords(d))
		}
	}
}

// verdict says what the last look showed, when time was up. The failure is why it showed nothing.
func (w *watchOfDatasets) verdict(limit time.Duration, failure error) error {
	cause, option := diag.RuntimeNotReady, "dataset-ready-timeout-seconds"
	var err error
	switch {
	case failure != nil:
		cause = w.silence()
		err = fmt.Errorf("the runtime did not list its datasets within %s: %w", limit, failure)
	case len(w.result.Datasets) == 0:
		err = fmt.Errorf("the runtime lists no datasets after %s: %s", limit, some(w.differs))
	case len(w.differs) > 0:
		cause, err = diag.FormerVersionServed, fmt.Errorf("the former version is still served after %s: %s", limit, some(w.differs))
	case len(w.failing) > 0:
		said := make([]string, len(w.failing))
		for i, d := range w.failing {
			said[i] = inWords(d)
		}
		cause, err = diag.DatasetFailed, errors.New(counted(len(said), "dataset")+" failed: "+some(said))
	default:
		err = fmt.Errorf("not all datasets were ready within %s: %s", limit, some(w.waiting))
	}
	return w.unproven(cause, true, err, "option", option)
}

// inWords is a dataset with its status and what is wrong with it.
func inWords(d spiceruntime.Dataset) string {
	text := shown(d.Name) + " is " + cmp.Or(d.Status, "without a status")
	switch {
	case d.ErrorMessage != "" && d.Error != "":
		return text + ": " + d.ErrorMessage + " (" + d.Error + ")"
	case d.ErrorMessage+d.Error != "":
		return text + ": " + d.ErrorMessage + d.Error
	}
	return text
}

// fold is a name as it is compared: SQL does not tell case apart unless it is quoted.
func fold(name string) string { return strings.ToLower(name) }

// some is the first of many things in one line.
func some(things []string) string {
	const most = 5
	if len(things) <= most {
		return strings.Join(things, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(things[:most], "; "), len(things)-most)
}
