package httpapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// serve runs the edge on a real listener and returns its address.
func (e *edge) serve(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := NewServer(e.handler)
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// Catches: a server without time-outs or header limit, which one idle client after another fills up.
func TestServerHasLimits(t *testing.T) {
	s := NewServer(http.NotFoundHandler())
	for name, d := range map[string]time.Duration{
		"header": s.ReadHeaderTimeout, "read": s.ReadTimeout, "write": s.WriteTimeout, "idle": s.IdleTimeout,
		"HTTP/2": s.HTTP2.WriteByteTimeout,
	} {
		if d <= 0 || d > 5*time.Minute {
			t.Errorf("%s time-out is %v", name, d)
		}
	}
	if s.MaxHeaderBytes <= 0 || s.MaxHeaderBytes > 64<<10 {
		t.Errorf("header limit is %d", s.MaxHeaderBytes)
	}
}

// Catches: answers that are chunked or close the connection, also those that net/http does not measure; a HEAD that is
// refused or has a body, or says another length than a GET.
func TestAnswersOverTheWire(t *testing.T) {
	e := newEdge(t)
	for range 50 {
		e.source()
	}
	base := "http://" + e.serve(t)
	for path, least := range map[string]int{"/v1/sources/1": 50, "/v1/sources": selfMeasured + 1} {
		length := int64(0)
		for _, method := range []string{"GET", "HEAD"} {
			req, err := http.NewRequestWithContext(t.Context(), method, base+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(got.Body)
			_ = got.Body.Close()
			if got.StatusCode != http.StatusOK || got.ContentLength < int64(least) || got.Close || (len(body) > 0) != (method == "GET") {
				t.Errorf("%s %s: %d, length %d, close %v, body %q", method, path, got.StatusCode, got.ContentLength, got.Close, body)
			}
			if method == "HEAD" && got.ContentLength != length {
				t.Errorf("HEAD %s says length %d, GET %d", path, got.ContentLength, length)
			}
			length = got.ContentLength
		}
	}
}

// Catches: a body over the limit that is read to its end before it is refused.
func TestTooLargeIsRefusedBeforeItIsSent(t *testing.T) {
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", newEdge(t).serve(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = fmt.Fprintf(conn, "POST /v1/contacts HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", 1<<30)
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	status, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || !strings.Contains(status, "413") {
		t.Errorf("%q %v", status, err)
	}
}

// Catches: a place that is free again while the command of a client that hung up is still under way, one that stays
// taken after it, or a log line about it.
func TestClientHangsUp(t *testing.T) {
	e, slow := newSlowEdge(t, 1)
	inner, left := e.handler, make(chan struct{})
	e.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(left)
		inner.ServeHTTP(w, r)
	})
	base := "http://" + e.serve(t)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		req, _ := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1/contacts", strings.NewReader(post))
		got, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = got.Body.Close()
		}
		failed <- err
	}()
	<-slow.arrived
	cancel()
	if err := <-failed; err == nil {
		t.Error("an answer came")
	}
	if n := e.metric("minicrm_http_in_flight_requests"); n != 1 {
		t.Errorf("%v places taken while the command is under way", n)
	}
	slow.letGo <- struct{}{}
	<-left
	if n := e.metric("minicrm_http_in_flight_requests"); n > 0 || e.log.Len() > 0 {
		t.Errorf("%v places taken, log %s", n, e.log)
	}
}
