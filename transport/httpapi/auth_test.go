package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"minicrm/domain"
)

// testKeys are the keys of the tests: each opens the door under its own name.
const testKeys = `
- {name: root, role: admin, sha256: %s}
- {name: watcher, role: viewer, sha256: %s}
- {name: all-chats, role: gateway, sha256: %s}
- {name: chat-1, role: gateway, sha256: %s, sources: [1]}
- {name: old, role: admin, sha256: %s, expires: 2020-01-01}
`

func newKeyring(t testing.TB) *Keyring {
	t.Helper()
	text := fmt.Sprintf(testKeys, HashKey("root"), HashKey("watcher"), HashKey("all-chats"), HashKey("chat-1"), HashKey("old"))
	keys, err := ParseKeys([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return NewKeyring(keys)
}

func newGuardedEdge(t testing.TB, change ...func(*Options)) *edge {
	t.Helper()
	ring := newKeyring(t)
	return newEdge(t, append([]func(*Options){func(o *Options) { o.Guard.Keys = ring }}, change...)...)
}

// as makes a call with a key; "" = without one.
func (e *edge) as(key, method, target, body string) *answered {
	e.t.Helper()
	req := e.request(method, target, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	return e.send(req)
}

// asRocketChat makes a call with a key, and with the secret that one route wants instead.
func (e *edge) asRocketChat(key, method, target string) *answered {
	e.t.Helper()
	req := e.request(method, target, strings.NewReader(""))
	req.Header.Set(headerRocketChat, "sesame")
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	return e.send(req)
}

// matrix says of every route who may call it besides admin: g = gateways, v = viewers, * = everybody, - = nobody. It is
// written down apart from the table that the code uses, so that a slip there shows.
const matrix = `
*  GET /healthz
*  GET /readyz
v  GET /metrics
*  GET /openapi.yaml
*  GET /openapi.json
*  GET /docs
*  GET /docs/problems
*  GET /docs/style.css
-  POST /v1/operators
v  GET /v1/operators
v  GET /v1/operators/:id
-  PATCH /v1/operators/:id
-  DELETE /v1/operators/:id
-  POST /v1/operators/:id/release-all
-  POST /v1/sources
v  GET /v1/sources
v  GET /v1/sources/:id
-  PATCH /v1/sources/:id
-  DELETE /v1/sources/:id
v  GET /v1/sources/:id/shares
v  POST /v1/sources/:id/preview
v  GET /v1/sources/:id/operators
-  PUT /v1/sources/:id/operators/:operator_id
-  DELETE /v1/sources/:id/operators/:operator_id
-  POST /v1/leads
v  GET /v1/leads
v  GET /v1/leads/:id
-  PATCH /v1/leads/:id
-  DELETE /v1/leads/:id
v  GET /v1/leads/:id/contacts
g  POST /v1/contacts
gv GET /v1/contacts
gv GET /v1/contacts/:id
gv GET /v1/contacts/:id/history
gv GET /v1/contacts/:id/decision
g  POST /v1/contacts/batch
-  PATCH /v1/contacts/:id
-  POST /v1/contacts/:id/release
-  POST /v1/contacts/:id/reopen
-  POST /v1/contacts/:id/assign
g  POST /v1/contacts/:id/close
-  POST /v1/snapshots
*  GET /integrations/rocketchat/next
v  GET /log-level
-  PUT /log-level
-  GET /debug/pprof/*profile
-  POST /debug/pprof/*profile
`

// Catches: a route that nobody gave a role, and a role that opens more or less than it should. The routes are the
// engines' own.
func TestEveryRoleOnEveryRoute(t *testing.T) {
	want := map[string]string{}
	for line := range strings.Lines(strings.TrimSpace(matrix)) {
		who, route, _ := strings.Cut(strings.TrimSpace(line), " ")
		want[strings.TrimSpace(route)] = who
	}
	e := newGuardedEdge(t, func(o *Options) { o.Metrics, o.RocketChat = noMetrics, "sesame" })
	admin := newEdge(t)
	admin.outside = true
	admin.handler = NewAdmin(Options{LogLevel: new(slog.LevelVar), Guard: Guard{Keys: newKeyring(t)}})
	seen := map[string]bool{}
	for _, part := range []*edge{e, admin} {
		for _, r := range part.handler.(*gin.Engine).Routes() {
			name := strings.Replace(r.Method, "HEAD", "GET", 1) + " " + r.Path
			who, known := want[name]
			if _, listed := access[route{strings.Replace(r.Method, "HEAD", "GET", 1), r.Path}]; !known || !listed {
				t.Errorf("%s: who may call it? It is to be in roles.go and in this test", name)
				continue
			}
			seen[name] = true
			path := strings.NewReplacer(":id", "1", ":operator_id", "1", "*profile", "symbol").Replace(r.Path)
			for key, letter := range map[string]string{"": "*", "nonsense": "*", "old": "*", "watcher": "v", "all-chats": "g", "chat-1": "g", "root": "a"} {
				allowed := strings.Contains("a*"+who, letter) && (letter != "*" || who == "*") || who == "*"
				refusal := http.StatusForbidden
				if letter == "*" {
					refusal = http.StatusUnauthorized
				}
				got := part.asRocketChat(key, r.Method, path).status
				refused := got == http.StatusForbidden || got == http.StatusUnauthorized
				if r.Path == "/v1/contacts" && r.Method != http.MethodPost && key == "chat-1" {
					allowed = false // only with source_id: TestGatewaysSeeTheirSources
				}
				if refused == allowed || refused && got != refusal {
					t.Errorf("%s %s as %q: %d, allowed %v", r.Method, path, key, got, allowed)
				}
			}
		}
	}
	for name := range want {
		if !seen[name] {
			t.Errorf("%s is in the matrix, and there is no such route", name)
		}
	}
}

// Catches: a call without a key that learns what exists or changes anything, a 401 that does not say how, a scheme in
// other letters that is refused, two headers of which one counts.
func TestUnauthorized(t *testing.T) {
	e := newGuardedEdge(t)
	for _, header := range [][]string{
		nil, {""}, {"Bearer"}, {"Bearer "}, {"root"}, {"Basic root"}, {"Bearer root "}, {"Bearer  root"}, {"Bearer root", "Bearer root"},
		{"Bearer " + strings.Repeat("x", 300)}, {"Bearer " + HashKey("root")}, {"Bearer old"},
	} {
		for _, target := range []string{"/v1/sources", "/v1/nothing", "/v2", "/v1/sources/1"} {
			req := e.request("POST", target, strings.NewReader(`{"name":"x"}`))
			req.Header["Authorization"] = header
			a := e.send(req)
			a.problem(401, "unauthorized")
			if got := a.header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Bearer ") {
				t.Errorf("%q: WWW-Authenticate %q", header, got)
			}
		}
	}
	if a := e.as("root", "GET", "/v1/sources", ""); a.body != `{"items":[],"next":null}` {
		t.Errorf("somebody came in: %s", a.body)
	}
	e.as("watcher", "GET", "/v1/nothing", "").problem(404, "not_found")
	e.as("watcher", "DELETE", "/v1/sources", "").problem(405, "method_not_allowed")
	req := e.request("GET", "/v1/sources", nil)
	req.Header.Set("Authorization", "bEARER watcher")
	e.send(req).ok()
}

// Catches: a gateway that reads, lists, closes or posts what is another's, or learns that it exists; one that cannot do so
// with its own.
func TestGatewaysSeeTheirSources(t *testing.T) {
	e := newGuardedEdge(t)
	for range 2 {
		e.as("root", "POST", "/v1/sources", `{"name":"chat"}`).ok()
	}
	own := `{"source_id":1,"email":"a@example.org"}`
	other := `{"source_id":2,"email":"a@example.org"}`
	e.as("chat-1", "POST", "/v1/contacts", own).ok()
	e.as("all-chats", "POST", "/v1/contacts", other).ok()
	e.as("chat-1", "POST", "/v1/contacts", other).problem(403, "forbidden")
	e.as("chat-1", "POST", "/v1/contacts", `{"source_id":3,"email":"a@example.org"}`).problem(403, "forbidden")
	e.as("all-chats", "POST", "/v1/contacts", `{"source_id":3,"email":"a@example.org"}`).problem(404, "source_not_found")

	e.as("chat-1", "GET", "/v1/contacts/1", "").ok()
	hidden := e.as("chat-1", "GET", "/v1/contacts/2", "").problem(404, "contact_not_found")
	missing := e.as("chat-1", "GET", "/v1/contacts/9", "").problem(404, "contact_not_found")
	if strings.Replace(missing.Detail, "9", "2", 1) != hidden.Detail {
		t.Errorf("%q tells from %q that the contact exists", hidden.Detail, missing.Detail)
	}
	e.as("all-chats", "GET", "/v1/contacts/2", "").ok()
	e.as("watcher", "GET", "/v1/contacts/2", "").ok()

	e.as("chat-1", "GET", "/v1/contacts", "").problem(403, "forbidden")
	e.as("chat-1", "GET", "/v1/contacts?lead_id=1", "").problem(403, "forbidden")
	e.as("chat-1", "GET", "/v1/contacts?source_id=2", "").problem(403, "forbidden")
	for key, want := range map[string]int{"chat-1": 1, "all-chats": 1, "watcher": 1} {
		if items := e.as(key, "GET", "/v1/contacts?source_id=1", "").ok()["items"].([]any); len(items) != want {
			t.Errorf("%s sees %v", key, items)
		}
	}
	if items := e.as("all-chats", "GET", "/v1/contacts", "").ok()["items"].([]any); len(items) != 2 {
		t.Errorf("all-chats sees %v", items)
	}

	e.as("chat-1", "POST", "/v1/contacts/2/close", "").problem(404, "contact_not_found")
	if status := e.as("watcher", "GET", "/v1/contacts/2", "").ok()["status"]; status != "open" {
		t.Errorf("contact 2 is %v", status)
	}
	e.as("chat-1", "POST", "/v1/contacts/1/close", "").ok()
	e.as("all-chats", "POST", "/v1/contacts/2/close", "").ok()
}

// Catches: a batch, a history or a decision by which a gateway reaches another's contacts, and a secret of Rocket.Chat
// that a key can stand in for.
func TestKeysOfSourcesReachNoFurther(t *testing.T) {
	e := newGuardedEdge(t, func(o *Options) { o.RocketChat = "secret" })
	for range 2 {
		e.as("root", "POST", "/v1/sources", `{"name":"chat"}`).ok()
	}
	e.as("root", "POST", "/v1/contacts", strings.Replace(post, `"source_id":1`, `"source_id":2`, 1)).ok()
	items := e.as("chat-1", "POST", "/v1/contacts/batch", "["+strings.Replace(post, `"source_id":1`, `"source_id":2`, 1)+","+post+"]").ok()["items"].([]any)
	for i, want := range []float64{403, 201} {
		if got := items[i].(map[string]any)["status"]; got != want {
			t.Errorf("item %d: status %v, want %v", i, got, want)
		}
	}
	for _, path := range []string{"/v1/contacts/1/history", "/v1/contacts/1/decision"} {
		e.as("chat-1", "GET", path, "").problem(404, "contact_not_found")
	}
	e.as("chat-1", "GET", "/v1/contacts/2/history", "").ok()
	e.as("root", "GET", "/integrations/rocketchat/next?source_id=1", "").problem(401, "unauthorized")
	req := e.request("GET", "/integrations/rocketchat/next?source_id=1", nil)
	req.Header.Set(headerRocketChat, "secret")
	e.send(req).problem(404, "nobody_eligible")
}

// namingHouse notes who asked for a contact.
type namingHouse struct {
	*house
	callers, requests []string
}

func (n *namingHouse) CreateContact(ctx context.Context, c domain.NewContact, by domain.Stamp) (domain.Contact, bool, error) {
	n.callers, n.requests = append(n.callers, by.By), append(n.requests, RequestID(ctx))
	return n.house.CreateContact(ctx, c, by)
}

// Catches: a dispatcher that is not told who calls, or is told so of somebody else.
func TestDispatcherKnowsTheCaller(t *testing.T) {
	for _, guarded := range []bool{true, false} {
		naming := &namingHouse{}
		e := newEdge(t, func(o *Options) {
			naming.house = o.Dispatcher.(*house)
			o.Dispatcher = naming
			if guarded {
				o.Guard.Keys = newKeyring(t)
			}
		})
		e.as("root", "POST", "/v1/sources", `{"name":"chat"}`).ok()
		first := e.as("chat-1", "POST", "/v1/contacts", post).header.Get("X-Request-Id")
		second := e.as("root", "POST", "/v1/contacts", post).header.Get("X-Request-Id")
		want := []string{"chat-1", "root"}
		if !guarded {
			want = []string{"", ""}
		}
		if !slices.Equal(naming.callers, want) || !slices.Equal(naming.requests, []string{first, second}) || first == second {
			t.Errorf("callers %q, requests %q, want %q and %q", naming.callers, naming.requests, want, []string{first, second})
		}
	}
	if Caller(t.Context()) != "" || RequestID(t.Context()) != "" {
		t.Error("a context that no request is behind has a caller")
	}
}

// Catches: a key that works on after it was taken out, and a new one that does not work.
func TestKeysAreReplacedAtOnce(t *testing.T) {
	ring := newKeyring(t)
	e := newEdge(t, func(o *Options) { o.Guard.Keys = ring })
	e.as("watcher", "GET", "/v1/sources", "").ok()
	keys, err := ParseKeys([]byte("- {name: watcher, role: viewer, sha256: " + HashKey("fresh") + "}"))
	if err != nil {
		t.Fatal(err)
	}
	ring.Replace(keys)
	e.as("watcher", "GET", "/v1/sources", "").problem(401, "unauthorized")
	e.as("fresh", "GET", "/v1/sources", "").ok()
}

// Catches: a recovery that tells strangers about itself, or that looks dead to probes.
func TestStartingAsksForKeys(t *testing.T) {
	e := newEdge(t)
	e.handler = NewStarting(Options{Metrics: noMetrics, Guard: Guard{Keys: newKeyring(t)}})
	e.as("", "GET", "/metrics", "").problem(401, "unauthorized")
	e.as("", "GET", "/v1/contacts", "").problem(401, "unauthorized")
	e.as("watcher", "GET", "/v1/contacts", "").problem(503, "unavailable")
	for key, path := range map[string]string{"": "/healthz", "watcher": "/metrics"} {
		if a := e.as(key, "GET", path, ""); a.status != 200 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}
