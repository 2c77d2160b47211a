package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
	"github.com/spicedeploy/spice-deploy/internal/spicepod"
	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
)

// Runtime is what a verification asks of the runtime of an app.
type Runtime interface {
	Ready(ctx context.Context) (bool, error)
	Datasets(ctx context.Context) ([]spiceruntime.Dataset, error)
	Run(ctx context.Context, probe spiceruntime.Probe) spiceruntime.Outcome
}

// Access is what a verification asks of Spice Cloud: the way to the runtime, and what explains its failures.
type Access interface {
	APIKeys(ctx context.Context, appID int64) ([]redact.Secret, error)
	Instances(ctx context.Context, appID int64) ([]spicecloud.Instance, error)
	InstanceLog(ctx context.Context, appID int64, instance string, tail int) ([]string, error)
}

// connect finds the runtime of the app and a key to it, and what it ought to serve.
func (v *verification) connect(ctx context.Context) error {
	app, keys, err := v.readAccess(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	v.deployed(app)
	if err == nil {
		v.runtime, err = v.runtimeOf(app, keys)
	}
	if err != nil {
		err = fmt.Errorf("the runtime of app %q cannot be asked: %w", v.result.App.Name, err)
		return v.unproven(diag.RuntimeUnknown, v.checksDatasets(), err)
	}
	return nil
}

// runtimeOf makes the client of the app's runtime.
func (v *verification) runtimeOf(app spicecloud.App, keys []redact.Secret) (Runtime, error) {
	if len(keys) == 0 {
		return nil, errors.New("the app has no API key")
	}
	base, err := spiceruntime.BaseURL(v.Options.RuntimeURL, app.Endpoint, app.CName, cmp.Or(app.Region, v.Options.Region))
	if err != nil {
		return nil, err
	}
	return v.Connect(base, keys[0])
}

// readAccess reads the app as it is now, for its endpoint, and the keys of its runtime.
func (v *verification) readAccess(ctx context.Context) (app spicecloud.App, keys []redact.Secret, err error) {
	ctx = spicecloud.WithPatience(ctx, patience)
	id := v.result.App.ID
	var appErr, keysErr error
	var both sync.WaitGroup
	both.Go(func() {
		appErr = diag.Guard(func() (err error) {
			app, err = v.Cloud.App(ctx, id)
			return err
		})
	})
	both.Go(func() {
		keysErr = diag.Guard(func() (err error) {
			keys, err = v.Cloud.APIKeys(ctx, id)
			return err
		})
	})
	both.Wait()
	return app, keys, cmp.Or(appErr, keysErr)
}

// deployed notes what the new version declares and what tells it from the former one. Where nothing was pushed, what
// the app has stored is what was deployed.
func (v *verification) deployed(app spicecloud.App) {
	manifest := v.Manifest
	if manifest == nil || v.head {
		manifest, _ = spicepod.FromJSON(app.Spicepod) // one that cannot be read declares nothing that could be checked
	}
	if manifest != nil {
		v.declared = manifest.Datasets()
	}
	v.gone = map[string]bool{}
	froms := map[string]string{}
	if former, _ := spicepod.FromJSON(v.former); former != nil {
		for _, d := range former.Datasets() {
			v.gone[fold(d.Name)], froms[fold(d.Name)] = true, d.From
		}
	}
	differ := false
	for _, d := range v.declared {
		delete(v.gone, fold(d.Name))
		from, there := froms[fold(d.Name)]
		differ = differ || !there || from != "" && d.From != "" && !sameSource(from, d.From)
	}
	if v.predecessor == nil || !v.checksDatasets() {
		return
	}
	// What was stored before ours was served only if it was deployed, and ours was not served before only if nobody
	// else has deployed it.
	known := v.result.SpicepodSent && v.predecessor.Status == spicecloud.Succeeded && !v.refused
	v.alike = !known || !differ && len(v.gone) == 0
}

// checksDatasets tells whether there is something to check about datasets. What a spicepod takes over from others
// is part of the runtime's own readiness.
func (v *verification) checksDatasets() bool {
	return v.Options.DatasetReadyTimeout > 0 && len(v.declared)+len(v.gone) > 0
}
