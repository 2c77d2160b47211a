package emulator_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

const spicepod = `
version: v1
kind: Spicepod
name: shop
datasets:
  - from: postgres:orders
    name: orders
    params:
      pg_pass: ${ secrets:PG_PASS }
`

// curl is a plain HTTP client, so that what the tests see is what any client sees.
type curl struct {
	t     *testing.T
	base  string
	token string
	http  *http.Client
}

// answer is what came back. JSON is nil where the body is no JSON object.
type answer struct {
	status int
	header http.Header
	body   string
	json   map[string]any
}

// code is the machine-readable code of a refusal.
func (a answer) code() string {
	code, _ := a.json["code"].(string)
	return code
}

// id is the "id" of an object.
func (a answer) id() int64 {
	id, _ := a.json["id"].(float64)
	return int64(id)
}

// overLoopback serves the emulator on a socket, as the command does.
func overLoopback(t *testing.T, opts emulator.Options) (*emulator.Emulator, *curl) {
	t.Helper()
	e := emulator.New(opts)
	srv := httptest.NewServer(e)
	t.Cleanup(srv.Close)
	c := &curl{t: t, base: srv.URL, token: e.Token(), http: srv.Client()}
	// A connection of its own for each request: net/http repeats a GET by itself when a reused one is cut.
	c.http.Transport.(*http.Transport).DisableKeepAlives = true
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return e, c
}

// inMemory is for synctest bubbles.
func inMemory(t *testing.T, opts emulator.Options) (*emulator.Emulator, *curl) {
	t.Helper()
	e := emulator.New(opts)
	return e, &curl{t: t, base: "http://spice.test", token: e.Token(), http: &http.Client{Transport: e.Transport()}}
}

func (c *curl) try(method, path, body string, headers ...string) (answer, error) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	a := answer{status: resp.StatusCode, header: resp.Header, body: string(text)}
	_ = json.Unmarshal(text, &a.json)
	return a, err
}

func (c *curl) do(method, path, body string, headers ...string) answer {
	c.t.Helper()
	a, err := c.try(method, path, body, headers...)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

// want does a request that must be answered with the status.
func (c *curl) want(status int, method, path, body string, headers ...string) answer {
	c.t.Helper()
	a := c.do(method, path, body, headers...)
	if a.status != status {
		c.t.Fatalf("%s %s: got %d, want %d: %s", method, path, a.status, status, a.body)
	}
	return a
}

// as is the same client with another token.
func (c *curl) as(token string) *curl {
	other := *c
	other.token = token
	return &other
}

// list is the objects under the only key of an envelope.
func (a answer) list(key string) []map[string]any {
	raw, _ := a.json[key].([]any)
	list := []map[string]any{}
	for _, v := range raw {
		m, _ := v.(map[string]any)
		list = append(list, m)
	}
	return list
}

// addApp adds an app with a spicepod, named shop-app and with id 7.
func addApp(t *testing.T, e *emulator.Emulator, change func(*emulator.App)) {
	t.Helper()
	spec := emulator.App{ID: 7, Name: "shop-app", Spicepod: spicepod}
	if change != nil {
		change(&spec)
	}
	if _, err := e.AddApp(spec); err != nil {
		t.Fatal(err)
	}
}

func configure(t *testing.T, e *emulator.Emulator, change func(*emulator.Settings)) {
	t.Helper()
	if err := e.Configure(change); err != nil {
		t.Fatal(err)
	}
}

func outcomes(t *testing.T, e *emulator.Emulator, list ...emulator.Outcome) {
	t.Helper()
	if err := e.AddOutcomes(list...); err != nil {
		t.Fatal(err)
	}
}

func faults(t *testing.T, e *emulator.Emulator, list ...emulator.Fault) {
	t.Helper()
	if err := e.AddFaults(list...); err != nil {
		t.Fatal(err)
	}
}
