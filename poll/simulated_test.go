package poll_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/spicedeploy/spice-deploy/poll"
)

// durations are of what usually takes so long: a log-normal distribution, since nothing ends before it begins and a
// few take far longer.
type durations struct {
	usual  time.Duration
	spread float64 // 0.1: two of three lie within a tenth of the usual one
}

// quantile is the duration that the part p of them does not exceed.
func (d durations) quantile(p float64) time.Duration {
	z := math.Sqrt2 * math.Erfinv(2*p-1)
	return time.Duration(float64(d.usual) * math.Exp(d.spread*z))
}

// history is n durations by chance, as a service tells them whose timestamps are whole seconds.
func (d durations) history(random *rand.Rand, n int) []time.Duration {
	took := make([]time.Duration, n)
	for i := range took {
		began := time.Duration(random.Float64() * float64(time.Second))
		took[i] = (began + d.quantile(random.Float64())).Truncate(time.Second)
	}
	return took
}

// seen is how the end of things was noticed, on average.
type seen struct {
	looks float64
	late  time.Duration
	most  time.Duration // the longest pause
}

// watch looks at n things that end as d says, one after the other, each with a schedule of its own. It runs in a
// bubble of testing/synctest.
func watch(t *testing.T, n int, d durations, schedule func() backoff.BackOff) seen {
	t.Helper()
	var all seen
	looks := 0
	for i := range n {
		end := d.quantile((float64(i) + 0.5) / float64(n))
		start := time.Now()
		last := start
		_, err := poll.Until(t.Context(), schedule(), func(context.Context) (struct{}, bool, error) {
			looks++
			all.most = max(all.most, time.Since(last))
			last = time.Now()
			return struct{}{}, time.Since(start) >= end, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		all.late += time.Since(start) - end
	}
	all.looks = float64(looks) / float64(n)
	all.late /= time.Duration(n)
	return all
}

// following makes a schedule with a history of ten, another one each time.
func following(longest time.Duration, before durations) func() backoff.BackOff {
	random := rand.New(rand.NewPCG(1, 1))
	return func() backoff.BackOff { return poll.Follow(time.Now(), longest, before.history(random, 10)) }
}
