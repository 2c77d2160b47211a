package githubreport

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/spicedeploy/spice-deploy/internal/redact"
)

// mostOfAnswer is the most that is read of an answer: a page of a hundred comments of GitHub's 65,536 characters is
// about 7 MB.
const mostOfAnswer = 16 << 20

var errTooLarge = fmt.Errorf("the answer goes on after %d MiB", mostOfAnswer>>20)

// guard puts the token on each request and keeps it from going anywhere else: no redirect comes through.
type guard struct {
	base  http.RoundTripper
	token redact.Secret
}

func (g guard) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer "+g.token.Reveal())
	resp, err := g.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		defer resp.Body.Close()
		if target, err := resp.Location(); err == nil {
			return nil, fmt.Errorf("redirected to %s, which is not followed; was the repository renamed?", target.Redacted())
		}
		return nil, errors.New("redirected, which is not followed")
	}
	resp.Body = &bounded{resp.Body, mostOfAnswer}
	return resp, nil
}

// bounded is a body that fails where it is too large, so that a part of one is never taken for the whole.
type bounded struct {
	io.ReadCloser
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}
