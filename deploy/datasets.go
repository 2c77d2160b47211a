package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
)

// watchOfDatasets is what is known of the datasets at one look after another.
type watchOfDatasets struct {
	*verification

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
	w := &watchOfDatasets{verification: v, since: map[string]time.Time{}, told: map[string]string{}}
	failure, err := v.watch(ctx, limit, "the runtime to list its datasets", w.look)
	switch {
	case err == nil:
		v.info(PhaseVerify, "the new version is served: %s ready", counted(len(v.declared), "dataset"))
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case isRefused(failure):
		return v.unproven(diag.RuntimeRefused, true, fmt.Errorf("the runtime refuses to be asked: %w", failure))
	}
	v.explain(ctx, w.failing)
	return w.verdict(limit, failure)
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
	w.result.Datasets = list
	w.compare(list)
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
	w.differs, w.result.MissingDatasets = nil, nil
	served := make(map[string]spiceruntime.Dataset, len(list))
	for _, d := range list {
		served[fold(d.Name)] = d
		if w.gone[fold(d.Name)] {
			w.differs = append(w.differs, shown(d.Name)+" is still there and was removed")
		}
	}
	for _, d := range list {
		served[d.Name] = d // in quotes, two names may differ in case alone
	}
	for _, want := range w.declared {
		got, there := served[want.Name]
		if !there {
			got, there = served[fold(want.Name)]
		}
		switch {
		case !there:
			w.differs = append(w.differs, shown(want.Name)+" is missing")
			w.result.MissingDatasets = append(w.result.MissingDatasets, want.Name)
		case want.From != "" && got.From != "" && strings.TrimRight(want.From, "/") != strings.TrimRight(got.From, "/"):
			w.differs = append(w.differs, fmt.Sprintf("%s comes from %s instead of %s", shown(want.Name), shown(got.From), shown(want.From)))
		}
	}
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
				w.info(PhaseVerify, "there are %d datasets; those that are not shown here are in the output datasets", len(list))
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

var userPart = regexp.MustCompile(`://[^/?#]*@`)

// shown is a name or a from of a dataset as a line can hold it: short, without control characters and without the
// user part of a URL.
func shown(name string) string {
	quoted := strconv.Quote(userPart.ReplaceAllString(name, "://***@"))
	return fmt.Sprintf("%.200s", quoted[1:len(quoted)-1])
}

// some is the first of many things in one line.
func some(things []string) string {
	const most = 5
	if len(things) <= most {
		return strings.Join(things, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(things[:most], "; "), len(things)-most)
}
