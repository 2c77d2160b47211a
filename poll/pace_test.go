package poll_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/poll"
)

const (
	thousand = 1000
	interval = 10 * time.Second // the default of poll-interval-seconds
)

// TestFollow_typical holds what docs/performance.md promises of deployments that take as long as the ones before.
func TestFollow_typical(t *testing.T) {
	t.Parallel()

	cases := []struct {
		durations
		late  time.Duration
		looks float64
	}{
		{durations{12 * time.Second, 0.1}, 500 * time.Millisecond, 12},
		{durations{time.Minute, 0.1}, time.Second, 25},
		{durations{5 * time.Minute, 0.02}, time.Second, 40},
	}
	for _, tc := range cases {
		t.Run(tc.usual.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				got := watch(t, thousand, tc.durations, following(interval, tc.durations))
				if got.late > tc.late || got.looks > tc.looks {
					t.Errorf("noticed %s late after %.1f looks, want at most %s and %.0f", got.late, got.looks, tc.late, tc.looks)
				}
			})
		})
	}
}

// TestFollow_unknown holds what is promised where there is no history, or one of deployments that took another time.
func TestFollow_unknown(t *testing.T) {
	t.Parallel()

	cases := []struct{ longest, end time.Duration }{
		{time.Second, 12 * time.Second},
		{3 * time.Second, 12 * time.Second},
		{3 * time.Second, time.Minute},
		{interval, 12 * time.Second},
		{interval, time.Minute},
		{interval, 5 * time.Minute},
	}
	before := []time.Duration{0, time.Second, 8 * time.Second, 20 * time.Second, time.Minute, 5 * time.Minute, time.Hour}
	for _, tc := range cases {
		t.Run(fmt.Sprintf("%s_every_%s", tc.end, tc.longest), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				for _, usual := range before {
					var took []time.Duration
					if usual > 0 {
						took = durations{usual, 0.1}.history(rand.New(rand.NewPCG(1, 1)), 10)
					}
					// The ends are spread widely, so that they do not all meet the same pause.
					got := watch(t, thousand, durations{tc.end, 0.2}, func() backoff.BackOff {
						return poll.Follow(time.Now(), tc.longest, took)
					})
					if want := max(1500*time.Millisecond, tc.longest/2); got.late > want {
						t.Errorf("after many that took %s: noticed %s late, want at most %s", usual, got.late, want)
					}
					if tc.end == 12*time.Second && got.looks > 16 {
						t.Errorf("after many that took %s: %.1f looks, want at most 16", usual, got.looks)
					}
					if got.most > tc.longest {
						t.Errorf("after many that took %s: a pause of %s", usual, got.most)
					}
				}
			})
		})
	}
}

func TestFollow_pauses(t *testing.T) {
	t.Parallel()

	ms := func(pauses ...time.Duration) []time.Duration {
		for i := range pauses {
			pauses[i] *= time.Millisecond
		}
		return pauses
	}
	same := func(d time.Duration, n int) []time.Duration {
		before := make([]time.Duration, n)
		for i := range before {
			before[i] = d
		}
		return before
	}
	cases := []struct {
		name   string
		before []time.Duration
		passed time.Duration // before the first pause
		want   []time.Duration
	}{
		{"nothing_known", nil, 0, ms(580, 640, 710, 780, 860)},
		{"nothing_known_late", nil, 70 * time.Second, ms(7940, 8780, 9580, 9700, 9700)},
		{"only_nonsense_known", []time.Duration{0, -time.Hour}, 0, ms(580, 640, 710, 780, 860)},
		{"one", same(time.Minute, 1), 0, ms(680, 1010, 1510, 2250, 3350)},
		{"ten", same(time.Minute, 10), 0, ms(680, 1010, 1510, 2250, 3350)},
		{"ten_but_for_an_outlier", append(same(time.Minute, 9), time.Hour), 0, ms(680, 1010, 1510, 2250, 3350)},
		{"an_outlier_of_long_ago", append(same(time.Minute, 10), same(time.Hour, 90)...), 0, ms(680, 1010, 1510, 2250, 3350)},
		{"late_before_the_end", same(time.Minute, 10), 50 * time.Second, ms(7810, 1380, 700, 550, 550)},
		{"long_after_the_end", same(time.Minute, 10), 10 * time.Minute, ms(9700, 9700, 9700, 9700, 9700)},
		{"before_it_began", same(time.Minute, 10), -time.Hour, ms(680, 680, 680, 680, 680)},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				schedule := poll.Follow(time.Now().Add(-tc.passed), interval, tc.before)
				var got []time.Duration
				for range 5 {
					pause := schedule.NextBackOff()
					got = append(got, pause.Round(10*time.Millisecond))
					<-time.After(pause)
				}
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("pauses (-want, +got):\n%s", diff)
				}
			})
		})
	}
}

// TestFollow_wild takes histories that no deployment has.
func TestFollow_wild(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(1, 2))
		for range thousand {
			before := make([]time.Duration, random.IntN(30))
			for i := range before {
				before[i] = time.Duration(random.Int64() >> random.IntN(64))
				if random.IntN(4) == 0 {
					before[i] = -before[i]
				}
			}
			longest := time.Duration(1 + random.Int64N(int64(time.Minute)))
			passed := time.Duration(random.Int64() >> random.IntN(64))
			schedule := poll.Follow(time.Now().Add(-passed), longest, before)
			schedule.Reset()
			for range 3 {
				pause := schedule.NextBackOff()
				if pause <= 0 || pause > longest || pause < min(longest*9/10, 500*time.Millisecond) {
					t.Fatalf("a pause of %s, at most %s allowed, after %s and with %v before", pause, longest, passed, before)
				}
				<-time.After(pause)
			}
		}
	})
}
