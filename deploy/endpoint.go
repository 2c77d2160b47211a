package deploy

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/spiceruntime"
)

// lasting tells whether a failure is one that waiting hardly mends: a refusal, an answer that no runtime gives, a
// certificate that is not trusted, or a host that does not exist. Others pass while a runtime starts.
func lasting(err error) bool {
	failed, ok := errors.AsType[*spiceruntime.Error](err)
	if !ok {
		return false
	}
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	_, plain := errors.AsType[tls.RecordHeaderError](err)
	lookup, _ := errors.AsType[*net.DNSError](err)
	return failed.Kind != spiceruntime.Unavailable || untrusted || plain || lookup != nil && lookup.IsNotFound
}

// grace is how long a lasting failure is borne, since the edge may not know a new version at once: for a new app,
// whose key and address have to get around, as long as the check lasts.
func (v *verification) grace() time.Duration {
	const grace = 10 * time.Second
	if v.created {
		return max(v.Options.DatasetReadyTimeout, v.Options.TestWarmup, grace)
	}
	return grace
}

// silence is why a check had no answer at its end: a runtime that has answered before is not ready, and one that never
// did need not be one.
func (v *verification) silence() diag.Cause {
	if v.answered {
		return diag.RuntimeNotReady
	}
	return diag.RuntimeUnreachable
}

// noRuntime ends the verification because of a lasting failure.
func (v *verification) noRuntime(failure error, always bool) error {
	failed, _ := errors.AsType[*spiceruntime.Error](failure)
	switch failed.Kind {
	case spiceruntime.Unavailable:
		return v.unproven(diag.RuntimeUnreachable, always, fmt.Errorf("the runtime cannot be reached: %w", failure))
	case spiceruntime.Refused:
		return v.unproven(diag.RuntimeRefused, always, fmt.Errorf("the runtime refuses to be asked: %w", failure))
	}
	return v.unproven(diag.RuntimeRefused, always, fmt.Errorf("what answers does not look like the runtime: %w", failure))
}
