package deploy

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
)

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
	explains := telling(failing)
	for _, instance := range list[:min(len(list), instances)] {
		log, err := v.Cloud.InstanceLog(ctx, v.result.App.ID, instance.Name, tail)
		if err != nil {
			v.info(PhaseVerify, "the log of instance %s could not be read: %s", shown(instance.Name), err)
			continue
		}
		var found []string
		for _, line := range log {
			if explains.MatchString(line) && !slices.Contains(found, line) {
				found = append(found, line)
			}
		}
		for _, line := range found[max(0, len(found)-most):] {
			v.result.RuntimeLog = append(v.result.RuntimeLog, line)
			v.info(PhaseVerify, "instance %s says: %s", shown(instance.Name), line)
		}
		if len(found) > 0 {
			return // the newest that says something is the new version's
		}
	}
}

// telling matches the lines of a log that explain why something does not work: those that say so, and those that
// name a dataset in error.
func telling(failing []spiceruntime.Dataset) *regexp.Regexp {
	const (
		signs   = `✗|failed|error|panic|could not|unable to|denied|refused|timed out`
		most    = 20 // of the names: such a line mostly has one of the signs as well
		longest = 200
	)
	var names strings.Builder
	for _, d := range failing[:min(len(failing), most)] {
		if len(d.Name) <= longest {
			names.WriteString(`|(^|\W)` + regexp.QuoteMeta(d.Name) + `(\W|$)`)
		}
	}
	return regexp.MustCompile(`(?i)` + signs + names.String())
}
