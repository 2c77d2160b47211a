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

// errorGrace is for how long a dataset may be in error: the runtime goes on trying to load it, and a source that is
// slow to start is there at the next attempt. It is what Spice AI's own guidance waits for on a new instance.
const errorGrace = 75 * time.Second

// watchOfDatasets is what is known of the datasets at one look after another.
type watchOfDatasets struct {
	*verification

	refused forbearance
	last    error                  // why the last look saw nothing, nil where it did
	differs []string               // what tells that the list is not the new version's
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
	w := &watchOfDatasets{
		verification: v, refused: forbearance{limit: v.refusals()}, since: map[string]time.Time{}, told: map[string]string{},
	}
	_, err := v.watch(ctx, limit, w.look)
	switch {
	case err == nil:
		v.info(PhaseVerify, "the new version is served: %s ready", counted(len(v.declared), "dataset"))
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case isRefused(err):
		return v.unproven(diag.RuntimeRefused, true, fmt.Errorf("the runtime refuses to be asked: %w", err))
	}
	v.explain(ctx, w.failing)
	return w.verdict(limit)
}

// look is one look at the datasets. It ends the watch when all is well, and when nothing will change any more.
func (w *watchOfDatasets) look(ctx context.Context) (done bool, err error) {
	list, err := w.runtime.Datasets(ctx)
	if ctx.Err() != nil {
		return false, nil
	}
	w.last = err
	if err != nil {
		w.waitingFor("the runtime to list its datasets", err)
		return false, w.refused.bear(err)
	}
	w.refused.since = time.Time{}
	w.result.Datasets = list
	w.compare(list)
	w.judge(list)
	w.tell(list)
	if len(w.differs) > 0 {
		return false, nil
	}
	for _, d := range w.failing {
		if time.Since(w.since[d.Name]) >= errorGrace {
			return false, errWindow // it has had its time
		}
	}
	return len(w.failing)+len(w.waiting) == 0, nil
}

// compare notes what tells the list from that of the new version.
func (w *watchOfDatasets) compare(list []spiceruntime.Dataset) {
	w.differs, w.result.MissingDatasets = nil, nil
	served := make(map[string]spiceruntime.Dataset, len(list))
	for _, d := range list {
		served[fold(d.Name)] = d
		if w.gone[fold(d.Name)] {
			w.differs = append(w.differs, fmt.Sprintf("%s is still there and was removed", d.Name))
		}
	}
	for _, want := range w.declared {
		got, there := served[fold(want.Name)]
		switch {
		case !there:
			w.differs = append(w.differs, want.Name+" is missing")
			w.result.MissingDatasets = append(w.result.MissingDatasets, want.Name)
		case want.From != "" && got.From != "" && strings.TrimRight(want.From, "/") != strings.TrimRight(got.From, "/"):
			w.differs = append(w.differs, fmt.Sprintf("%s comes from %s instead of %s", want.Name, got.From, want.From))
		}
	}
}

// judge sorts the datasets that are not ready, those of other spicepods too.
func (w *watchOfDatasets) judge(list []spiceruntime.Dataset) {
	w.waiting, w.failing = nil, nil
	for _, d := range list {
		switch d.State() {
		case spiceruntime.Pending:
			w.waiting = append(w.waiting, fmt.Sprintf("%s is %s", d.Name, cmp.Or(d.Status, "without a status")))
		case spiceruntime.Failed:
			w.failing = append(w.failing, d)
			if w.since[d.Name].IsZero() {
				w.since[d.Name] = time.Now()
			}
			continue
		}
		delete(w.since, d.Name)
	}
}

// tell logs each dataset whose status is news, up to a number that can be read.
func (w *watchOfDatasets) tell(list []spiceruntime.Dataset) {
	const most = 50
	if len(w.differs) > 0 {
		if text := "not the new version yet: " + some(w.differs); w.news(text) {
			w.info(PhaseVerify, "%s", text)
		}
		return
	}
	for _, d := range list {
		status := d.Status + d.Error
		if w.told[d.Name] == status {
			continue
		}
		w.told[d.Name] = status
		if len(w.told) > most {
			if w.news("further datasets") {
				w.info(PhaseVerify, "further datasets are in the output datasets")
			}
			return
		}
		w.info(PhaseVerify, "dataset %s", inWords(d))
	}
}

// verdict says what the last look showed, when time was up.
func (w *watchOfDatasets) verdict(limit time.Duration) error {
	switch {
	case w.last != nil:
		return w.unproven(diag.RuntimeNotReady, true, fmt.Errorf("the runtime did not list its datasets within %s: %w", limit, w.last), "option", "dataset-ready-timeout-seconds")
	case len(w.result.Datasets) == 0 && len(w.differs) > 0:
		return w.unproven(diag.RuntimeNotReady, true, fmt.Errorf("the runtime lists no datasets after %s: %s", limit, some(w.differs)), "option", "dataset-ready-timeout-seconds")
	case len(w.differs) > 0:
		return w.unproven(diag.FormerVersionServed, true, fmt.Errorf("the former version is still served after %s: %s", limit, some(w.differs)))
	case len(w.failing) > 0:
		said := make([]string, len(w.failing))
		for i, d := range w.failing {
			said[i] = inWords(d)
		}
		return w.unproven(diag.DatasetFailed, true, errors.New(counted(len(said), "dataset")+" failed: "+some(said)))
	}
	return w.unproven(diag.RuntimeNotReady, true, fmt.Errorf("not all datasets were ready within %s: %s", limit, some(w.waiting)), "option", "dataset-ready-timeout-seconds")
}

// inWords is a dataset with its status and what is wrong with it.
func inWords(d spiceruntime.Dataset) string {
	text := d.Name + " is " + cmp.Or(d.Status, "without a status")
	switch {
	case d.ErrorMessage != "" && d.Error != "":
		return text + ": " + d.ErrorMessage + " (" + d.Error + ")"
	case d.ErrorMessage+d.Error != "":
		return text + ": " + d.ErrorMessage + d.Error
	}
	return text
}

// some is the first of many things in one line.
func some(things []string) string {
	const most = 5
	if len(things) <= most {
		return strings.Join(things, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(things[:most], "; "), len(things)-most)
}

// explain looks into the logs of the instances for what the verdict does not say. It is worth a few seconds and no
// failure.
func (v *verification) explain(ctx context.Context, failing []spiceruntime.Dataset) {
	const (
		patience  = 10 * time.Second
		instances = 3
		tail      = 100
		most      = 10
	)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	list, err := v.Cloud.Instances(ctx, v.result.App.ID)
	if err != nil {
		v.info(PhaseVerify, "the logs of the instances could not be read: %s", err)
		return
	}
	for _, instance := range list[:min(len(list), instances)] {
		log, err := v.Cloud.InstanceLog(ctx, v.result.App.ID, instance.Name, tail)
		if err != nil {
			v.info(PhaseVerify, "the log of instance %s could not be read: %s", instance.Name, err)
			continue
		}
		found := telling(log, failing)
		for _, line := range found[max(0, len(found)-most):] {
			v.result.RuntimeLog = append(v.result.RuntimeLog, line)
			v.info(PhaseVerify, "instance %s says: %s", instance.Name, line)
		}
		if len(found) > 0 {
			return // the newest that says something is the new version's
		}
	}
}

// telling are the lines of a log that explain why something does not work, each once.
func telling(log []string, failing []spiceruntime.Dataset) []string {
	signs := []string{"✗", "failed", "error", "panic", "could not", "unable to", "denied", "refused", "timed out"}
	var found []string
	for _, line := range log {
		low := strings.ToLower(line)
		explains := slices.ContainsFunc(signs, func(sign string) bool { return strings.Contains(low, sign) }) ||
			slices.ContainsFunc(failing, func(d spiceruntime.Dataset) bool { return strings.Contains(low, fold(d.Name)) })
		if explains && !slices.Contains(found, line) {
			found = append(found, line)
		}
	}
	return found
}
