package poll_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/spicedeploy/spice-deploy/poll"
)

func TestUntil(t *testing.T) {
	t.Parallel()

	errLook := errors.New("the look failed")
	errCause := errors.New("the deadline of this test passed")
	cases := []struct {
		name     string
		deadline time.Duration
		doneAt   time.Duration // since the start; 0: never
		failAt   time.Duration
		want     int // the number of looks, which is the value
		wantErr  error
		wantTime time.Duration
	}{
		{name: "done_at_the_first_look", deadline: time.Minute, doneAt: 1, want: 1, wantTime: 0},
		{name: "done_later", deadline: time.Minute, doneAt: 25 * time.Second, want: 4, wantTime: 30 * time.Second},
		{name: "the_look_fails", deadline: time.Minute, failAt: 15 * time.Second, want: 2, wantErr: errLook, wantTime: 20 * time.Second},
		{name: "looks_once_more_before_the_deadline", deadline: 35 * time.Second, doneAt: 34 * time.Second, want: 5, wantTime: 34 * time.Second},
		{name: "deadline_keeps_the_last_value", deadline: 35 * time.Second, want: 5, wantErr: errCause, wantTime: 35 * time.Second},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeoutCause(t.Context(), tc.deadline, errCause)
				defer cancel()
				start := time.Now()
				looks := 0
				got, err := poll.Until(ctx, backoff.NewConstantBackOff(10*time.Second), func(context.Context) (int, bool, error) {
					if tc.failAt > 0 && time.Since(start) >= tc.failAt {
						return 0, false, errLook
					}
					looks++
					return looks, tc.doneAt == 1 || tc.doneAt > 0 && time.Since(start) >= tc.doneAt, nil
				})
				if got, want := err, tc.wantErr; !errors.Is(got, want) {
					t.Errorf("expected error %v to be %v", got, want)
				}
				if want := tc.want; got != want {
					t.Errorf("expected the last value %d to be %d", got, want)
				}
				if got, want := time.Since(start), tc.wantTime; got != want {
					t.Errorf("expected it to take %s, not %s", want, got)
				}
			})
		})
	}
}

func TestUntil_stopsWhenTheScheduleDoes(t *testing.T) {
	t.Parallel()

	got, err := poll.Until(t.Context(), &backoff.StopBackOff{}, func(context.Context) (string, bool, error) { return "seen", false, nil })
	if want := "seen"; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
	if err == nil {
		t.Error("expected an error: it was not done")
	}
}

func TestSchedule(t *testing.T) {
	t.Parallel()

	schedule := poll.Schedule(3 * time.Second)
	got := make([]time.Duration, 7)
	for i := range got {
		got[i] = schedule.NextBackOff().Truncate(time.Millisecond)
	}
	want := []time.Duration{
		500 * time.Millisecond, 750 * time.Millisecond, 1125 * time.Millisecond, 1687 * time.Millisecond,
		2531 * time.Millisecond, 3 * time.Second, 3 * time.Second,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pauses (-want, +got):\n%s", diff)
	}

	if got, want := poll.Schedule(100*time.Millisecond).NextBackOff(), 100*time.Millisecond; got != want {
		t.Errorf("expected the first pause %s to be no longer than the longest, %s", got, want)
	}
}
