package poll

import (
	"math"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// Follow returns the pauses between looks at something that began at began. before is how long the same thing
// took the last times, newest first; the first ten are used, and those that are not positive are left out.
//
// Without any, a pause is about half a second and a tenth of the time since began. With them, looks are rare before
// the usual end and close together around it, the closer the more alike the durations are; when that time is
// over the pauses grow again, so that what is stuck is not asked after often. No pause is longer than longest,
// which is positive.
//
// It goes by the clock and not by the number of looks, so it may begin late, and a look may take its time.
func Follow(began time.Time, longest time.Duration, before []time.Duration) backoff.BackOff {
	p := &pace{began: began, longest: longest}
	if took := recent(before); len(took) > 0 {
		p.usual, p.spread = spread(took)
	}
	return p
}

// pace implements [backoff.BackOff]. Its times are in seconds.
type pace struct {
	began   time.Time
	longest time.Duration

	usual  float64 // the median; 0 where nothing is known
	spread float64 // the median distance from it
}

// Reset does nothing: the time that has passed is what counts.
func (p *pace) Reset() {}

// NextBackOff returns the pause after which one look is due. The rate of looks changes during a pause, so it is
// summed up: a pause must not jump over the usual end because it began long before.
func (p *pace) NextBackOff() time.Duration {
	const step = 100 * time.Millisecond
	at := max(0, time.Since(p.began)) + step/2
	pause := time.Duration(0)
	for due := 1.0; ; pause += step {
		gap := p.gap((at + pause).Seconds())
		if rest := time.Duration(due * gap * float64(time.Second)); rest <= step {
			return max(1, pause+rest)
		}
		due -= step.Seconds() / gap
	}
}

// gap is how far apart looks are at t seconds.
//
// Around the usual end it is the square root of twice what a look costs over the chance that the end comes now:
// that makes lateness and looks least together. The chance is that of the logistic distribution, which has a
// simple form, 1 / spread / (1 + exp((usual-t) / spread)), and whose spread is about the median distance.
func (p *pace) gap(t float64) float64 {
	const (
		least    = 0.55
		growth   = 10   // without a history: a tenth of the time waited
		price    = 0.13 // seconds of lateness that one look less is worth
		early    = 2.5  // with a history: quick at first all the same, since what fails often fails at once
		widening = 4
	)
	// The rest is left for the look itself: what is to be no longer than longest is the time from look to look.
	longest := 0.97 * p.longest.Seconds()
	plain := least + t/growth
	if p.usual == 0 {
		return min(plain, longest)
	}
	near := max(least, math.Sqrt(2*price*p.spread*(1+math.Exp((p.usual-t)/p.spread))))
	if t < p.usual {
		first := min(max(least, p.usual/200), 3*least)
		return min(near, first+t/early, longest)
	}
	past := max(0, t-p.usual-2*p.spread)
	return min(near+past/widening, plain, longest)
}

// spread returns the median of durations and the median of their distances from it. The fewer they are the less
// they say, so the distance is at least a tenth of the median for one and a hundredth for ten; a quarter of a
// second is what timestamps in whole seconds leave open.
func spread(took []float64) (usual, distance float64) {
	usual = median(took)
	distances := make([]float64, len(took))
	for i, d := range took {
		distances[i] = math.Abs(d - usual)
	}
	return usual, max(median(distances), usual/float64(10*len(took)), 0.25)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
