package poll_test

import (
	"slices"
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/poll"
)

func TestUsual(t *testing.T) {
	t.Parallel()

	const s = time.Second
	cases := []struct {
		name   string
		before []time.Duration
		want   time.Duration
	}{
		{"nothing_known", nil, 0},
		{"only_nonsense_known", []time.Duration{0, -time.Hour}, 0},
		{"one", []time.Duration{40 * s}, 40 * s},
		{"the_middle_one", []time.Duration{90 * s, 0, 30 * s, 40 * s}, 40 * s},
		{"between_the_middle_ones", []time.Duration{30 * s, time.Hour, 40 * s, 20 * s}, 35 * s},
		{"what_is_long_ago_does_not_count", append(slices.Repeat([]time.Duration{40 * s}, 10), slices.Repeat([]time.Duration{time.Hour}, 90)...), 40 * s},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := poll.Usual(tc.before); got != tc.want {
				t.Errorf("expected %s to be %s", got, tc.want)
			}
		})
	}
}
