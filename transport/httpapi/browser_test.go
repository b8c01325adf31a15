package httpapi

import (
	"crypto/tls"
	"strings"
	"testing"
)

// Catches: answers with personal data that a browser keeps, data that it takes for a page, pages that others can frame.
func TestHeadersForBrowsers(t *testing.T) {
	e := newEdge(t)
	api := e.do("GET", "/v1/sources", "").header
	if api.Get("X-Content-Type-Options") != "nosniff" || api.Get("Cache-Control") != "no-store" || api.Get("Strict-Transport-Security") != "" {
		t.Errorf("the API: %v", api)
	}
	for _, path := range []string{"/healthz", "/nothing", "/docs"} {
		page := e.do("GET", path, "").header
		if policy := page.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'self'") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", path, policy)
		}
		if page.Get("X-Frame-Options") != "DENY" || page.Get("Referrer-Policy") != "no-referrer" || page.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, page)
		}
	}
	req := e.request("GET", "/v1/sources", nil)
	req.TLS = new(tls.ConnectionState)
	if got := e.send(req).header.Get("Strict-Transport-Security"); !strings.HasPrefix(got, "max-age=") {
		t.Errorf("with TLS: %q", got)
	}
}

// Catches: pages of any origin that may call, an origin that is told yes by its likeness to another, a preflight that needs
// a key (browsers send none), one that is passed on to a handler, answers that caches mix up.
func TestCORS(t *testing.T) {
	const desk = "https://desk.example.org"
	ask := func(e *edge, method, origin string, preflight bool) *answered {
		req := e.request(method, "/v1/sources", nil)
		req.Header.Set("Origin", origin)
		if preflight {
			req.Header.Set("Access-Control-Request-Method", "POST")
		}
		return e.send(req)
	}
	off := newEdge(t)
	for _, method := range []string{"GET", "OPTIONS"} {
		for name := range ask(off, method, desk, method == "OPTIONS").header {
			if strings.HasPrefix(name, "Access-Control-") || name == "Vary" {
				t.Errorf("%s, off: %s", method, name)
			}
		}
	}
	on := newGuardedEdge(t, func(o *Options) { o.Guard.CORSOrigins = []string{"https://other.example.org", desk} })
	a := ask(on, "OPTIONS", desk, true)
	if a.status != 204 || a.header.Get("Access-Control-Allow-Origin") != desk || a.header.Get("Vary") != "Origin" || a.body != "" ||
		!strings.Contains(a.header.Get("Access-Control-Allow-Headers"), "Authorization") || !strings.Contains(a.header.Get("Access-Control-Allow-Methods"), "PATCH") {
		t.Errorf("%d %v %s", a.status, a.header, a.body)
	}
	if got := a.header.Get("Access-Control-Allow-Credentials"); got != "" {
		t.Errorf("credentials %q", got)
	}
	a = ask(on, "GET", desk, false)
	if a.problem(401, "unauthorized"); a.header.Get("Access-Control-Allow-Origin") != desk || a.header.Get("Access-Control-Expose-Headers") == "" {
		t.Errorf("a page cannot read its refusal: %v", a.header)
	}
	ask(on, "OPTIONS", desk, false).problem(401, "unauthorized")
	for _, origin := range []string{"", "null", "*", "https://desk.example.org.evil.example", "http://desk.example.org", "https://desk.example.org:8443", strings.ToUpper(desk)} {
		for _, method := range []string{"GET", "OPTIONS"} {
			a := ask(on, method, origin, method == "OPTIONS")
			if got := a.header.Get("Access-Control-Allow-Origin"); got != "" || a.status != 401 || a.header.Get("Vary") != "Origin" {
				t.Errorf("%s of %q: %d, allowed %q", method, origin, a.status, got)
			}
		}
	}
}

// Catches: a page anywhere on the web that posts or closes contacts of a server without keys on its reader's machine, by
// calls that a browser sends without asking beforehand; and a check that is in the way of pages that may, of tools, or of keys.
func TestPagesOfOthersChangeNothing(t *testing.T) {
	const desk = "https://desk.example.org"
	open := newEdge(t, func(o *Options) { o.Guard.CORSOrigins = []string{desk} })
	open.source()
	send := func(e *edge, method, path, body, origin, site string) *answered {
		req := e.request(method, path, strings.NewReader(body))
		for name, value := range map[string]string{"Origin": origin, "Sec-Fetch-Site": site} {
			if value != "" {
				req.Header.Set(name, value)
			}
		}
		req.Header.Set("Authorization", "Bearer root")
		return e.send(req)
	}
	for _, from := range [][2]string{
		{"https://evil.example", "cross-site"}, {"https://evil.example", ""}, {"null", "cross-site"}, {"null", ""},
		{"", "cross-site"}, {"https://other.example.org", "same-site"}, {desk + ".evil.example", "cross-site"}, {"http://example.com:1", ""},
	} {
		send(open, "POST", "/v1/contacts", post, from[0], from[1]).problem(403, "forbidden")
		send(open, "POST", "/v1/contacts/1/close", "", from[0], from[1]).problem(403, "forbidden")
		if a := send(open, "GET", "/v1/contacts", "", from[0], from[1]); a.body != `{"items":[],"next":null}` {
			t.Errorf("%q: %s", from, a.body)
		}
	}
	admin, level := newAdminEdge(t, func(*Options) {})
	if send(admin, "PUT", "/log-level", "debug", "https://evil.example", "cross-site").problem(403, "forbidden"); level.Level() != 0 {
		t.Errorf("level %v", level)
	}
	for _, from := range [][2]string{{"", ""}, {desk, "cross-site"}, {desk, ""}, {"http://example.com", ""}, {"http://example.com", "same-origin"}, {"", "none"}} {
		send(open, "POST", "/v1/contacts", post, from[0], from[1]).ok()
	}
	guarded := newGuardedEdge(t)
	send(guarded, "POST", "/v1/sources", `{"name":"chat"}`, "https://evil.example", "cross-site").ok()
}
