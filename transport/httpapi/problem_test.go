package httpapi

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"minicrm/domain"
)

// failingHouse answers a new contact with an error, or panics with it.
type failingHouse struct {
	*house
	err   error
	panic any
}

func (f *failingHouse) CreateContact(context.Context, domain.NewContact, domain.Stamp) (domain.Contact, bool, error) {
	if f.panic != nil {
		panic(f.panic)
	}
	return domain.Contact{}, false, f.err
}

func newFailingEdge(t *testing.T, f failingHouse) *edge {
	e := newEdge(t, func(o *Options) {
		f.house = o.Dispatcher.(*house)
		o.Dispatcher = &f
	})
	e.outside = true
	return e
}

// codes lists the constants of type domain.Code, or Code, in a file.
func codes(t *testing.T, file string) (found []domain.Code) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || !strings.HasPrefix(strings.ToLower(spec.Names[0].Name), "code") {
			return true
		}
		code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, domain.Code(code))
		return true
	})
	return found
}

// Catches: a code that is added to the domain and answered with a 500, since nobody gave it a status.
func TestEveryCodeHasAStatus(t *testing.T) {
	all := append(codes(t, "../../domain/errors.go"), codes(t, "problem.go")...)
	if len(all) < 20 {
		t.Fatalf("only %d codes found: %v", len(all), all)
	}
	for _, code := range all {
		if k, known := kinds[code]; !known || k.status < 400 || k.title == "" || k.happened == "" || k.advice == "" {
			t.Errorf("%s has no status, title or explanation: %+v", code, k)
		}
	}
	if len(kinds) != len(all) {
		t.Errorf("%d codes, but %d in the table", len(all), len(kinds))
	}
}

// Catches: a problem whose members have other names, types or order than the contract's.
func TestProblemToTheByte(t *testing.T) {
	e := newEdge(t)
	a := e.do("POST", "/v1/operators", `{"max_load":-1}`)
	want := `{"type":"/docs/problems#invalid","title":"The request has bad values","status":422,"code":"invalid",` +
		`"detail":"the request has bad values","errors":[{"field":"name","message":"is required"},` +
		`{"field":"max_load","message":"must be between 0 and 1000, is -1"}]}`
	if a.body != want {
		t.Errorf("got  %s\nwant %s", a.body, want)
	}
	a = e.do("GET", "/v1/leads/4", "")
	want = `{"type":"/docs/problems#lead_not_found","title":"No such lead","status":404,"code":"lead_not_found","detail":"there is no lead 4"}`
	if a.body != want {
		t.Errorf("got  %s\nwant %s", a.body, want)
	}
}

// Catches: a refusal that is not recognised because somebody wrapped it, and a domain code without a status of its own; an
// expected refusal that is logged as a failure, and one that means trouble and is not logged.
func TestRefusalsOfTheDispatcher(t *testing.T) {
	for code, k := range kinds {
		err := fmt.Errorf("somewhere: %w", domain.Refuse(code, "because"))
		e := newFailingEdge(t, failingHouse{err: err})
		if p := e.do("POST", "/v1/contacts", post).problem(k.status, string(code)); p.Detail != "because" {
			t.Errorf("%s: detail %q", code, p.Detail)
		}
		kept := k.status == 401 || k.status == 403 || k.status == 429 || k.status == 503 || k.status == 507
		if strings.Count(e.log.String(), "\n") != strings.Count(e.log.String(), "level=WARN msg=request") || (e.log.Len() > 0) != kept {
			t.Errorf("%s: logged %q", code, e.log)
		}
	}
}

// Catches: an internal text shown to a client, or an error that nobody is told about.
func TestUnexpectedErrorsAreHiddenAndLogged(t *testing.T) {
	for name, err := range map[string]error{
		"plain":        errors.New("secret path /var/lib"),
		"unknown code": domain.Refuse("brand_new", "secret"),
		"no code":      &domain.Error{Message: "secret"},
		"deadline":     fmt.Errorf("secret: %w", context.DeadlineExceeded),
		"not our ctx":  fmt.Errorf("secret: %w", context.Canceled),
	} {
		e := newFailingEdge(t, failingHouse{err: err})
		a := e.do("POST", "/v1/contacts", post)
		a.problem(500, "internal")
		if strings.Contains(a.body, "secret") {
			t.Errorf("%s: leaked %s", name, a.body)
		}
		if got := e.log.String(); strings.Count(got, "secret") != 1 || !strings.Contains(got, "route=/v1/contacts") {
			t.Errorf("%s: log %q", name, got)
		}
	}
}

// Catches: a panic that ends the connection, that leaks, that leaves no stack in the log, or that keeps its place.
func TestPanicIsAnswered(t *testing.T) {
	for _, p := range []any{"secret", errors.New("secret"), new(int)} {
		e := newFailingEdge(t, failingHouse{panic: p})
		for range 3 {
			if a := e.do("POST", "/v1/contacts", post); strings.Contains(a.body, "secret") {
				t.Errorf("leaked %s", a.body)
			} else {
				a.problem(500, "internal")
			}
		}
		if got := e.log.String(); !strings.Contains(got, "failingHouse") {
			t.Errorf("no stack in %q", got)
		}
		if got := e.metric("minicrm_http_in_flight_requests"); got != 0 {
			t.Errorf("%v places are still taken", got)
		}
	}
}

// Catches: http.ErrAbortHandler turned into a 500 and logged as a bug.
func TestAbortIsPassedOn(t *testing.T) {
	e := newFailingEdge(t, failingHouse{panic: http.ErrAbortHandler})
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("recovered %v", err)
		}
		if e.log.Len() > 0 {
			t.Errorf("logged %s", e.log)
		}
	}()
	e.do("POST", "/v1/contacts", post)
}

// Catches: an answer that broke off in the middle and looks whole to the client.
func TestPanicInTheMiddleOfAnAnswerCutsTheConnection(t *testing.T) {
	e := newEdge(t, func(o *Options) {
		o.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("half"))
			panic("boom")
		})
	})
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("recovered %v", err)
		}
		if !strings.Contains(e.log.String(), "boom") {
			t.Errorf("log %q", e.log)
		}
	}()
	e.do("GET", "/metrics", "")
}

// Catches: a client that left counted as a failure of ours, and logged.
func TestClientGone(t *testing.T) {
	e := newFailingEdge(t, failingHouse{err: context.Canceled})
	ctx, cancel := context.WithCancel(t.Context())
	req := httptest.NewRequestWithContext(ctx, "POST", "/v1/contacts", &cancelAtEOF{strings.NewReader(post), cancel})
	a := e.send(req)
	if a.status != statusClientGone || a.body != "" || e.log.Len() > 0 {
		t.Errorf("%d %s, log %s", a.status, a.body, e.log)
	}
}

type cancelAtEOF struct {
	*strings.Reader
	cancel context.CancelFunc
}

func (r *cancelAtEOF) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil {
		r.cancel()
	}
	return n, err
}

// Catches: Gin's own text answers, a redirect for a slash too many, a 404 where the path is right, an incomplete Allow.
func TestUnknownRoutesAndMethods(t *testing.T) {
	e := newEdge(t)
	for _, path := range []string{"/", "/v1", "/v2/contacts", "/v1/contacts/", "/v1/operators/1/", "//v1/contacts", "/v1/Contacts", "/v1/nothing?%zz", "/v1/contacts/1/escalate", "/integrations/rocketchat/next"} {
		for _, method := range []string{"GET", "POST", "DELETE", "BREW"} {
			e.do(method, path, "").problem(404, "not_found")
		}
	}
	for _, c := range []struct{ method, path, allow string }{
		{"DELETE", "/v1/operators", "POST, GET, HEAD"},
		{"BREW", "/v1/operators/1", "GET, HEAD, PATCH, DELETE"},
		{"POST", "/v1/sources/1/operators/1", "PUT, DELETE"},
		{"OPTIONS", "/v1/contacts", "POST, GET, HEAD"},
		{"GET", "/v1/contacts/1/close", "POST"},
		{"POST", "/healthz", "GET, HEAD"},
	} {
		a := e.do(c.method, c.path, "")
		a.problem(405, "method_not_allowed")
		got, want := strings.Split(a.header.Get("Allow"), ", "), strings.Split(c.allow, ", ")
		if len(got) != len(want) {
			t.Errorf("%s %s: Allow %q, want %q", c.method, c.path, got, want)
		}
		for _, method := range want {
			if !strings.Contains(a.header.Get("Allow"), method) {
				t.Errorf("%s %s: Allow %q lacks %s", c.method, c.path, got, method)
			}
		}
	}
}
