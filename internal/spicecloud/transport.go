package spicecloud

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// The limits of one attempt. The vendor's command line tool uses the same two times.
const (
	requestTimeout = 30 * time.Second // from looking up the host to the last byte of the answer
	connectTimeout = 10 * time.Second
)

// NewTransport is the transport for any of our requests: proxies as the environment names them (never for
// loopback addresses), HTTP/2 where it is offered, and caPEM, one or more certificates, trusted in addition to
// the system's. An error means that caPEM holds no certificate.
func NewTransport(caPEM []byte) (*http.Transport, error) {
	var roots *x509.CertPool // nil: the system's
	if len(caPEM) > 0 {
		var err error
		if roots, err = x509.SystemCertPool(); err != nil {
			// An image from scratch may have none: then the ones given are all there is.
			roots = x509.NewCertPool()
		}
		if !roots.AppendCertsFromPEM(caPEM) {
			return nil, errors.New("no certificate found: expected PEM, beginning with -----BEGIN CERTIFICATE-----")
		}
	}
	dialer := &net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: connectTimeout,
		// A transport with a TLS configuration of its own speaks HTTP/2 only when told to.
		ForceAttemptHTTP2: true,
		// Without pings a connection that a firewall forgot would eat one timeout after another.
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: connectTimeout},
		MaxIdleConns:           100,
		MaxIdleConnsPerHost:    64, // secrets are written in parallel, and HTTP/1.1 needs a connection for each
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
	}, nil
}

// sending watches whether a request left this machine.
type sending struct{ asked, got atomic.Bool }

func (s *sending) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { s.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { s.got.Store(true) },
	})
}

// possible tells whether any of the request may have reached the server. net/http reports that it asked for a
// connection and, after dialing and the TLS handshake, that it got one; only a transport that reports neither
// is judged by its error.
func (s *sending) possible(err error) bool {
	if s.got.Load() {
		return true
	}
	return !s.asked.Load() && !connectFailure(err)
}

// connectFailure tells whether the error can only come from connecting.
func connectFailure(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "dial" || op.Op == "proxyconnect") {
		return true
	}
	return certificateFailure(err)
}

// certificateFailure tells whether the other side is not who we want to talk to, or does not speak TLS at all.
// Trying again would not change that, and might reach somebody who listens.
func certificateFailure(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return true
	}
	_, ok := errors.AsType[x509.SystemRootsError](err)
	return ok
}
