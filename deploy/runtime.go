package deploy

import (
	"context"

	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
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
