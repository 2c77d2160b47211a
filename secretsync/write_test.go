package secretsync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/time/rate"

	"github.com/spicedeploy/spice-deploy/internal/redact"
)

// refusal is an answer of the service that it did nothing.
type refusal struct{ refused bool }

func (r refusal) Error() string { return "403 forbidden" }
func (r refusal) Refused() bool { return r.refused }

// store is an app's secrets. before runs at the start of each request and may refuse it or lose its answer.
type store struct {
	before  func(ctx context.Context, name string) error
	current atomic.Int64
	highest atomic.Int64

	mu      sync.Mutex
	secrets map[string]string
	calls   []string
}

func newStore(secrets map[string]string) *store {
	return &store{secrets: secrets, before: func(context.Context, string) error { return nil }}
}

func (s *store) request(ctx context.Context, appID int64, call, name string, change func()) error {
	n := s.current.Add(1)
	defer s.current.Add(-1)
	for high := s.highest.Load(); n > high && !s.highest.CompareAndSwap(high, n); high = s.highest.Load() {
	}
	s.mu.Lock()
	s.calls = append(s.calls, fmt.Sprintf("%s %d %s", call, appID, name))
	s.mu.Unlock()
	if err := s.before(ctx, name); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	return nil
}

func (s *store) PutSecret(ctx context.Context, appID int64, name string, value redact.Secret) error {
	return s.request(ctx, appID, "put", name, func() { s.secrets[name] = value.Reveal() })
}

func (s *store) DeleteSecret(ctx context.Context, appID int64, name string) error {
	return s.request(ctx, appID, "delete", name, func() { delete(s.secrets, name) })
}

// slow is a request that takes a while and ends early with its context.
func slow(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// thousand are the names N0000 to N0999.
func thousand() []string {
	names := make([]string, 1000)
	for i := range names {
		names[i] = fmt.Sprintf("N%04d", i)
	}
	return names
}

// sameErrors compares errors by their text.
var sameErrors = cmp.Comparer(func(a, b error) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Error() == b.Error()
})

func TestWriteWritesAll(t *testing.T) {
	t.Parallel()
	s := newStore(map[string]string{"A": "old", "OTHER": "stays"})
	got, err := Write(t.Context(), s, 7, given("A", "B"), []string{"A", "OTHER"})
	if err != nil {
		t.Fatal(err)
	}
	want := []Outcome{{Name: "A", Action: "updated"}, {Name: "B", Action: "created"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	wantSecrets := map[string]string{"A": "value of A", "B": "value of B", "OTHER": "stays"}
	if diff := cmp.Diff(wantSecrets, s.secrets); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	slices.Sort(s.calls)
	if diff := cmp.Diff([]string{"put 7 A", "put 7 B"}, s.calls); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestWriteWithNothingToWrite(t *testing.T) {
	t.Parallel()
	s := newStore(nil)
	if outcomes, err := Write(t.Context(), s, 7, Set{}, nil); err != nil || len(outcomes) != 0 || len(s.calls) != 0 {
		t.Errorf("expected nothing to happen, got %v, %v and %v", outcomes, err, s.calls)
	}
}

func TestWriteStopsAfterARefusal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(map[string]string{})
		s.before = func(ctx context.Context, name string) error {
			if name == "N0020" {
				return refusal{refused: true}
			}
			return slow(ctx, 20*time.Millisecond)
		}
		outcomes, err := Write(t.Context(), s, 7, given(thousand()...), nil)
		failure, ok := errors.AsType[*WriteError](err)
		if !ok {
			t.Fatalf("expected a WriteError, got %v", err)
		}
		if !errors.Is(err, refusal{refused: true}) {
			t.Errorf("expected %v to wrap the refusal", err)
		}
		if got, want := len(s.secrets), len(failure.Written); got != want {
			t.Errorf("expected %d secrets in the app to be %d", got, want)
		}
		// Those that were under way beside the refused one are written, and nothing after them.
		if got, want := len(failure.Written)+len(failure.NotWritten), 1000; got != want {
			t.Errorf("expected %d to be %d", got, want)
		}
		if got, want := len(s.calls), 20+parallel; got > want {
			t.Errorf("expected %d requests to be at most %d", got, want)
		}
		if diff := cmp.Diff([]string(nil), failure.Unknown); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		want := Outcome{Name: "N0020", Action: "not-written", Err: refusal{refused: true}}
		if diff := cmp.Diff(want, outcomes[20], sameErrors); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		if diff := cmp.Diff(Outcome{Name: "N0999", Action: "not-written"}, outcomes[999]); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	})
}

func TestWriteTellsWhatBecameOfEach(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(map[string]string{})
		s.before = func(ctx context.Context, name string) error {
			switch name {
			case "B":
				_ = slow(ctx, time.Second)
				return errors.New("connection reset")
			case "C":
				_ = slow(ctx, 2*time.Second)
				return fmt.Errorf("gave up: %w", refusal{refused: true})
			case "D":
				_ = slow(ctx, 2*time.Second)
				return refusal{refused: false}
			}
			return slow(ctx, 3*time.Second)
		}
		outcomes, err := Write(t.Context(), s, 7, given("A", "B", "C", "D"), []string{"A"})
		want := []Outcome{
			{Name: "A", Action: "updated"},
			{Name: "B", Action: "unknown", Err: errors.New("connection reset")},
			{Name: "C", Action: "not-written", Err: errors.New("gave up: 403 forbidden")},
			{Name: "D", Action: "unknown", Err: errors.New("403 forbidden")},
		}
		if diff := cmp.Diff(want, outcomes, sameErrors); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		wantText := "write secrets: B: connection reset; written: A; may or may not have been written: B, D; not written: C"
		if err == nil || err.Error() != wantText {
			t.Errorf("expected %v to be %q", err, wantText)
		}
	})
}

func TestWriteWhenCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("stopped by SIGTERM")
		ctx, cancel := context.WithCancelCause(t.Context())
		s := newStore(map[string]string{})
		s.before = func(ctx context.Context, _ string) error { return slow(ctx, 20*time.Millisecond) }
		time.AfterFunc(30*time.Millisecond, func() { cancel(cause) })
		start := time.Now()
		_, err := Write(ctx, s, 7, given(thousand()...), nil)
		failure, ok := errors.AsType[*WriteError](err)
		if !ok {
			t.Fatalf("expected a WriteError, got %v", err)
		}
		if got, want := time.Since(start), 30*time.Millisecond; got != want {
			t.Errorf("expected %s to be %s", got, want)
		}
		if got, want := len(failure.Written), parallel; got != want {
			t.Errorf("expected %d written to be %d", got, want)
		}
		if got, want := len(failure.Unknown), parallel; got != want {
			t.Errorf("expected %d unknown to be %d", got, want)
		}
		if got, want := len(failure.NotWritten), 1000-2*parallel; got != want {
			t.Errorf("expected %d not written to be %d", got, want)
		}
	})
}

func TestWriteStartsNothingWhenCtxHasEnded(t *testing.T) {
	t.Parallel()
	cause := errors.New("stopped by SIGINT")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	s := newStore(nil)
	_, err := Write(ctx, s, 7, given("A", "B"), nil)
	if !errors.Is(err, cause) {
		t.Errorf("expected %v to wrap %v", err, cause)
	}
	if got, want := fmt.Sprint(err), "write secrets: stopped by SIGINT; written: none; not written: A, B"; got != want {
		t.Errorf("expected %q to be %q", got, want)
	}
	if len(s.calls) != 0 {
		t.Errorf("expected no requests, got %v", s.calls)
	}
}

func TestWriteErrorStaysReadable(t *testing.T) {
	t.Parallel()
	err := &WriteError{NotWritten: thousand(), Err: errors.New("cause")}
	if got, want := err.Error(), "N0018, N0019 and 980 more"; !strings.HasSuffix(got, want) {
		t.Errorf("expected %q to end with %q", got, want)
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	s := newStore(map[string]string{"A": "1", "B": "2", "C": "3"})
	got, err := Prune(t.Context(), s, 7, []string{"A", "C"})
	if err != nil {
		t.Fatal(err)
	}
	want := []Outcome{{Name: "A", Action: "deleted"}, {Name: "C", Action: "deleted"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"B": "2"}, s.secrets); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestPruneTellsWhatBecameOfEach(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(map[string]string{"A": "1", "B": "2", "C": "3"})
		s.before = func(ctx context.Context, name string) error {
			switch name {
			case "B":
				_ = slow(ctx, time.Second)
				return refusal{refused: true}
			case "C":
				_ = slow(ctx, 2*time.Second)
				return errors.New("connection reset")
			}
			return slow(ctx, 3*time.Second)
		}
		outcomes, err := Prune(t.Context(), s, 7, []string{"A", "B", "C"})
		want := []Outcome{
			{Name: "A", Action: "deleted"},
			{Name: "B", Action: "kept", Err: refusal{}},
			{Name: "C", Action: "unknown", Err: errors.New("connection reset")},
		}
		if diff := cmp.Diff(want, outcomes, sameErrors); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		wantText := "delete secrets: B: 403 forbidden; deleted: A; may or may not have been deleted: C; still there: B"
		if err == nil || err.Error() != wantText {
			t.Errorf("expected %v to be %q", err, wantText)
		}
		if !errors.Is(err, refusal{refused: true}) {
			t.Errorf("expected %v to wrap the refusal", err)
		}
	})
}

// A request takes 20 ms here, and nothing limits.
func TestWriteIsParallelAndBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(map[string]string{})
		s.before = func(ctx context.Context, _ string) error { return slow(ctx, 20*time.Millisecond) }
		start := time.Now()
		if _, err := Write(t.Context(), s, 7, given(thousand()...), nil); err != nil {
			t.Fatal(err)
		}
		if got, want := time.Since(start), 3*time.Second; got > want {
			t.Errorf("expected %s to be at most %s", got, want)
		}
		if got, want := s.highest.Load(), int64(parallel); got != want {
			t.Errorf("expected %d requests at once to be %d", got, want)
		}
		if got, want := len(s.secrets), 1000; got != want {
			t.Errorf("expected %d secrets to be %d", got, want)
		}
	})
}

// The server takes 100 requests a second and answers 429 with Retry-After: 1 to the others, which the client
// obeys, as the one that this package is used with does.
func TestWriteAgainstARateLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(map[string]string{})
		limit := rate.NewLimiter(100, 100)
		var refused atomic.Int64
		s.before = func(ctx context.Context, _ string) error {
			for {
				if err := slow(ctx, 20*time.Millisecond); err != nil {
					return err
				}
				if limit.Allow() {
					return nil
				}
				refused.Add(1)
				if err := slow(ctx, time.Second); err != nil {
					return err
				}
			}
		}
		start := time.Now()
		if _, err := Write(t.Context(), s, 7, given(thousand()...), nil); err != nil {
			t.Fatal(err)
		}
		if got, want := time.Since(start), 12*time.Second; got > want {
			t.Errorf("expected %s to be at most %s", got, want)
		}
		if got, want := refused.Load(), int64(250); got > want {
			t.Errorf("expected %d refused requests to be at most %d", got, want)
		}
	})
}
