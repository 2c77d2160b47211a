// Package poll looks at something again and again until it is done.
//
// It knows nothing of Spice Cloud, and it does not retry: a look that fails ends the polling, so a caller whose
// looks can fail for a while retries inside the look, where it knows which failures pass.
package poll

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// Until calls look, pauses as schedule says, and looks again until done is true, look fails or ctx ends. The
// first look is made at once. It returns the last value seen in every case: whoever reports a deadline wants to
// say what was there when it passed, and so a pause that would outlast the deadline of ctx ends a second before
// it. When ctx ends the error is its cause.
func Until[T any](ctx context.Context, schedule backoff.BackOff, look func(context.Context) (value T, done bool, err error)) (T, error) {
	var last T
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return last, context.Cause(ctx)
		case <-timer.C:
		}
		value, done, err := look(ctx)
		if err != nil {
			return last, err
		}
		last = value
		if done {
			return last, nil
		}
		pause := schedule.NextBackOff()
		if pause == backoff.Stop {
			return last, context.DeadlineExceeded
		}
		timer.Reset(beforeDeadline(ctx, pause))
	}
}

// beforeDeadline shortens a pause so that there is time for one more look.
func beforeDeadline(ctx context.Context, pause time.Duration) time.Duration {
	const lastLook = time.Second
	deadline, limited := ctx.Deadline()
	if left := time.Until(deadline) - lastLook; limited && left > 0 && left < pause {
		return left
	}
	return pause
}

// Schedule returns pauses that begin at half a second and grow by half each time up to longest, so that a short
// deployment is seen to end soon and a long one is not asked after often. They have no random part: a watcher
// of one deployment does not meet others at the same instant.
func Schedule(longest time.Duration) backoff.BackOff {
	const (
		first  = 500 * time.Millisecond
		growth = 1.5
	)
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(min(first, longest)),
		backoff.WithMultiplier(growth),
		backoff.WithRandomizationFactor(0),
		backoff.WithMaxInterval(longest),
		backoff.WithMaxElapsedTime(0), // its default gives up after 15 minutes; the context rules here
	)
}
