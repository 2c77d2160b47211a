package spicecloud

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// The rules of pace.
const (
	paceFrom  = 16               // requests a second; callers make no more at once, so that waiting for Retry-After is slow enough below
	paceShare = 0.95             // of what the service took in a second, so that the next one is not refused again
	paceCalm  = 30 * time.Second // without a refusal for so long, twice as many are tried
)

// pace slows down the requests that are made by the hundred, from the first one that the service refuses with 429.
// Up to then they go out as they come. Afterwards nothing goes out before the time that the service named, and
// then no more in a second than the service took in the second before it refused.
type pace struct {
	mu      sync.Mutex
	limiter *rate.Limiter // nil: as they come
	taken   []time.Time   // when requests of the last second were taken
	held    time.Time     // nothing goes out before
	slowed  time.Time     // the last refusal that said something new
}

// wait waits until a request may go out, or ctx ends. One that would have to wait past its deadline or its patience
// goes out at once, so that its own refusal says why the run ends.
func (p *pace) wait(ctx context.Context) {
	pause := p.reserve(time.Now())
	deadline, limited := ctx.Deadline()
	most := patience(ctx)
	if pause <= 0 || limited && pause > time.Until(deadline) || most > 0 && pause > most {
		return
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// reserve is how long the next request has to wait.
func (p *pace) reserve(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.limiter == nil {
		return 0
	}
	start := now
	if p.held.After(now) {
		start = p.held
	}
	if start.Sub(p.slowed) > paceCalm {
		p.slowed = start
		p.limiter.SetLimitAt(start, 2*p.limiter.Limit())
	}
	return p.limiter.ReserveN(start, 1).DelayFrom(now)
}

// learn takes note of how a request that went out at sent ended; nil is that it succeeded. All requests count for
// what the service takes, and the refusals of those that can wait.
func (p *pace) learn(r request, sent time.Time, f *failure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for len(p.taken) > 0 && now.Sub(p.taken[0]) > time.Second {
		p.taken = p.taken[1:]
	}
	fresh := sent.After(p.slowed) // else it was under way when another one was refused
	if f == nil {
		p.taken = append(p.taken, now)
		if p.limiter != nil && !fresh {
			p.limiter.SetLimit(p.limiter.Limit() + paceShare)
		}
		return
	}
	answer, ok := errors.AsType[*APIError](f.err)
	if !ok || answer.Status != http.StatusTooManyRequests || !r.many || p.limiter == nil && len(p.taken) < paceFrom {
		return
	}
	if until := now.Add(max(f.wait, firstPause)); until.After(p.held) {
		p.held = until
	}
	if !fresh {
		return
	}
	limit := rate.Limit(max(paceFrom, paceShare*float64(len(p.taken))))
	if p.limiter != nil {
		limit = min(limit, p.limiter.Limit())
	}
	p.slowed, p.limiter = now, rate.NewLimiter(limit, 1)
}
