package deploy

import (
	"github.com/spicedeploy/spice-deploy/internal/remote"
	"github.com/spicedeploy/spice-deploy/internal/spicepod"
	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
)

// formerStatus is the status of a dataset that is the former version's. How that one does says nothing of the new one.
const formerStatus = "former"

// listed is what the runtime listed, as a report can hold it. What tells a dataset to be the former version's, by its
// folded name, is in the place of what the runtime says of it.
func listed(list []spiceruntime.Dataset, tells map[string]string) []spiceruntime.Dataset {
	out := make([]spiceruntime.Dataset, len(list))
	for i, d := range list {
		if why := tells[fold(d.Name)]; why != "" {
			d.Status, d.Error, d.ErrorMessage = formerStatus, "", why
		}
		d.Name, d.From = shown(d.Name), shown(d.From)
		out[i] = d
	}
	return out
}

// shown is a name or a from of a dataset as a line can hold it: short, without control characters and without the
// user part of a URL.
func shown(name string) string { return remote.OneLine(spicepod.HideInText(name), 200) }
