package httpapi

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// Hostile clients that speak HTTP/2, where one connection carries many requests and each frame costs the client little.
// What they do is done over TLS and without, while a decent client is served.

// h2Dial begins a connection to the server under test.
type h2Dial func(...http2.Setting) *h2Client

// overHTTP2 runs a test over TLS and without. serve serves an edge, also to a bystander.
func overHTTP2(t *testing.T, test func(t *testing.T, serve func(*edge) h2Dial)) {
	t.Helper()
	for _, name := range []string{"TLS", "plain"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, trust := selfSigned(t)
			if name == "plain" {
				server, trust = nil, nil
			}
			test(t, func(e *edge) h2Dial {
				address := e.serveShortBut(t, func(s *http.Server) { s.TLSConfig, s.ReadHeaderTimeout = server, patient/4 })
				beside(t, address, trust)
				return func(settings ...http2.Setting) *h2Client { return dialHTTP2(t, address, trust, settings...) }
			})
		})
	}
}

func plainEdge(t *testing.T) *edge {
	e := newEdge(t, func(o *Options) { o.MaxInFlight = 1 })
	e.source()
	return e
}

// trickle writes again and again, until it cannot.
func trickle(every time.Duration, write func() error) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for range tick.C {
		if write() != nil {
			return
		}
	}
}

// Catches: a handshake that may take for ever: below HTTP, no header has a deadline yet.
func TestSlowHandshakesAreCutOff(t *testing.T) {
	t.Parallel()
	server, _ := selfSigned(t)
	address := newEdge(t).serveShortBut(t, func(s *http.Server) { s.TLSConfig = server })
	for name, c := range map[string]struct{ begin, trickle string }{
		"nothing at all": {"", ""},
		"byte by byte":   {"\x16\x03\x01\x40\x00", "\x01"}, // a ClientHello of 16 KiB is announced
	} {
		conn := dial(t, address)
		_, _ = io.WriteString(conn, c.begin)
		if took := cutAfter(t, conn, c.trickle); took < short/2 || took > patient-time.Second { // a busy machine is late
			t.Errorf("%s: cut after %v, want %v", name, took, short)
		}
	}
}

// Catches: a stream that may be open for ever while its body does not come, or comes byte by byte, and that takes a
// place in flight meanwhile.
func TestHTTP2SlowBodies(t *testing.T) {
	t.Parallel()
	overHTTP2(t, func(t *testing.T, serve func(*edge) h2Dial) {
		e := plainEdge(t)
		dial := serve(e)
		for name, send := range map[string]func(c *h2Client, stream uint32) error{
			"nothing":            func(*h2Client, uint32) error { return nil },
			"byte by byte":       func(c *h2Client, stream uint32) error { return c.WriteData(stream, false, []byte(" ")) },
			"frames of no bytes": func(c *h2Client, stream uint32) error { return c.WriteData(stream, false, nil) },
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				c := dial()
				start := time.Now()
				stream, err := c.open("POST", "/v1/contacts", false)
				if err != nil {
					t.Fatal(err)
				}
				go trickle(20*time.Millisecond, func() error { return send(c, stream) })
				if got := c.outcome(stream); got != "400" || time.Since(start) < short {
					t.Errorf("%s after %v", got, time.Since(start))
				}
				if n := e.metric("minicrm_http_in_flight_requests"); n != 0 {
					t.Errorf("%v places are taken", n)
				}
				_ = c.conn.Close()
			})
		}
	})
}

// Catches: a connection that floods the server, or is of no use to anybody, and is not cut in time.
func TestHTTP2ConnectionsAreCut(t *testing.T) {
	t.Parallel()
	const idle, often = 2 * short, 100 * time.Microsecond // as often as leaves the machine to the others, too
	for name, c := range map[string]struct {
		least time.Duration
		leave string // "" = it may be cut without a word
		begin func(c *h2Client) error
		every time.Duration
		flood func(c *h2Client) error
	}{
		"idle": {idle, "NO_ERROR", nil, time.Second, func(*h2Client) error { return nil }},
		"a header without end": {idle, "", func(c *h2Client) error {
			return c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.fields("GET", "/v1/sources")})
		}, 20 * time.Millisecond, func(c *h2Client) error { return c.WriteContinuation(1, false, nil) }},
		"pings":    {idle, "NO_ERROR", nil, often, func(c *h2Client) error { return c.WritePing(false, [8]byte{}) }},
		"settings": {idle, "NO_ERROR", nil, often, func(c *h2Client) error { return c.WriteSettings() }},
		"a frame that is too large": {0, "FRAME_SIZE_ERROR", nil, 20 * time.Millisecond, func(c *h2Client) error {
			return c.WriteRawFrame(http2.FrameData, 0, 1, make([]byte, maxFrame+1))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			overHTTP2(t, func(t *testing.T, serve func(*edge) h2Dial) {
				client := serve(plainEdge(t))()
				start := time.Now()
				if c.begin != nil {
					if err := c.begin(client); err != nil {
						t.Fatal(err)
					}
				}
				go trickle(c.every, func() error { return c.flood(client) })
				leave := client.end()
				if took := time.Since(start); leave == uncut || c.leave != "" && leave != c.leave || took < c.least || took > patient-time.Second {
					t.Errorf("%s after %v", leave, took)
				}
			})
		})
	}
}

// Catches: control frames whose answers nobody reads and which are kept in memory.
func TestHTTP2FloodOfAClientThatDoesNotRead(t *testing.T) {
	overHTTP2(t, func(t *testing.T, serve func(*edge) h2Dial) {
		dial := serve(plainEdge(t))
		c, n := dial(), 0
		for c.WritePing(false, [8]byte{}) == nil {
			n++
		}
		if n > 5_000_000 {
			t.Errorf("%d pings were taken", n)
		}
	})
}

// Catches: a header list without end that is decoded, or kept, and one too large that is served.
func TestHTTP2HugeHeaders(t *testing.T) {
	overHTTP2(t, func(t *testing.T, serve func(*edge) h2Dial) {
		dial := serve(plainEdge(t))
		c := dial()
		var many []string
		for i := range maxHeaderBytes / 100 {
			many = append(many, fmt.Sprintf("x-%d", i), strings.Repeat("a", 100))
		}
		if err := c.WriteHeaders(http2.HeadersFrameParam{
			StreamID: 1, BlockFragment: c.fields("GET", "/v1/sources", many...), EndStream: true, EndHeaders: true,
		}); err != nil {
			t.Fatal(err)
		}
		if got := c.outcome(1); got != "431" {
			t.Errorf("a header that is too large: %s", got)
		}
		fragment := c.fields("GET", "/v1/sources", "x-a", strings.Repeat("a", 5000))
		err := c.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: fragment, EndStream: true})
		sent := 0
		for ; err == nil && sent < 64<<20; sent += len(fragment) {
			err = c.WriteContinuation(3, false, fragment)
		}
		if err == nil {
			t.Errorf("%d bytes of a header were taken", sent)
		}
	})
}

// Catches: more requests at once than a connection may have; requests that are ended as soon as they begin, and whose
// handlers then pile up (rapid reset); and a place in flight that is lost.
func TestHTTP2TooManyStreams(t *testing.T) {
	overHTTP2(t, func(t *testing.T, serve func(*edge) h2Dial) {
		e, slow := newSlowEdge(t, 10*maxStreams)
		dial := serve(e)
		request := func(c *h2Client) (uint32, error) {
			stream, err := c.open("POST", "/v1/contacts", false)
			if err == nil {
				err = c.WriteData(stream, true, []byte(post))
			}
			return stream, err
		}
		many := dial()
		var last uint32
		for range maxStreams + 1 {
			var err error
			if last, err = request(many); err != nil {
				t.Fatal(err)
			}
		}
		if got := many.outcome(last); got != "REFUSED_STREAM" {
			t.Errorf("one request too many: %s", got)
		}
		resetting, n := dial(), 0
		for ; n < 100*maxStreams; n++ {
			stream, err := request(resetting)
			if err == nil {
				err = resetting.WriteRSTStream(stream, http2.ErrCodeCancel)
			}
			if err != nil {
				break
			}
		}
		if leave := resetting.end(); leave != "ENHANCE_YOUR_CALM" && leave != cut {
			t.Errorf("%s after %d resets", leave, n)
		}
		if arrived := len(slow.arrived); arrived > 2*maxStreams {
			t.Errorf("%d requests of two connections are being served", arrived)
		}
		close(slow.letGo)
		for start := time.Now(); e.metric("minicrm_http_in_flight_requests") > 0; {
			if time.Since(start) > patient {
				t.Fatal("places in flight are lost")
			}
		}
	})
}

// Catches: an answer that waits for ever for a client that does not read, or gives no room.
func TestHTTP2ClientsThatDoNotRead(t *testing.T) {
	t.Parallel()
	overHTTP2(t, func(t *testing.T, serve func(*edge) h2Dial) {
		e := plainEdge(t)
		for i := range 300 {
			e.do("POST", "/v1/leads", fmt.Sprintf(`{"email":"%d@example.org","name":%q}`, i, strings.Repeat("n", 190))).ok()
		}
		dial := serve(e)
		t.Run("no room", func(t *testing.T) {
			t.Parallel()
			c := dial(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
			stream, err := c.open("GET", "/v1/leads?limit=1000", true)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.outcome(stream); got != "200" {
				t.Fatal(got)
			}
			if got := c.outcome(stream); got != "INTERNAL_ERROR" {
				t.Errorf("the stream ended with %s", got)
			}
			_ = c.conn.Close()
		})
		t.Run("no reading", func(t *testing.T) {
			t.Parallel()
			c := dial(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1<<31 - 1})
			_ = c.WriteWindowUpdate(0, 1<<31-1-65535)
			for range maxStreams - 1 {
				if _, err := c.open("GET", "/v1/leads?limit=1000", true); err != nil {
					t.Fatal(err)
				}
			}
			start := time.Now()
			trickle(20*time.Millisecond, func() error { return c.WritePing(false, [8]byte{}) })
			if took := time.Since(start); took < short || took > patient-time.Second {
				t.Errorf("cut after %v", took)
			}
		})
	})
}
