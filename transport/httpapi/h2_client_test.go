package httpapi

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// selfSigned is a certificate for loopback, and what a client has to know of it.
func selfSigned(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	s.Close()
	trust := s.Client().Transport.(*http.Transport).TLSClientConfig
	return &tls.Config{Certificates: s.TLS.Certificates, MinVersion: tls.VersionTLS12}, trust
}

// h2Client speaks HTTP/2 frame by frame, as no decent client would.
type h2Client struct {
	*http2.Framer
	t     *testing.T
	conn  net.Conn
	block bytes.Buffer
	next  uint32
}

// dialHTTP2 begins a connection, with TLS when there is a configuration for it.
func dialHTTP2(t *testing.T, address string, trust *tls.Config, settings ...http2.Setting) *h2Client {
	t.Helper()
	conn := dial(t, address)
	if trust != nil {
		trust = trust.Clone()
		trust.ServerName, trust.NextProtos = "127.0.0.1", []string{http2.NextProtoTLS}
		secret := tls.Client(conn, trust)
		if err := secret.HandshakeContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		if protocol := secret.ConnectionState().NegotiatedProtocol; protocol != http2.NextProtoTLS {
			t.Fatalf("the server chose %q", protocol)
		}
		conn = secret
	}
	c := &h2Client{t: t, conn: conn, Framer: http2.NewFramer(conn, conn), next: 1}
	c.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := c.WriteSettings(settings...); err != nil {
		t.Fatal(err)
	}
	return c
}

// fields encodes a request's header, with more pairs of name and value.
func (c *h2Client) fields(method, path string, more ...string) []byte {
	c.block.Reset()
	e := hpack.NewEncoder(&c.block)
	e.SetMaxDynamicTableSizeLimit(0) // so that each block stands alone
	pairs := append([]string{":method", method, ":scheme", "http", ":authority", "x", ":path", path}, more...)
	for i := 0; i < len(pairs); i += 2 {
		if err := e.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]}); err != nil {
			c.t.Fatal(err)
		}
	}
	return c.block.Bytes()
}

// open begins a request. A server that has cut the connection does not hear it.
func (c *h2Client) open(method, path string, ends bool) (stream uint32, err error) {
	stream = c.next
	c.next += 2
	return stream, c.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: c.fields(method, path), EndStream: ends, EndHeaders: true,
	})
}

// outcome reads on until the stream was answered or ended: with a status, or with the name of an error.
func (c *h2Client) outcome(stream uint32) string {
	for {
		frame, err := c.ReadFrame()
		if err != nil {
			return cutBy(err)
		}
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			if f.StreamID == stream {
				return f.PseudoValue("status")
			}
		case *http2.RSTStreamFrame:
			if f.StreamID == stream {
				return f.ErrCode.String()
			}
		}
	}
}

// end reads on until the connection ends, and says with which error the server took its leave.
func (c *h2Client) end() (leave string) {
	for {
		frame, err := c.ReadFrame()
		if err != nil {
			if leave == "" {
				leave = cutBy(err)
			}
			return leave
		}
		if f, ok := frame.(*http2.GoAwayFrame); ok {
			leave = f.ErrCode.String()
		}
	}
}

const cut, uncut = "cut", "not cut"

// cutBy says whether a connection was cut, or the test's patience ended.
func cutBy(err error) string {
	if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
		return uncut
	}
	return cut
}

// bystander is a decent client that calls all the while, over a connection of its own.
type bystander struct {
	client  *http.Client
	url     string
	slowest time.Duration
}

// beside starts a bystander, which the test's end stops.
func beside(t *testing.T, address string, trust *tls.Config) {
	t.Helper()
	b := &bystander{url: "http://" + address + "/v1/sources"}
	transport := new(http.Transport)
	if trust != nil {
		transport.TLSClientConfig, b.url = trust.Clone(), "https://"+address+"/v1/sources"
	}
	b.client = &http.Client{Transport: transport, Timeout: patient}
	b.call()
	done := make(chan struct{})
	var calls sync.WaitGroup
	calls.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				b.call()
			case <-done:
				return
			}
		}
	})
	t.Cleanup(func() {
		close(done)
		calls.Wait()
		b.call()
		transport.CloseIdleConnections()
		if b.slowest > patient/2 {
			t.Errorf("another client waited for %v", b.slowest)
		}
	})
}

// call calls until it is answered: the time-outs of these tests are so short that a busy machine misses one.
func (b *bystander) call() {
	start := time.Now()
	for {
		answer, err := b.client.Get(b.url) //nolint:noctx // it ends by its time-out
		if err == nil {
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
		}
		took := time.Since(start)
		b.slowest = max(b.slowest, took)
		if err == nil && answer.StatusCode == http.StatusOK || took > patient {
			return
		}
	}
}
