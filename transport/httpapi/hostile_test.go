package httpapi

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The tests of this file talk to the server as hostile clients do: over TCP, byte by byte where it hurts. The server has
// this package's limits, but short time-outs.

const (
	short   = 300 * time.Millisecond
	patient = 10 * time.Second // of the test itself
)

// serveShort is serve with short time-outs.
func (e *edge) serveShort(t *testing.T, listen ...func(net.Listener) net.Listener) string {
	t.Helper()
	return e.serveShortBut(t, func(*http.Server) {}, listen...)
}

// serveShortBut is the same with a change, which may be to TLS.
func (e *edge) serveShortBut(t *testing.T, change func(*http.Server), listen ...func(net.Listener) net.Listener) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for _, wrap := range listen {
		listener = wrap(listener)
	}
	server := NewServer(e.handler)
	server.ReadHeaderTimeout, server.ReadTimeout, server.WriteTimeout, server.IdleTimeout = short, 2*short, 3*short, 2*short
	server.HTTP2.WriteByteTimeout = 2 * short
	server.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	change(server)
	done := make(chan error, 1)
	go func() {
		if server.TLSConfig == nil {
			done <- server.Serve(listener)
			return
		}
		done <- server.ServeTLS(listener, "", "")
	}()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patient))
	return conn
}

// exchange sends raw bytes and reads an answer.
func exchange(t *testing.T, conn net.Conn, raw string) (status int, header http.Header) {
	t.Helper()
	if _, err := io.WriteString(conn, raw); err != nil && !isCut(err) {
		t.Fatal(err)
	}
	got, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	_ = got.Body.Close()
	return got.StatusCode, got.Header
}

func isCut(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrUnexpectedEOF)
}

// cutAfter trickles bytes until the server cuts the connection, and returns how long that took.
func cutAfter(t *testing.T, conn net.Conn, trickle string) time.Duration {
	t.Helper()
	start := time.Now()
	cut := make(chan struct{})
	go func() {
		defer close(cut)
		_, _ = io.Copy(io.Discard, conn) // until the end, or the deadline of dial
	}()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-cut:
			return time.Since(start)
		case <-tick.C:
			_, _ = io.WriteString(conn, trickle) // it fails when the connection was cut
		}
	}
}

// Catches: a header, or a body, that may take for ever as long as a byte comes now and then (slow loris), and one that
// takes a place in flight meanwhile; a connection that may be idle for ever.
func TestSlowClientsAreCutOff(t *testing.T) {
	e := newEdge(t, func(o *Options) { o.MaxInFlight = 1 })
	e.source()
	address := e.serveShort(t)
	for name, c := range map[string]struct {
		begin, trickle string
		most           time.Duration
	}{
		"nothing at all":    {"", "", short},
		"header":            {"POST /v1/contacts HTTP/1.1\r\nHost: x\r\n", "X-A: b\r\n", short},
		"one header's name": {"POST /v1/contacts HTTP/1.1\r\n", "X", short},
		"body":              {"POST /v1/contacts HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{", " ", 2 * short},
		"chunked body":      {"POST /v1/contacts HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n", 2 * short},
		"idle":              {"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "", 2 * short},
	} {
		t.Run(name, func(t *testing.T) {
			conn := dial(t, address)
			_, _ = io.WriteString(conn, c.begin)
			if took := cutAfter(t, conn, c.trickle); took < c.most/2 || took > patient-time.Second { // a busy machine is late
				t.Errorf("cut after %v, want %v", took, c.most)
			}
			if n := e.metric("minicrm_http_in_flight_requests"); n != 0 {
				t.Errorf("%v places are taken", n)
			}
			e.do("POST", "/v1/contacts", post).ok()
		})
	}
}

// Catches: a server that waits for ever for a client that does not read its answers.
func TestClientsThatDoNotReadAreCutOff(t *testing.T) {
	e := newEdge(t)
	for i := range 1000 {
		e.do("POST", "/v1/leads", fmt.Sprintf(`{"email":"%d@example.org","name":%q}`, i, strings.Repeat("n", 190))).ok()
	}
	var limited *limitedListener
	conn := dial(t, e.serveShort(t, func(l net.Listener) net.Listener {
		limited = LimitConns(l, 1, prometheus.NewRegistry()).(*limitedListener)
		return limited
	}))
	// 200 answers of 300 kB: more than the system's buffers hold.
	_, _ = io.WriteString(conn, strings.Repeat("GET /v1/leads?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n", 200))
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	start := time.Now()
	for limited.open.Load() == 0 && time.Since(start) < patient {
		<-tick.C
	}
	for limited.open.Load() > 0 && time.Since(start) < patient {
		<-tick.C
	}
	if took := time.Since(start); took < short || took >= patient {
		t.Errorf("cut off after %v", took)
	}
}

// Catches: a header without end that is read into memory.
func TestHugeHeaderIsRefused(t *testing.T) {
	address := newEdge(t).serveShort(t)
	for _, line := range []string{"X-A: " + strings.Repeat("a", 100<<10) + "\r\n", strings.Repeat("X-A: "+strings.Repeat("a", 100)+"\r\n", 1000)} {
		status, _ := exchange(t, dial(t, address), "GET /v1/sources HTTP/1.1\r\nHost: x\r\n"+line+"\r\n")
		if status != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("%d", status)
		}
	}
}

// Catches: a body without a stated length that is read to its end, and a connection that goes on with what is left of it.
func TestEndlessBodyIsRefused(t *testing.T) {
	e := newEdge(t)
	e.source()
	conn := dial(t, e.serveShort(t))
	_, _ = io.WriteString(conn, "POST /v1/contacts HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
	sent := make(chan int, 1)
	go func() {
		n := 0
		chunk := []byte("10000\r\n" + strings.Repeat(" ", 64<<10) + "\r\n")
		for ; n < 1000; n++ {
			if _, err := conn.Write(chunk); err != nil {
				break
			}
		}
		sent <- n
	}()
	got, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || got.StatusCode != http.StatusRequestEntityTooLarge || !got.Close {
		t.Fatalf("%+v %v", got, err)
	}
	_ = got.Body.Close()
	if n := <-sent; n == 1000 {
		t.Error("64 MiB were taken")
	}
}

// Catches: a deep body that is parsed before it is refused, brackets in strings that count, and a way round by escapes.
func TestDeepBodies(t *testing.T) {
	e := newEdge(t)
	e.source()
	address := e.serveShort(t)
	send := func(body string) int {
		raw := fmt.Sprintf("POST /v1/contacts HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		status, _ := exchange(t, dial(t, address), raw)
		return status
	}
	text := strings.Repeat(`[{\"\\`, 500)
	for body, want := range map[string]int{
		strings.Repeat("[", 1_000_000):                                               400,
		strings.Repeat(`{"a":`, 100_000):                                             400,
		`{"source_id":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`:    400,
		`{"source_id":1,"email":"a@example.org","text":"` + text + `"}`:              201,
		`{"source_id":1,"email":[` + strings.Repeat("[],", 100) + `[]],"text":"[["}`: 422,
		`{"a\"[":1,"b":` + strings.Repeat("[", 40) + `}`:                             400,
	} {
		if got := send(body); got != want {
			t.Errorf("%.60s: %d, want %d", body, got, want)
		}
	}
	if err := checkDepth([]byte(strings.Repeat("[", maxDepth))); err != nil {
		t.Errorf("%d levels: %v", maxDepth, err)
	}
	if err := checkDepth([]byte(`"\\` + `"` + strings.Repeat("[", maxDepth+1))); err == nil {
		t.Errorf("%d levels are allowed", maxDepth+1)
	}
}

// Catches: more connections than allowed, a place that a closed connection keeps, a refusal that makes its client wait, a
// limit that a second Close raises.
func TestConnectionLimit(t *testing.T) {
	const limit = 3
	metrics := prometheus.NewRegistry()
	e := newEdge(t)
	var limited net.Listener
	address := e.serveShort(t, func(l net.Listener) net.Listener {
		limited = LimitConns(l, limit, metrics)
		return limited
	})
	for range 3 {
		var open []net.Conn
		for range limit {
			conn := dial(t, address)
			exchange(t, conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
			open = append(open, conn)
		}
		one := dial(t, address)
		start := time.Now()
		_, _ = io.WriteString(one, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		if n, err := one.Read(make([]byte, 1)); n != 0 || !isCut(err) || time.Since(start) > 5*time.Second {
			t.Errorf("one too many: %d bytes, %v after %v", n, err, time.Since(start))
		}
		for _, conn := range open {
			_ = conn.Close()
		}
		for limited.(*limitedListener).open.Load() > 0 { // the server notices the closed ones in its own time
			if time.Since(start) > patient {
				t.Fatal("closed connections keep their places")
			}
			_, _ = dial(t, address).Read(make([]byte, 1))
		}
	}
	families, err := metrics.Gather()
	if err != nil || len(families) != 2 || families[1].GetMetric()[0].GetCounter().GetValue() < 3 {
		t.Errorf("%v %v", families, err)
	}
}

// Catches: a connection that is closed twice, as servers do, and makes room for two.
func TestConnectionClosedTwice(t *testing.T) {
	inner, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = inner.Close() }()
	limited := LimitConns(inner, 3, nil).(*limitedListener)
	dial(t, inner.Addr().String())
	conn, err := limited.Accept()
	if err != nil || limited.open.Load() != 1 {
		t.Fatal(err, limited.open.Load())
	}
	_, _ = conn.Close(), conn.Close()
	if n := limited.open.Load(); n != 0 {
		t.Errorf("two closes of one connection count %d", 1-n)
	}
}

// Catches: commands past the in-flight limit that wait instead of being told to come back.
func TestOverloadOverTheWire(t *testing.T) {
	e, slow := newSlowEdge(t, 1)
	address := e.serve(t)
	request := fmt.Sprintf("POST /v1/contacts HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(post), post)
	first := dial(t, address)
	_, _ = io.WriteString(first, request)
	<-slow.arrived
	if status, header := exchange(t, dial(t, address), request); status != 503 || header.Get("Retry-After") != "1" {
		t.Errorf("%d, Retry-After %q", status, header.Get("Retry-After"))
	}
	slow.letGo <- struct{}{}
	if status, _ := exchange(t, first, ""); status != 201 {
		t.Errorf("the first got %d", status)
	}
}

// Catches: a server that does not speak HTTP/2 without TLS to those who begin with it, or HTTP/1.1 to the others.
func TestHTTP2WithoutTLS(t *testing.T) {
	address := newEdge(t).serveShort(t)
	for version, http2 := range map[int]bool{1: false, 2: true} {
		protocols := new(http.Protocols)
		protocols.SetUnencryptedHTTP2(http2)
		protocols.SetHTTP1(!http2)
		client := &http.Client{Transport: &http.Transport{Protocols: protocols, TLSClientConfig: new(tls.Config)}}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/v1/sources", nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body := new(bytes.Buffer)
		_, _ = body.ReadFrom(got.Body)
		_ = got.Body.Close()
		client.CloseIdleConnections()
		if got.ProtoMajor != version || got.StatusCode != http.StatusOK || body.String() != `{"items":[],"next":null}` {
			t.Errorf("HTTP/%d: %d %s", got.ProtoMajor, got.StatusCode, body)
		}
	}
}
