package deploy_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// unreached is a network on which every request to the runtime ends so, for a while or for ever (0).
type unreached struct {
	err  error
	rest *stage
	till time.Time
}

func (u unreached) RoundTrip(r *http.Request) (*http.Response, error) {
	if !u.till.IsZero() && time.Now().After(u.till) {
		return u.rest.cloud.Transport().RoundTrip(r)
	}
	return nil, u.err
}

// TestVerify_endpoint has something else than a runtime be at the address.
func TestVerify_endpoint(t *testing.T) {
	t.Parallel()
	const (
		unreachable = "the network between this runner and the runtime"
		notIt       = "no proxy answers in the runtime's place"
	)
	network := func(err error, d time.Duration) func(*stage) {
		return func(s *stage) {
			u := unreached{err: err, rest: s}
			if d > 0 {
				u.till = time.Now().Add(d)
			}
			s.spicepod, s.network = served("ours", orders), u
		}
	}
	answers := func(f emulator.Fault) func(*stage) {
		return func(s *stage) {
			s.spicepod = served("ours", orders)
			f.Path, f.Times = "/v1/datasets", -1
			s.faults(f)
		}
	}
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	unknown := dial(&net.DNSError{Err: "no such host", Name: "runtime.example.com", IsNotFound: true})
	untrusted := &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
	scenes := []scene{
		{name: "nobody_listens", given: network(dial(syscall.ECONNREFUSED), 0), reason: "did not list its datasets within 30s: GET /v1/datasets: no complete answer: dial tcp: connection refused", hint: unreachable, took: "34s-35s"},
		{name: "errors_all_the_time", given: answers(emulator.Fault{Kind: emulator.HTML}), reason: "did not list its datasets within 30s: GET /v1/datasets: 502 Bad Gateway", hint: unreachable, took: "34s-35s"},
		{name: "server_is_slow_to_resolve", given: network(dial(&net.DNSError{Err: "timeout", Name: "r", IsTimeout: true}), 0), reason: "did not list its datasets within 30s", hint: unreachable, took: "34s-35s"},
		{name: "unknown_host", given: network(unknown, 0), reason: "the runtime cannot be reached: … lookup runtime.example.com: no such host", hint: unreachable, took: "14s-16s"},
		{name: "certificate_that_is_not_trusted", given: network(untrusted, 0), reason: "the runtime cannot be reached: … certificate signed by unknown authority", hint: unreachable, took: "14s-16s"},
		{name: "no_tls", given: network(tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, 0), reason: "the runtime cannot be reached: … does not look like a TLS handshake", hint: unreachable, took: "14s-16s"},
		{name: "sign_in_page", given: answers(emulator.Fault{Kind: emulator.HTML, Status: 200}), reason: "what answers does not look like the runtime: GET /v1/datasets: unusable answer with status 200", hint: notIt, took: "14s-16s"},
		{name: "compressed", given: answers(emulator.Fault{Status: 200, Body: "x", Headers: emulator.Headers{"Content-Encoding": "gzip"}}), reason: "what answers does not look like the runtime: … encoded as gzip", hint: notIt, took: "14s-16s"},
		{name: "bad_json", given: answers(emulator.Fault{Status: 200, Body: "[{"}), reason: "what answers does not look like the runtime", hint: notIt, took: "14s-16s"},
		{name: "key_refused", given: answers(emulator.Fault{Status: 403, Body: "no"}), reason: "the runtime refuses to be asked: GET /v1/datasets: 403 Forbidden: no", hint: notIt, took: "14s-16s"},
	}
	for i := range scenes {
		sc := &scenes[i]
		sc.args, sc.result, sc.exit = "--dataset-ready-timeout-seconds 30", diag.VerificationFailed, 7
		sc.writes, sc.history = happy, ours("succeeded")
	}
	playAll(t, append(scenes, scene{
		name: "certificate_that_gets_around", args: verifies, given: network(untrusted, 9*time.Second),
		result: diag.Succeeded, writes: happy, history: ours("succeeded"), took: "9s-15s",
	}, scene{
		name: "nobody_listens_for_a_minute", args: verifies, given: network(dial(errors.New("connection refused")), time.Minute),
		result: diag.Succeeded, writes: happy, history: ours("succeeded"), took: "1m0s-1m3s",
	}, scene{
		name: "not_ready_and_not_a_runtime", args: onlyReady,
		given: func(s *stage) {
			s.options.TestSQL = "SELECT 1"
			s.faults(emulator.Fault{Path: "/v1/ready", Kind: emulator.HTML, Status: 200, Times: -1})
		},
		result: diag.VerificationFailed, exit: 7, reason: "what answers does not look like the runtime: GET /v1/ready", hint: notIt,
		writes: happy, history: ours("succeeded"), took: "14s-16s",
		also: func(s *stage, e ended) {
			if len(e.Probes) != 1 || e.Probes[0].OK || e.Probes[0].Name != "sql" || e.Probes[0].Error != "it was not run: the verification had ended before" {
				s.Errorf("probes: %+v", e.Probes)
			}
		},
	}, scene{
		name: "probe_answered_by_a_sign_in_page", args: probing + " --test-warmup-seconds 0",
		given: func(s *stage) {
			s.options.TestSQL = "SELECT 1"
			s.faults(emulator.Fault{Path: "/v1/sql", Kind: emulator.HTML, Status: 200, Times: -1})
		},
		result: diag.VerificationFailed, exit: 7, reason: "1 of 1 probe failed", hint: notIt, writes: with("POST sql"), history: ours("succeeded"), took: "4s-5s",
	}))
}
