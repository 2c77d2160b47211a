package simulation_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// sent is a request as it left the process, and what came back.
type sent struct {
	request string // method, URL and header, but for the credential
	body    string
	path    string
	method  string

	at, until time.Time // when it was sent and when the answer was there, or that there would be none
	status    int       // 0 without an answer
	answer    string
	whole     bool // the answer came to its end
}

// witness stands right before the service, behind everything that may bend the tool, and notes every request that
// leaves the process.
type witness struct {
	to      http.RoundTripper
	meddler func(method, path string) // called before each request
	cloud   *emulator.Emulator

	mu       sync.Mutex
	requests []*sent
	former   string // the spicepod that the app had before ours took its place
}

// RoundTrip notes the request and passes it on.
func (wt *witness) RoundTrip(req *http.Request) (*http.Response, error) {
	header := req.Header.Clone()
	header.Del("Authorization")
	if ofRuntime(req.URL.Path) {
		header.Del("X-API-Key")
	}
	s := &sent{request: fmt.Sprint(req.Method, " ", req.URL, " ", header), method: req.Method, path: req.URL.Path, at: time.Now()}
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		s.body = string(body)
		copied := *req
		copied.Body = io.NopCloser(bytes.NewReader(body))
		req = &copied
	}
	wt.note(s)
	resp, err := wt.to.RoundTrip(req)
	s.until = time.Now()
	if err != nil {
		return nil, err
	}
	text, cut := io.ReadAll(resp.Body)
	s.status, s.answer, s.whole = resp.StatusCode, string(text), cut == nil
	resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(text), ends{cut}))
	return resp, nil
}

func (wt *witness) note(s *sent) {
	if wt.meddler != nil {
		wt.meddler(s.method, s.path)
	}
	former := ""
	if pushesOurs(*s) {
		former = stored(wt.cloud)
	}
	wt.mu.Lock()
	defer wt.mu.Unlock()
	wt.requests = append(wt.requests, s)
	if former != "" && !isOurs(former) {
		wt.former = former
	}
}

// noted is what was seen so far.
func (wt *witness) noted() []sent {
	wt.mu.Lock()
	defer wt.mu.Unlock()
	all := make([]sent, len(wt.requests))
	for i, s := range wt.requests {
		all[i] = *s
	}
	return all
}

// ends is how a body ends: well, where the error is nil.
type ends struct{ err error }

func (e ends) Read([]byte) (int, error) {
	if e.err == nil {
		return 0, io.EOF
	}
	return 0, e.err
}

// stored is the spicepod that the app has, as JSON.
func stored(cloud *emulator.Emulator) string {
	if apps := cloud.Apps(); len(apps) > 0 {
		return string(apps[0].Spicepod)
	}
	return ""
}

func isOurs(spicepod string) bool { return strings.Contains(spicepod, `"ours"`) }

// pushesOurs tells whether a request sends the spicepod of this run, and not the one that it puts back.
func pushesOurs(s sent) bool {
	return s.method == http.MethodPut && strings.Contains(s.body, "orders_of_ours")
}

// ofRuntime tells whether a path is the runtime's.
func ofRuntime(path string) bool {
	return path == "/v1/datasets" || path == "/v1/ready" || slices.Contains(slices.Collect(maps.Values(routes)), path)
}

// to are the requests with a method and a path that ends like that, in the order in which they were sent.
func (e *ending) to(method, end string) []sent {
	var found []sent
	for _, s := range e.sent {
		if s.method == method && strings.HasSuffix(s.path, end) {
			found = append(found, s)
		}
	}
	return found
}

// good tells whether an answer arrived, is whole and says yes.
func (s sent) good() bool { return s.whole && s.status == http.StatusOK }

// saysReady tells whether the runtime said that it is ready.
func (s sent) saysReady() bool { return s.good() && strings.TrimSpace(s.answer) == "ready" }

// refused tells whether the answer says that the key or the address is wrong.
func (s sent) refused() bool {
	return s.status >= 300 && s.status < 400 || slices.Contains([]int{401, 403, 404}, s.status)
}

// dataset is an entry of the runtime's list.
type dataset struct{ Name, From, Status string }

// listed reads a list of datasets as this package understands it, which is not how the tool does.
func listed(answer string) (list []dataset, err error) {
	err = json.Unmarshal([]byte(answer), &list)
	return list, err
}

// servesOurs tells whether a list of datasets is that of the new version, with everything in it ready.
func servesOurs(answer string) bool {
	list, err := listed(answer)
	if err != nil || len(list) != 2 {
		return false
	}
	from := map[string]string{"orders": "postgres:orders_of_ours", `"Customers-EU"`: "s3://ours/customers/"}
	for _, d := range list {
		if from[d.Name] != d.From || !slices.Contains([]string{"Ready", "ready", "Refreshing", "Disabled"}, d.Status) {
			return false
		}
	}
	return true
}
