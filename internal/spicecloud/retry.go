package spicecloud

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// The pauses between attempts: half a second, then twice as long each time, up to the cap.
const (
	firstPause = 500 * time.Millisecond
	pauseCap   = 5 * time.Second
)

// failure is one attempt that did not succeed, and all that decides what happens next.
type failure struct {
	err   error
	again bool          // a repeatable request is made again
	acted bool          // the server may have carried the request out
	ended bool          // it failed because ctx ended
	wait  time.Duration // the pause that the server asks for, 0 for none
}

// do is the one place that repeats requests. A repeatable one is repeated after every failure that may pass;
// one that makes something new only where the server cannot have carried it out: after 429, and where no
// connection came about. use reads a 2xx answer and returns an error where it is not what the API documents;
// it may be called more than once.
func (c *Client) do(ctx context.Context, r request, use func(answer) error) error {
	if c.readOnly && r.method != http.MethodGet && r.url == "" {
		return fmt.Errorf("%s %s: %w", r.method, r.path, ErrReadOnly)
	}
	t := c.newTries(r)
	for {
		if r.many {
			c.pace.wait(ctx)
		}
		if ctx.Err() != nil {
			return after(ended(ctx, r), t.last)
		}
		sent := time.Now()
		f := c.try(ctx, r, use)
		c.pace.learn(r, sent, f)
		if f == nil {
			return nil
		}
		t.attempts++
		if refused, ok := f.err.(*APIError); ok { //nolint:errorlint // set only where try made it, never wrapped
			refused.AfterLoss = t.lost
		}
		t.lost = t.lost || f.acted
		switch {
		case r.create && f.acted:
			return &LostAnswerError{Method: r.method, Path: r.path, Err: f.err}
		case f.ended:
			return after(f.err, t.last)
		case !f.again || r.once:
			return f.err
		}
		t.last = f.err
		if err := c.pause(ctx, r, t, f.wait); err != nil {
			return err
		}
	}
}

// try is one attempt: an exchange, and a second one with a new token where the server no longer takes the old.
func (c *Client) try(ctx context.Context, r request, use func(answer) error) *failure {
	refused := ""
	for {
		bearer, err := c.bearer(ctx, r, refused)
		if err != nil {
			// Getting a token has its own attempts, so nothing is left to try.
			return &failure{err: err, ended: ctx.Err() != nil}
		}
		a, f := c.exchange(ctx, r, bearer)
		if f != nil {
			return f
		}
		if a.status != http.StatusUnauthorized || c.oauth == nil || r.open || refused != "" {
			return judge(r, a, use)
		}
		refused = bearer
	}
}

// judge makes a failure of every answer but a 2xx that use accepts.
func judge(r request, a answer, use func(answer) error) *failure {
	bad := func(err error, again bool) *failure {
		return &failure{
			err:   &BadResponseError{Method: r.method, Path: r.path, Status: a.status, Err: r.discreet(err)},
			again: again, acted: true,
		}
	}
	switch {
	case a.status >= http.StatusBadRequest:
		wait := retryAfter(a.header, time.Now())
		if a.status == http.StatusTooManyRequests && a.header.Get("Retry-After") == "" {
			wait = untilReset(a.header, time.Now())
		}
		return &failure{
			err:   refusal(r, a, wait),
			again: a.status == http.StatusRequestTimeout || a.status == http.StatusTooManyRequests || a.status >= http.StatusInternalServerError,
			acted: a.status == http.StatusRequestTimeout || a.status >= http.StatusInternalServerError,
			wait:  wait,
		}
	case a.status >= http.StatusMultipleChoices:
		return &failure{err: redirect(r, a)}
	case a.status < http.StatusOK:
		return bad(errors.New("no final status"), true)
	case a.cut != nil:
		return bad(fmt.Errorf("it broke off after %d bytes: %w", len(a.body), a.cut), true)
	case a.tooLarge:
		return bad(fmt.Errorf("it is larger than %d MiB", answerLimit>>20), false)
	}
	if err := use(a); err != nil {
		return bad(err, true)
	}
	return nil
}

// tries is what one call remembers from attempt to attempt.
type tries struct {
	start    time.Time
	attempts int
	last     error // the last failure
	lost     bool  // one of the attempts may have been carried out
	schedule backoff.BackOff
	jitter   *rand.Rand
}

// newTries draws the jitter from the seed and the request alone, so that it does not depend on which of several
// parallel requests fails first.
func (c *Client) newTries(r request) *tries {
	hash := fnv.New64a()
	_, _ = fmt.Fprintf(hash, "%s %s %s", r.method, r.path, r.label)
	return &tries{
		start: time.Now(),
		schedule: backoff.NewExponentialBackOff(
			backoff.WithInitialInterval(min(firstPause, c.maxPause)),
			backoff.WithMultiplier(2),
			backoff.WithMaxInterval(c.maxPause),
			backoff.WithMaxElapsedTime(0),
			backoff.WithRandomizationFactor(0), // its randomness cannot be seeded; next has our own
		),
		jitter: rand.New(rand.NewPCG(c.seed, hash.Sum64())),
	}
}

// next is the pause before the next attempt: what the server asked for, or between half of the scheduled pause
// and all of it.
func (t *tries) next(wait time.Duration) time.Duration {
	if wait > 0 {
		return wait
	}
	scheduled := t.schedule.NextBackOff()
	return scheduled/2 + time.Duration(t.jitter.Float64()*float64(scheduled/2))
}

// pause waits until the next attempt is due. It returns an error at once where that would be too late.
func (c *Client) pause(ctx context.Context, r request, t *tries, wait time.Duration) error {
	pause := t.next(wait)
	spent := time.Since(t.start)
	limit := patience(ctx)
	deadline, limited := ctx.Deadline()
	// A pause of our own may well run into the deadline; the error is then that of ctx, at its time.
	pastDeadline := limited && wait > 0 && time.Until(deadline) < wait
	if pastDeadline || (limit > 0 && pause > limit-spent) {
		return &GaveUpError{Attempts: t.attempts, For: spent, Wait: wait, Err: t.last}
	}
	if c.onRetry != nil {
		c.onRetry(Retry{Method: r.method, Path: r.path, Attempt: t.attempts, Pause: pause, Err: t.last})
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return after(ended(ctx, r), t.last)
	}
}

func ended(ctx context.Context, r request) error {
	return fmt.Errorf("%s %s: %w", r.method, r.path, context.Cause(ctx))
}

// after adds the failure that came before to the error that ended a call.
func after(err, last error) error {
	if last == nil {
		return err
	}
	return fmt.Errorf("%w; the last attempt failed: %w", err, last)
}

// retryAfter reads the header Retry-After: seconds, or a date, which is compared with the answer's own Date
// where it has one, since the clocks need not agree. It returns 0 where there is none, none that can be read, or
// one that lies in the past.
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil {
		return time.Duration(min(seconds, uint64(math.MaxInt64/time.Second))) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return max(0, at.Sub(serverTime(header, now)))
}

// untilReset is the pause that a rate limit without Retry-After asks for: X-RateLimit-Reset, which counts the seconds
// since 1970 (the vendor's Terraform provider documents it so). It returns 0 where there is none, none that can be
// read, or one that is no moment of the next day.
func untilReset(header http.Header, now time.Time) time.Duration {
	reset, err := strconv.ParseInt(strings.TrimSpace(header.Get("X-RateLimit-Reset")), 10, 64)
	if err != nil || reset <= 0 {
		return 0
	}
	wait := time.Unix(reset, 0).Sub(serverTime(header, now))
	if wait < 0 || wait > 24*time.Hour {
		return 0
	}
	return wait
}

// serverTime is the time of an answer by the server's clock, or by ours where it does not say.
func serverTime(header http.Header, now time.Time) time.Time {
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		return date
	}
	return now
}
