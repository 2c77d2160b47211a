package spicecloud_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/redact"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
)

// dial makes a client of the server's URL with our own transport; ca may be nil.
func dial(t *testing.T, url string, ca []byte) *spicecloud.Client {
	t.Helper()
	transport, err := spicecloud.NewTransport(ca)
	if err != nil {
		t.Fatal(err)
	}
	c := client(t, transport, func(cfg *spicecloud.Config) { cfg.BaseURL, cfg.MaxPause = url, 10*time.Millisecond })
	t.Cleanup(c.CloseIdle)
	return c
}

func certificate(server *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

// tlsServer serves with a certificate of its own and counts the requests; http2 tells what it offers.
func tlsServer(t *testing.T, http2 bool, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = http2
	server.Config.ErrorLog = quiet()
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// create makes a deployment with so much patience.
func create(t *testing.T, c *spicecloud.Client, patience time.Duration) error {
	t.Helper()
	_, err := c.CreateDeployment(spicecloud.WithPatience(ctx(t), patience), 7, spicecloud.NewDeployment{})
	return err
}

func TestTransport_own_certificate_authority(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		protocol := make(chan string, 1)
		server := tlsServer(t, http2, func(w http.ResponseWriter, r *http.Request) {
			protocol <- r.Proto
			fmt.Fprint(w, `{"status":"ok"}`)
		})
		if err := dial(t, server.URL, certificate(server)).Health(ctx(t)); err != nil {
			t.Fatal(err)
		}
		want := "HTTP/1.1"
		if http2 {
			want = "HTTP/2.0"
		}
		if got := <-protocol; got != want {
			t.Errorf("expected %q to be %q", got, want)
		}
	}
}

func TestTransport_not_a_certificate(t *testing.T) {
	t.Parallel()
	if _, err := spicecloud.NewTransport([]byte("hello")); err == nil || !strings.Contains(err.Error(), "no certificate found") {
		t.Errorf("expected an error, got %v", err)
	}
}

func TestTransport_who_is_not_trusted_is_asked_once(t *testing.T) {
	t.Parallel()
	var connections atomic.Int64
	count := func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	cases := []struct {
		name  string
		start func(*httptest.Server)
	}{
		{"unknown_authority", (*httptest.Server).StartTLS},
		{"plain_http_where_tls_is_wanted", func(s *httptest.Server) { s.Start(); s.URL = strings.Replace(s.URL, "http:", "https:", 1) }},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(http.NotFoundHandler())
			server.Config.ErrorLog = quiet()
			server.Config.ConnState = count
			tc.start(server)
			defer server.Close()
			connections.Store(0)
			err := create(t, dial(t, server.URL, nil), time.Minute)
			as[*spicecloud.NetworkError](t, err)
			if _, lost := errors.AsType[*spicecloud.LostAnswerError](err); lost {
				t.Error("a create that was never sent looks lost")
			}
			if got, want := connections.Load(), int64(1); got != want {
				t.Errorf("expected %d connection, got %d", want, got)
			}
		})
	}
}

// listener does something with each connection before anything is read, and counts them.
func listener(t *testing.T, act func(net.Conn)) (address string, count *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	count = new(atomic.Int64)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			count.Add(1)
			act(conn)
		}
	}()
	return l.Addr().String(), count
}

func TestTransport_create_is_repeated_while_there_is_no_connection(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	handshake, attempts := listener(t, func(conn net.Conn) { _ = conn.Close() })
	for name, url := range map[string]string{
		"refused":                     "http://" + closed.Addr().String(),
		"closed_during_the_handshake": "https://" + handshake,
	} {
		t.Run(name, func(t *testing.T) {
			gaveUp := as[*spicecloud.GaveUpError](t, create(t, dial(t, url, nil), 100*time.Millisecond))
			if gaveUp.Attempts < 2 {
				t.Errorf("expected several attempts, got %v", gaveUp)
			}
		})
	}
	if got := attempts.Load(); got < 2 {
		t.Errorf("expected several connections, got %d", got)
	}
}

func TestTransport_create_cancelled_while_connecting_is_not_lost(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	defer close(done)
	address, _ := listener(t, func(conn net.Conn) { go func() { <-done; _ = conn.Close() }() })
	short, cancel := context.WithTimeout(ctx(t), 50*time.Millisecond)
	defer cancel()
	_, err := dial(t, "https://"+address, nil).CreateDeployment(short, 7, spicecloud.NewDeployment{})
	if _, lost := errors.AsType[*spicecloud.LostAnswerError](err); lost || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("expected the deadline and no lost answer, got %v", err)
	}
}

// broken answers in ways that only a real connection can.
var broken = map[string]func(net.Conn){
	"closed_without_answer": func(net.Conn) {},
	"reset": func(conn net.Conn) {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
	},
	"half_a_header":  func(conn net.Conn) { fmt.Fprint(conn, "HTTP/1.1 202 Acc") },
	"not_http":       func(conn net.Conn) { fmt.Fprint(conn, "SSH-2.0-OpenSSH_9.6\r\n") },
	"body_too_short": func(conn net.Conn) { fmt.Fprint(conn, "HTTP/1.1 202 Accepted\r\nContent-Length: 99\r\n\r\n{\"id\":9}") },
	"chunks_without_end": func(conn net.Conn) {
		fmt.Fprint(conn, "HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"id\":9}\r\n")
	},
	"endless_header": func(conn net.Conn) {
		fmt.Fprint(conn, "HTTP/1.1 202 Accepted\r\n")
		_, _ = io.Copy(conn, endlessHeader{})
	},
}

type endlessHeader struct{}

func (endlessHeader) Read(p []byte) (int, error) {
	return copy(p, bytes.Repeat([]byte("X-Filler: yes\r\n"), len(p)/15+1)), nil
}

func TestTransport_broken_answers(t *testing.T) {
	t.Parallel()
	for name, act := range broken {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if requests.Add(1) > 2 {
					fmt.Fprint(w, `{"id":7}`)
					return
				}
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				act(conn)
				_ = conn.Close()
			}))
			defer server.Close()
			c := dial(t, server.URL, nil)
			as[*spicecloud.LostAnswerError](t, create(t, c, time.Minute))
			if got, want := requests.Load(), int64(1); got != want {
				t.Errorf("expected the create to be sent %d time, got %d", want, got)
			}
			if _, err := c.App(ctx(t), 7); err != nil {
				t.Errorf("expected the read to be repeated, got %v", err)
			}
		})
	}
}

// A server may close a connection that it kept at the very moment we send on it.
func TestTransport_create_on_a_connection_that_just_closed(t *testing.T) {
	t.Parallel()
	var creates atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			fmt.Fprint(w, `{"id":7}`)
			return
		}
		creates.Add(1)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	}))
	defer server.Close()
	c := dial(t, server.URL, nil)
	if _, err := c.App(ctx(t), 7); err != nil {
		t.Fatal(err)
	}
	as[*spicecloud.LostAnswerError](t, create(t, c, time.Minute))
	if got, want := creates.Load(), int64(1); got != want {
		t.Errorf("expected the create to be sent %d time, got %d", want, got)
	}
}

// net/http repeats a request by itself where it can rewind the body.
func TestTransport_nothing_can_rewind_a_body(t *testing.T) {
	t.Parallel()
	network := inMemory{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.GetBody != nil || r.ContentLength == 0 {
			t.Errorf("%s %s: expected a body that cannot be rewound", r.Method, r.URL.Path)
		}
		fmt.Fprint(w, made)
	})}
	for _, create := range creates {
		if err := create(ctx(t), client(t, network, nil)); err != nil {
			t.Error(err)
		}
	}
}

func TestTransport_redirects_are_not_followed(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s arrived elsewhere", r.Method, r.URL)
	}))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := httptest.NewServer(http.RedirectHandler(elsewhere.URL+"/x?y=z", status))
		defer server.Close()
		moved := as[*spicecloud.RedirectError](t, create(t, dial(t, server.URL, nil), time.Minute))
		if got, want := moved.Target, elsewhere.URL+"/x"; got != want {
			t.Errorf("expected %q to be %q", got, want)
		}
	}
}

func TestTransport_connections_are_reused_and_closed(t *testing.T) {
	t.Parallel()
	var opened atomic.Int64
	closed := make(chan struct{}, 10)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if strings.HasSuffix(r.URL.Path, "/secrets") {
			http.Error(w, `{"error":"no"}`, http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, `{"id":7,"name":%q}`, strings.Repeat("x", 100_000))
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			opened.Add(1)
		case http.StateClosed:
			closed <- struct{}{}
		}
	}
	server.Start()
	defer server.Close()
	c := dial(t, server.URL, nil)
	for range 3 {
		_, _ = c.App(ctx(t), 7)
		_, _ = c.Secrets(ctx(t), 7)
		_ = c.DeleteSecret(ctx(t), 7, "A")
	}
	if got, want := opened.Load(), int64(1); got != want {
		t.Errorf("expected %d connection, got %d", want, got)
	}
	c.CloseIdle()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Error("the connection is still open")
	}
}

const childURL = "SPICECLOUD_TEST_CHILD_URL"

// net/http reads the proxy variables once in the life of a process, so each case is a process of its own: this
// test, run again.
func TestTransport_proxies_of_the_environment(t *testing.T) {
	t.Parallel()
	if url := os.Getenv(childURL); url != "" {
		proxyChild(t, url)
		return
	}
	server := tlsServer(t, true, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"id":9}`) })
	cases := []struct {
		name    string
		refuse  bool
		url     string
		want    string
		proxied bool
	}{
		// example.com is a name in the certificate of httptest; the proxy takes it to our server.
		{"through_the_proxy", false, "https://example.com", "made 9", true},
		{"proxy_refuses", true, "https://example.com", "gave up", true},
		{"never_for_loopback", true, server.URL, "made 9", false},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var connects atomic.Int64
			proxy := httptest.NewServer(tunnel(t, server.Listener.Addr().String(), tc.refuse, &connects))
			defer proxy.Close()
			child := exec.CommandContext(ctx(t), os.Args[0], "-test.run=^TestTransport_proxies_of_the_environment$", "-test.v")
			child.Env = []string{"HTTPS_PROXY=" + proxy.URL, "NO_PROXY=", childURL + "=" + tc.url}
			child.Stdin = bytes.NewReader(certificate(server))
			out, err := child.CombinedOutput()
			if err != nil || !strings.Contains(string(out), tc.want) {
				t.Errorf("expected %q, got %v:\n%s", tc.want, err, out)
			}
			if got := connects.Load() > 0; got != tc.proxied {
				t.Errorf("expected the proxy to be used: %v, got %d connections", tc.proxied, connects.Load())
			}
		})
	}
}

func proxyChild(t *testing.T, url string) {
	ca, err := io.ReadAll(os.Stdin)
	if err != nil {
		t.Fatal(err)
	}
	d, err := dial(t, url, ca).CreateDeployment(spicecloud.WithPatience(ctx(t), 100*time.Millisecond), 7, spicecloud.NewDeployment{})
	if _, ok := errors.AsType[*spicecloud.GaveUpError](err); ok {
		t.Log("gave up")
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Log("made", d.ID)
}

// tunnel is a proxy that takes every CONNECT to one address, or refuses it.
func tunnel(t *testing.T, address string, refuse bool, count *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		count.Add(1)
		if refuse || r.Method != http.MethodConnect || r.Host != "example.com:443" {
			http.Error(w, "no", http.StatusProxyAuthRequired)
			return
		}
		to, err := net.Dial("tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		defer to.Close()
		from, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer from.Close()
		fmt.Fprint(from, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(to, from); _ = to.Close() }()
		_, _ = io.Copy(from, to)
	}
}

func TestTransport_tls_1_1_is_refused(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	server.Config.ErrorLog = quiet()
	server.StartTLS()
	defer server.Close()
	if err := dial(t, server.URL, certificate(server)).Health(ctx(t)); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("expected the protocol version to be refused, got %v", err)
	}
}

func TestTransport_default(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"status":"ok"}`) }))
	defer server.Close()
	c, err := spicecloud.New(spicecloud.Config{BaseURL: server.URL, Token: redact.New(token)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseIdle()
	if err := c.Health(ctx(t)); err != nil {
		t.Error(err)
	}
}
