package secretsync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/redact"
)

// parallel is how many requests are under way at once. Sixteen write a thousand secrets in about a second and a
// half where a request takes 20 ms. Against a limit of 100 requests a second, the lowest that Spice Cloud
// documents, at most sixteen requests are refused before the client slows down.
const parallel = 16

// Store is the part of Spice Cloud that secrets are written to. It repeats by itself what is worth repeating; an
// error is final. An error that has a method Refused() bool which returns true is an answer of the service that
// it did nothing; after any other error the request may have had its effect.
type Store interface {
	PutSecret(ctx context.Context, appID int64, name string, value redact.Secret) error
	DeleteSecret(ctx context.Context, appID int64, name string) error
}

// Write writes all secrets of the set. After the first failure, and once ctx has ended, it starts nothing new;
// what is under way is waited for. The outcomes cover every secret of the set, in its order. The error is a
// [*WriteError].
func Write(ctx context.Context, store Store, appID int64, set Set, existing []string) ([]Outcome, error) {
	has := setOf(existing)
	outcomes := make([]Outcome, len(set.Secrets))
	for i, secret := range set.Secrets {
		outcomes[i] = Outcome{Name: secret.Name, Action: Created}
		if has[secret.Name] {
			outcomes[i].Action = Updated
		}
	}
	cause := each(ctx, outcomes, NotWritten, func(i int) error {
		return store.PutSecret(ctx, appID, set.Secrets[i].Name, set.Secrets[i].Value)
	})
	if cause == nil {
		return outcomes, nil
	}
	return outcomes, &WriteError{
		Written:    namesOf(outcomes, Created, Updated),
		Unknown:    namesOf(outcomes, Unknown),
		NotWritten: namesOf(outcomes, NotWritten),
		Err:        cause,
	}
}

// Prune deletes the named secrets, in the same way. The error is a [*PruneError].
func Prune(ctx context.Context, store Store, appID int64, names []string) ([]Outcome, error) {
	outcomes := make([]Outcome, len(names))
	for i, name := range names {
		outcomes[i] = Outcome{Name: name, Action: Deleted}
	}
	cause := each(ctx, outcomes, Kept, func(i int) error {
		return store.DeleteSecret(ctx, appID, names[i])
	})
	if cause == nil {
		return outcomes, nil
	}
	return outcomes, &PruneError{
		Deleted: namesOf(outcomes, Deleted),
		Unknown: namesOf(outcomes, Unknown),
		Kept:    namesOf(outcomes, Kept),
		Err:     cause,
	}
}

// each makes the request of every outcome, at most [parallel] at once, and corrects the outcomes that did not
// come about. It returns the first failure, or why ctx ended before all had been started.
func each(ctx context.Context, outcomes []Outcome, undone Action, request func(i int) error) error {
	var (
		group   errgroup.Group // without a context: a failure does not break off what is under way
		failed  atomic.Bool
		started = make([]bool, len(outcomes))
	)
	group.SetLimit(parallel)
	for i := range outcomes {
		group.Go(func() error { // blocks until there is room, so it looks only then
			if failed.Load() || ctx.Err() != nil {
				outcomes[i].Action = undone
				return nil
			}
			started[i] = true
			err := diag.Guard(func() error { return request(i) })
			if err == nil {
				return nil
			}
			failed.Store(true)
			outcomes[i].Err = err
			outcomes[i].Action = Unknown
			if refused(err) {
				outcomes[i].Action = undone
			}
			return fmt.Errorf("%s: %w", outcomes[i].Name, err)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if slices.Contains(started, false) {
		return context.Cause(ctx)
	}
	return nil
}

// refused tells whether the service answered that it did nothing.
func refused(err error) bool {
	answer, ok := errors.AsType[interface {
		error
		Refused() bool
	}](err)
	return ok && answer.Refused()
}

// WriteError says what became of each secret when not all could be written. All names are sorted.
type WriteError struct {
	Written    []string
	Unknown    []string // the answer is lost: written or not
	NotWritten []string
	Err        error // the first failure, or why the run ended
}

func (e *WriteError) Error() string {
	return fmt.Sprintf("write secrets: %v; written: %s%s; not written: %s",
		e.Err, list(e.Written), unsure("written", e.Unknown), list(e.NotWritten))
}

func (e *WriteError) Unwrap() error { return e.Err }

// PruneError says what became of each secret when not all could be deleted.
type PruneError struct {
	Deleted []string
	Unknown []string // the answer is lost: deleted or not
	Kept    []string
	Err     error // the first failure, or why the run ended
}

func (e *PruneError) Error() string {
	return fmt.Sprintf("delete secrets: %v; deleted: %s%s; still there: %s",
		e.Err, list(e.Deleted), unsure("deleted", e.Unknown), list(e.Kept))
}

func (e *PruneError) Unwrap() error { return e.Err }

func namesOf(outcomes []Outcome, actions ...Action) []string {
	var names []string
	for _, o := range outcomes {
		if slices.Contains(actions, o.Action) {
			names = append(names, o.Name)
		}
	}
	return names
}

// unsure is the part of the sentence about lost answers, which most failures do not need.
func unsure(done string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "; may or may not have been " + done + ": " + list(names)
}

// list is names for a sentence. A thousand of them would hide the cause; the fields have them all.
func list(names []string) string {
	const most = 20
	if len(names) == 0 {
		return "none"
	}
	if rest := len(names) - most; rest > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), rest)
	}
	return strings.Join(names, ", ")
}
