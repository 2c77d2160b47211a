package githubreport

import (
	"context"
	"encoding/json"
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
type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }

// explain says why a call failed and what to do about it. Text of GitHub's is one line and cut.
func (c *Client) explain(ctx context.Context, err error, permission string) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil { // go-github drops the cause
		return context.Cause(ctx)
	}
	if answer, ok := answerOf(err); ok {
		text := strings.TrimSpace(fmt.Sprintf("%d %s", answer.status, strings.TrimSuffix(remote.OneLine(answer.message, 300), ".")))
		switch {
		case answer.limit:
			c.limited.Store(true)
			return &refusal{text + ": GitHub's rate limit is reached, so nothing more is asked" + answer.comeBack()}
		case answer.status >= http.StatusInternalServerError:
			return errors.New(text)
		}
		return &refusal{text + answer.remedy(permission)}
	}
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = failed.Err // without the address, which says nothing new
	}
	_, noJSON := errors.AsType[*json.SyntaxError](err)
	_, otherJSON := errors.AsType[*json.UnmarshalTypeError](err)
	if noJSON || otherJSON {
		return fmt.Errorf("what answered is not GitHub's API (%w); check GITHUB_API_URL, and whether a proxy or sign-in page stands in between", err)
	}
	return err
}

// answer is one that is no success.
type answer struct {
	status  int
	message string // GitHub's words
	pause   string // Retry-After
	limit   bool   // it asks for a pause
}

// answerOf is the answer that an error of go-github's is about, if it is about one. GitHub documents 403 and 429 for
// both of its rate limits, with Retry-After on the secondary one; go-github v62 knows 403 only. See
// https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api.
func answerOf(err error) (answer, bool) {
	if e, ok := errors.AsType[*github.RateLimitError](err); ok {
		return answer{e.Response.StatusCode, e.Message, e.Response.Header.Get("Retry-After"), true}, true
	}
	if e, ok := errors.AsType[*github.AbuseRateLimitError](err); ok {
		return answer{e.Response.StatusCode, e.Message, e.Response.Header.Get("Retry-After"), true}, true
	}
	e, ok := errors.AsType[*github.ErrorResponse](err)
	if !ok {
		return answer{}, false
	}
	a := answer{status: e.Response.StatusCode, message: e.Message, pause: e.Response.Header.Get("Retry-After")}
	for _, detail := range e.Errors {
		a.message += "; " + strings.TrimSpace(detail.Field+" "+detail.Code+" "+detail.Message)
	}
	a.limit = a.status == http.StatusTooManyRequests || a.status == http.StatusForbidden && a.pause != ""
	return a, true
}

func (a answer) comeBack() string {
	if a.pause == "" {
		return ""
	}
	return fmt.Sprintf(" (Retry-After: %s)", remote.OneLine(a.pause, 20))
}

// remedy is what to do about an answer. GitHub answers 404, and not 403, where a token may not even know of what is
// asked for: https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api.
func (a answer) remedy(permission string) string {
	switch a.status {
	case http.StatusUnauthorized:
		return "; github-token is not valid, or not for this server"
	case http.StatusForbidden:
		return "; the token needs " + permission + " (the job's permissions grant it, except to runs for forks and for Dependabot)"
	case http.StatusNotFound:
		return "; it is not there, or the token lacks " + permission + ", which the job's permissions grant"
	}
	return ""
}
