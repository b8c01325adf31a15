package load

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/valyala/fasthttp"
)

const (
	maxAnswer   = 64 << 20 // bytes
	maxExcerpt  = 300      // bytes of an answer that a finding repeats
	bufferBytes = 8 << 10  // a connection's, each way
)

// client is the way to the service, with as many connections as callers.
type client struct {
	http *fasthttp.HostClient
	base string
	key  string
}

func newClient(o Options) (*client, error) {
	target, err := url.Parse(o.Target)
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	port := target.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[target.Scheme]
	}
	c := &client{base: target.Scheme + "://" + target.Host, http: &fasthttp.HostClient{
		Addr:                      net.JoinHostPort(target.Hostname(), port),
		IsTLS:                     target.Scheme == "https",
		MaxConns:                  o.Connections,
		MaxIdleConnDuration:       time.Hour, // all connections stay
		MaxIdemponentCallAttempts: 1,         // a request that is sent twice would be counted once
		ReadTimeout:               o.Timeout,
		WriteTimeout:              o.Timeout,
		ReadBufferSize:            bufferBytes,
		WriteBufferSize:           bufferBytes,
		MaxResponseBodySize:       maxAnswer,
		NoDefaultUserAgentHeader:  true,
		DisablePathNormalizing:    true,
		DialDualStack:             true,
	}}
	if o.Key != "" {
		c.key = "Bearer " + o.Key
	}
	return c, nil
}

func (c *client) close() { c.http.CloseIdleConnections() }

// call is one request after the other, in the same memory. It has one user at a time.
type call struct {
	client   *client
	request  fasthttp.Request
	response fasthttp.Response
	uri      []byte
	path     []byte
}

func (c *client) newCall() *call { return &call{client: c} }

// send sends a request and returns the answer, which is good until the next one. key is an idempotency key, if any.
func (l *call) send(method string, path, body, key []byte) (status int, answer []byte, err error) {
	r := &l.request
	r.Reset() // above all the length of the body before, which else would go out with a GET
	l.uri = append(append(l.uri[:0], l.client.base...), path...)
	r.SetRequestURIBytes(l.uri)
	r.Header.SetMethod(method)
	if l.client.key != "" {
		r.Header.Set(fasthttp.HeaderAuthorization, l.client.key)
	}
	if len(key) > 0 {
		r.Header.SetBytesV("Idempotency-Key", key)
	}
	if len(body) > 0 {
		r.Header.SetContentType("application/json")
		r.SetBodyRaw(body)
	}
	if err := l.client.http.Do(r, &l.response); err != nil {
		return 0, nil, err
	}
	return l.response.StatusCode(), l.response.Body(), nil
}

// must is send for what has to succeed; it decodes the answer.
func (l *call) must(method, path, body string, out any) error {
	status, answer, err := l.send(method, []byte(path), []byte(body), nil)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if status >= 300 {
		return fmt.Errorf("%s %s: status %d: %s", method, path, status, excerpt(answer))
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// contactPath is the path of a contact, in the call's own memory.
func (l *call) contactPath(id int64, verb string) []byte {
	l.path = append(l.path[:0], "/v1/contacts/"...)
	l.path = strconv.AppendInt(l.path, id, 10)
	l.path = append(l.path, verb...)
	return l.path
}

func excerpt(answer []byte) string { return string(answer[:min(len(answer), maxExcerpt)]) }
