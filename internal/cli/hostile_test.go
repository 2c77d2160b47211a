package cli_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spicedeploy/spice-deploy/internal/diag"
	"github.com/spicedeploy/spice-deploy/internal/emulator"
)

// The most that the runs of the test, of which a dozen are under way at once, may take from the system, and for how
// long one may go on, whatever the server does. The time is that of timeout-seconds, of a health check that fails
// too, and of a slow machine.
const (
	mostMemory = 1 << 30
	mostTime   = 30 * time.Second
)

// endless writes a piece again and again until the client hangs up.
func endless(w io.Writer, piece string) {
	for {
		if _, err := io.WriteString(w, piece); err != nil {
			return
		}
	}
}

// trickle sends an answer of which one more header comes each second.
func trickle(w http.ResponseWriter, req *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	line := "HTTP/1.1 200 OK\r\n"
	for i := 0; req.Context().Err() == nil; i++ {
		if _, err := io.WriteString(conn, line); err != nil {
			return
		}
		line = fmt.Sprintf("X-Header-%d: x\r\n", i)
		time.Sleep(time.Second)
	}
}

// TestMain_hostileServer holds that no answer costs more than a bounded amount of memory and time. It does not run
// beside other tests, since it measures the memory of the process.
func TestMain_hostileServer(t *testing.T) {
	text := strings.Repeat("x", 64<<10)
	asJSON := func(w http.ResponseWriter, status int) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
	}
	answers := []struct {
		name   string
		answer http.HandlerFunc
	}{
		{"endless_body", func(w http.ResponseWriter, _ *http.Request) {
			asJSON(w, http.StatusOK)
			endless(w, text)
		}},
		{"endless_text_in_json", func(w http.ResponseWriter, _ *http.Request) {
			asJSON(w, http.StatusOK)
			_, _ = io.WriteString(w, `{"error_message":"`)
			endless(w, text)
		}},
		{"endless_body_after_compression", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			asJSON(w, http.StatusOK)
			z := gzip.NewWriter(w)
			endless(z, text)
		}},
		{"ten_megabytes_of_error", func(w http.ResponseWriter, _ *http.Request) {
			asJSON(w, http.StatusBadGateway)
			for range 10 << 20 / len(text) {
				_, _ = io.WriteString(w, text)
			}
		}},
		{"ten_megabytes_of_text_in_every_field", func(w http.ResponseWriter, _ *http.Request) {
			asJSON(w, http.StatusOK)
			long := strings.Repeat(text, 10<<20/len(text)/4)
			fmt.Fprintf(w, `{"id":101,"name":"shop-app","status":%q,"error_message":%q,"error_code":%q,"commit_sha":%q}`, long, long, long, long)
		}},
		{"a_million_entries", func(w http.ResponseWriter, _ *http.Request) {
			asJSON(w, http.StatusOK)
			_, _ = io.WriteString(w, `[{"id":1}`)
			entries := strings.Repeat(`,{"id":1}`, 1000)
			for range 1000 {
				_, _ = io.WriteString(w, entries)
			}
			_, _ = io.WriteString(w, `]`)
		}},
		{"deeply_nested", func(w http.ResponseWriter, _ *http.Request) {
			asJSON(w, http.StatusOK)
			endless(w, strings.Repeat(`[`, 64<<10))
		}},
		{"pages_without_end", pages()},
		{"a_header_each_second", trickle},
		{"headers_without_end", func(w http.ResponseWriter, _ *http.Request) {
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				defer conn.Close()
				endless(conn, "HTTP/1.1 200 OK\r\n"+strings.Repeat("X-Header: x\r\n", 1000))
			}
		}},
		{"interim_answers_without_end", func(w http.ResponseWriter, _ *http.Request) {
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				defer conn.Close()
				endless(conn, strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n", 100))
			}
		}},
	}
	before := memory()
	t.Run("answers", func(t *testing.T) {
		for _, answer := range answers {
			t.Run(answer.name, func(t *testing.T) {
				t.Parallel()
				var all sync.WaitGroup
				for _, r := range []route{
					{"GET", "/projects"},
					{"POST", "/secrets"},
					{"POST", "/deployments"},
					{"GET", "/deployments/1001"},
					{"GET", "/deployments"},
					{"", ""},
				} {
					all.Go(func() { withstand(t, r, answer.answer) })
				}
				all.Wait()
			})
		}
	})
	used := memory() - before
	if used > mostMemory {
		t.Errorf("the runs took %d MiB from the system, more than %d", used>>20, mostMemory>>20)
	}
	t.Logf("%d MiB", used>>20)
}

// route is the requests that a server answers in its own way: those of a method to paths with an end; all where
// both are empty.
type route struct{ method, end string }

func withstand(t *testing.T, r route, answer http.HandlerFunc) {
	var struck atomic.Int64
	var l left
	var took time.Duration
	// On a machine that is busy with something else three seconds may end before the run gets that far.
	for seconds := 3; seconds < 100 && struck.Load() == 0; seconds *= 4 {
		cloud := newCloud(t, emulator.Options{Queued: 1, InProgress: 1})
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if !strings.HasSuffix(req.URL.Path, r.end) || r.method != "" && r.method != req.Method {
				cloud.ServeHTTP(w, req)
				return
			}
			struck.Add(1)
			answer(w, req)
		}))
		s := newStep(t, cloud.Token())
		s.env["INPUT_API-URL"], s.env["INPUT_TIMEOUT-SECONDS"] = server.URL, strconv.Itoa(seconds)
		start := time.Now()
		l = s.run(t.Context(), t)
		took = time.Since(start)
		server.CloseClientConnections()
		server.Close()
		if most := mostTime + time.Duration(seconds)*time.Second; took > most {
			t.Errorf("%v: it took %s, more than %s", r, took, most)
		}
	}
	if struck.Load() == 0 {
		t.Errorf("%v: nothing was asked that the server answers like this:\n%s", r, l.stdout)
	}
	if result := diag.Result(l.value("result")); result.ExitCode() != l.code || result == diag.InternalError {
		t.Errorf("%v: exit code %d with result %q:\n%s", r, l.code, result, l.stdout)
	}
	if most := 1 << 20; len(l.stdout) > most || len(l.output) > most || len(l.summary) > most {
		t.Errorf("%v: %d bytes of log, %d of outputs, %d of summary", r, len(l.stdout), len(l.output), len(l.summary))
	}
	t.Logf("%v: %s in %s", r, l.value("result"), took.Round(10*time.Millisecond))
}

// pages answers with one full page of large apps after the other.
func pages() http.HandlerFunc {
	var next atomic.Int64
	manifest := strings.Repeat("x", 100<<10)
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `[`)
		for i := range 100 {
			if i > 0 {
				_, _ = io.WriteString(w, `,`)
			}
			id := 1_000_000 + next.Add(1)
			fmt.Fprintf(w, `{"id":%d,"name":"app-%d","spicepod":%q}`, id, id, manifest)
		}
		_, _ = io.WriteString(w, `]`)
	}
}

// memory is what the heap has taken from the system: it never shrinks, so that it knows the peak.
func memory() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapSys)
}
