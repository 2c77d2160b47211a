package emulator

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
)

// Transport is an http.RoundTripper that leads every request to the emulator, whatever its host, without a
// socket: fit for a testing/synctest bubble. The handler runs in the caller's goroutine and every delay ends
// with the request's context.
func (e *Emulator) Transport() http.RoundTripper { return memoryTransport{e} }

type memoryTransport struct{ e *Emulator }

// RoundTrip shows what a socket would: a cut connection is a read error, or an unexpected end of the body where
// a part of it had been sent; a refused one is a dial error; a context that ends wins over both.
func (t memoryTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	body := req.Body
	if body == nil {
		body = http.NoBody
	}
	defer func() { _ = body.Close() }() // a RoundTripper must close it, and nothing can be done about a failure
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	served := req.Clone(ctx)
	served.Body, served.RequestURI, served.RemoteAddr = body, req.URL.RequestURI(), "memory"
	if served.Host == "" {
		served.Host = req.URL.Host
	}
	w := &memoryWriter{header: http.Header{}}
	cut := serve(t.e, w, served)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case w.refused:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case w.status == 0:
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	}
	return w.response(req, cut), nil
}

// serve runs the handler and tells whether it cut the connection; any other panic is a bug and goes on.
func serve(h http.Handler, w http.ResponseWriter, r *http.Request) (cut bool) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			cut = true
		default:
			panic(p)
		}
	}()
	h.ServeHTTP(w, r)
	return false
}

// memoryWriter keeps an answer.
type memoryWriter struct {
	header  http.Header
	status  int // 0 until the header was written
	body    bytes.Buffer
	refused bool
}

func (w *memoryWriter) Header() http.Header { return w.header }

func (w *memoryWriter) WriteHeader(status int) { w.status = status }

func (w *memoryWriter) Write(p []byte) (int, error) { return w.body.Write(p) }

// Flush is there for handlers that cut an answer in the middle; nothing is held back here.
func (w *memoryWriter) Flush() {}

func (w *memoryWriter) response(req *http.Request, cut bool) *http.Response {
	resp := &http.Response{
		StatusCode: w.status, Status: fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: w.header, Request: req,
		ContentLength: int64(w.body.Len()), Body: io.NopCloser(&w.body),
	}
	if cut {
		resp.ContentLength = -1
		resp.Body = io.NopCloser(io.MultiReader(&w.body, cutOff{}))
	}
	return resp
}

// cutOff is the end of a body that was promised longer.
type cutOff struct{}

func (cutOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
