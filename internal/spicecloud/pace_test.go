package spicecloud_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
)

// limited is a service that takes so many requests in each second of the clock and refuses the others.
type limited struct {
	perSecond  int
	retryAfter string // "" for no header

	mu             sync.Mutex
	second         time.Time
	counted        int
	taken, refused int
}

func (l *limited) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case <-time.After(20 * time.Millisecond):
	case <-r.Context().Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now().Truncate(time.Second); !now.Equal(l.second) {
		l.second, l.counted = now, 0
	}
	if l.counted >= l.perSecond {
		l.refused++
		if l.retryAfter != "" {
			w.Header().Set("Retry-After", l.retryAfter)
		}
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	l.counted++
	l.taken++
	fmt.Fprint(w, "{}")
}

// writeAll writes n secrets, sixteen at a time as a run does, and returns how long that took and the first error.
func writeAll(ctx context.Context, t *testing.T, service http.Handler, n int) (time.Duration, error) {
	t.Helper()
	c := client(t, inMemory{service}, nil)
	start := time.Now()
	var all errgroup.Group
	all.SetLimit(16)
	for i := range n {
		all.Go(func() error { return c.PutSecret(ctx, 1, fmt.Sprintf("SECRET_%d", i), redact.New("a-value")) })
	}
	err := all.Wait()
	return time.Since(start), err
}

func TestPace_slows_down_at_the_first_refusal(t *testing.T) {
	t.Parallel()

	cases := []struct {
		name       string
		service    *limited
		secrets    int
		most       time.Duration
		mayRefuse  int
		offset     time.Duration // of the start in the service's second
		mustRefuse bool
	}{
		{name: "no_limit", service: &limited{perSecond: 1 << 30}, secrets: 1000, most: 1300 * time.Millisecond},
		{name: "a_limit_that_is_not_reached", service: &limited{perSecond: 1000}, secrets: 500, most: 700 * time.Millisecond},
		{name: "of_100_a_second", service: &limited{perSecond: 100, retryAfter: "1"}, secrets: 1000, most: 12 * time.Second, mayRefuse: 16, mustRefuse: true},
		{name: "from_the_end_of_a_second", service: &limited{perSecond: 100, retryAfter: "1"}, secrets: 1000, most: 12 * time.Second, mayRefuse: 32, offset: 950 * time.Millisecond, mustRefuse: true},
		{name: "without_retry_after", service: &limited{perSecond: 100}, secrets: 1000, most: 12 * time.Second, mayRefuse: 48, mustRefuse: true},
		{name: "for_minutes", service: &limited{perSecond: 100, retryAfter: "1"}, secrets: 10_000, most: 115 * time.Second, mayRefuse: 200, mustRefuse: true},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()

			synctest.Test(t, func(t *testing.T) {
				<-time.After(tc.offset)
				took, err := writeAll(t.Context(), t, tc.service, tc.secrets)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%s, %d refused", took, tc.service.refused)
				if tc.service.taken != tc.secrets {
					t.Errorf("%d secrets were taken, want %d", tc.service.taken, tc.secrets)
				}
				if took > tc.most {
					t.Errorf("it took %s, want at most %s", took, tc.most)
				}
				if tc.service.refused > tc.mayRefuse || tc.mustRefuse && tc.service.refused == 0 {
					t.Errorf("%d requests were refused, want at most %d", tc.service.refused, tc.mayRefuse)
				}
			})
		})
	}
}

func TestPace_does_not_wait_past_the_deadline(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		took, err := writeAll(ctx, t, &limited{perSecond: 100, retryAfter: "3600"}, 200)
		if _, ok := errors.AsType[*spicecloud.GaveUpError](err); !ok {
			t.Errorf("got %v, want that it gave up", err)
		}
		if took > time.Second {
			t.Errorf("it took %s to give up", took)
		}
	})
}

func TestPace_ends_with_the_context(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		stop := time.AfterFunc(time.Second, cancel)
		defer stop.Stop()
		took, err := writeAll(ctx, t, &limited{perSecond: 100, retryAfter: "30"}, 200)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
		if took > time.Second {
			t.Errorf("it went on for %s", took)
		}
	})
}
