package githubreport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-github/v62/github"

	"github.com/spicedeploy/spice-deploy/internal/remote"
)

var (
	errNoAnswer = fmt.Errorf("no complete answer within %s", callTimeout)
	errLimited  = errors.New("not asked, since GitHub has answered that a rate limit is reached")
)

// refusal is an answer that would be the same a moment later.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

// explain says why a call failed and what to do about it. Text of GitHub's is one line and cut.
func (c *Client) explain(ctx context.Context, err error, permission string) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil { // go-github drops the cause
		return context.Cause(ctx)
	}
	if answer, message := answerOf(err); answer != nil {
		message = strings.TrimSpace(fmt.Sprintf("%d %s", answer.StatusCode, remote.OneLine(message, 300)))
		if limitReached(err, answer) {
			c.limited.Store(true)
			return &refusal{answer.StatusCode, message + ": GitHub's rate limit is reached, so nothing more is asked" + comeBack(answer)}
		}
		if answer.StatusCode >= http.StatusInternalServerError {
			return errors.New(message)
		}
		return &refusal{answer.StatusCode, message + remedy(answer.StatusCode, permission)}
	}
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = failed.Err // without the address, which says nothing new
	}
	return err
}

// answerOf is the answer that an error of go-github's is about, with what GitHub says in it; nil where it is about
// none.
func answerOf(err error) (answer *http.Response, message string) {
	if e, ok := errors.AsType[*github.RateLimitError](err); ok {
		return e.Response, e.Message
	}
	if e, ok := errors.AsType[*github.AbuseRateLimitError](err); ok {
		return e.Response, e.Message
	}
	if e, ok := errors.AsType[*github.TwoFactorAuthError](err); ok {
		return e.Response, e.Message
	}
	e, ok := errors.AsType[*github.ErrorResponse](err)
	if !ok {
		return nil, ""
	}
	message = e.Message
	for _, detail := range e.Errors {
		message += "; " + strings.TrimSpace(detail.Field+" "+detail.Code+" "+detail.Message)
	}
	return e.Response, message
}

// limitReached tells whether an answer asks for a pause. GitHub documents 403 and 429 for both of its limits, with
// Retry-After on the secondary one: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api.
// go-github v62 knows 403 only.
func limitReached(err error, answer *http.Response) bool {
	if _, ok := errors.AsType[*github.RateLimitError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*github.AbuseRateLimitError](err); ok {
		return true
	}
	return answer.StatusCode == http.StatusTooManyRequests ||
		answer.StatusCode == http.StatusForbidden && answer.Header.Get("Retry-After") != ""
}

func comeBack(answer *http.Response) string {
	if after := answer.Header.Get("Retry-After"); after != "" {
		return fmt.Sprintf(" (it asks for a pause of %s s)", remote.OneLine(after, 20))
	}
	return ""
}

// remedy is what to do about an answer. GitHub answers 404, and not 403, where a token may not even know of what is
// asked for: https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api.
func remedy(status int, permission string) string {
	switch status {
	case http.StatusUnauthorized:
		return "; github-token is not valid, or not for this server"
	case http.StatusForbidden:
		return "; the token needs " + permission + " (the job's permissions grant it, except to runs for forks and for Dependabot)"
	case http.StatusNotFound:
		return "; it is not there, or the token lacks " + permission + ", which the job's permissions grant"
	}
	return ""
}
