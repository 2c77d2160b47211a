//go:build unix

package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/cli"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
	"github.com/spicedeploy/spice-deploy/internal/spicecloud"
)

// TestSixHours follows a deployment of six hours, in fake time and over connections in memory, and holds that it
// takes no more of anything at the end than at the beginning.
func TestSixHours(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "spicepod.yaml"), []byte(spicepod), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		service := &frozen{to: emulator.New(emulator.Options{InProgress: 6 * time.Hour}), answers: map[string]*httptest.ResponseRecorder{}}
		if _, err := service.to.AddApp(emulator.App{Name: "shop-app"}); err != nil {
			t.Fatal(err)
		}
		network := &network{accepted: make(chan net.Conn), closed: make(chan struct{})}
		server := &http.Server{Handler: service}
		go func() { _ = server.Serve(network) }()
		defer server.Close()
		transport, err := spicecloud.NewTransport(nil)
		if err != nil {
			t.Fatal(err)
		}
		transport.Proxy, transport.DialContext = nil, network.dial

		early, late := sample(network, 10*time.Minute), sample(network, 6*time.Hour-time.Minute)
		exit := cli.Main(t.Context(), cli.Process{
			Environ: []string{
				"SPICE_API_URL=http://127.0.0.1", "SPICE_API_TOKEN=" + service.to.Token(), "SPICE_APP_NAME=shop-app",
				"SPICE_TIMEOUT_SECONDS=25200", "SPICE_WORKING_DIRECTORY=" + dir, "SPICE_SECRETS=SECRET_0=a-value",
			},
			Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard, Transport: transport,
		})
		if exit != 0 {
			t.Errorf("the run ended with exit code %d", exit)
		}
		first, last := <-early, <-late
		t.Logf("%d looks; after ten minutes %+v, after six hours %+v; %d connections in all", service.looks.Load(), first, last, network.dialed.Load())
		if service.looks.Load() < 100 {
			t.Errorf("%d looks in six hours: it did not follow", service.looks.Load())
		}
		if last.goroutines > first.goroutines {
			t.Errorf("%d goroutines after six hours, %d after ten minutes", last.goroutines, first.goroutines)
		}
		if last.connections > first.connections {
			t.Errorf("%d connections after six hours, %d after ten minutes", last.connections, first.connections)
		}
		const slack = 256 << 10 // what pools and caches hold varies
		if last.heap > first.heap+slack {
			t.Errorf("%d bytes on the heap after six hours, %d after ten minutes", last.heap, first.heap)
		}
	})
}

// holding is what is there at a moment.
type holding struct {
	goroutines  int
	connections int64
	heap        uint64 // bytes that are reachable
}

// sample looks at what is there after a while.
func sample(n *network, after time.Duration) <-chan holding {
	found := make(chan holding, 1)
	time.AfterFunc(after, func() {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		found <- holding{runtime.NumGoroutine(), n.open.Load(), m.HeapAlloc}
	})
	return found
}

// frozen answers as the emulator did the first time, so that what the emulator remembers of the requests does not
// count. It thaws when the deployment is over.
type frozen struct {
	to    *emulator.Emulator
	looks atomic.Int64

	mu      sync.Mutex
	begun   time.Time
	answers map[string]*httptest.ResponseRecorder
}

func (f *frozen) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.begun.IsZero() {
		f.begun = time.Now()
	}
	age := time.Since(f.begun)
	if r.Method != http.MethodGet || age < time.Minute || age > 6*time.Hour {
		f.to.ServeHTTP(w, r)
		return
	}
	f.looks.Add(1)
	answer := f.answers[r.RequestURI]
	if answer == nil {
		answer = httptest.NewRecorder()
		f.to.ServeHTTP(answer, r)
		f.answers[r.RequestURI] = answer
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// network is a listener in memory that counts its connections.
type network struct {
	accepted     chan net.Conn
	closed       chan struct{}
	once         sync.Once
	dialed, open atomic.Int64
}

func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case n.accepted <- theirs:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	n.dialed.Add(1)
	n.open.Add(1)
	return &counted{Conn: ours, n: n}, nil
}

func (n *network) Accept() (net.Conn, error) {
	select {
	case c := <-n.accepted:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n *network) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

func (n *network) Close() error {
	n.once.Do(func() { close(n.closed) })
	return nil
}

// counted is a connection that says when it is closed.
type counted struct {
	net.Conn

	n    *network
	once sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() { c.n.open.Add(-1) })
	return c.Conn.Close()
}
