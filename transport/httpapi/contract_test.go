package httpapi

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"minicrm/domain"
)

// The tests' own reading of openapi.yaml: every answer to every request of the tests of this package is held against it.

// contract is the document, ready to check with.
type contract struct {
	root       part
	operations []*operation
	problem    *jsonschema.Schema
}

// operation is one call.
type operation struct {
	id, method, path string
	roles            []string
	at               part // the operation
	shared           part // the parameters of its path
	body             map[string]*jsonschema.Schema
	bodyRequired     bool
	answers          map[int]*promised
}

// promised is what the contract says of answers with one status.
type promised struct {
	codes   []string // of problems
	content map[string]*jsonschema.Schema
	headers map[string]*jsonschema.Schema // that are always there
}

// theContract is read once: schemas are slow to compile.
var theContract = sync.OnceValue(loadContract)

func loadContract() *contract {
	root := readContract()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(root.JSON()))
	if err != nil {
		panic(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("openapi.json", document); err != nil {
		panic(err)
	}
	schema := func(p part) *jsonschema.Schema {
		return compiler.MustCompile("openapi.json#" + strings.NewReplacer("{", "%7B", "}", "%7D", "+", "%2B").Replace(p.pointer))
	}
	c := &contract{root: root, problem: schema(root.At("components", "schemas", "Problem"))}
	known := root.At("components", "schemas", "Code", "enum").Texts()
	for _, path := range root.At("paths").Each() {
		for _, at := range methods(path) {
			c.operations = append(c.operations, newOperation(path, at, known, schema))
		}
	}
	return c
}

var inBackticks = regexp.MustCompile("`([a-z_]+)`")

func newOperation(path, at part, known []string, schema func(part) *jsonschema.Schema) *operation {
	o := &operation{
		id: at.At("operationId").Text(), method: strings.ToUpper(at.Name()), path: path.Name(), roles: at.At("x-roles").Texts(),
		at: at, shared: path.At("parameters"), body: map[string]*jsonschema.Schema{}, answers: map[int]*promised{},
	}
	for _, media := range at.At("requestBody", "content").Each() {
		o.body[media.Name()] = schema(media.At("schema"))
	}
	o.bodyRequired = at.At("requestBody", "required").Text() == "true"
	for _, response := range at.At("responses").Each() {
		status, err := strconv.Atoi(response.Name())
		if err != nil {
			panic(err)
		}
		p := &promised{content: map[string]*jsonschema.Schema{}, headers: map[string]*jsonschema.Schema{}}
		for _, found := range inBackticks.FindAllStringSubmatch(response.At("description").Text(), -1) {
			if slices.Contains(known, found[1]) {
				p.codes = append(p.codes, found[1])
			}
		}
		for _, media := range response.At("content").Each() {
			p.content[media.Name()] = schema(media.At("schema"))
		}
		for _, header := range response.At("headers").Each() {
			if header.At("required").Text() == "true" {
				p.headers[header.Name()] = schema(header.At("schema"))
			}
		}
		o.answers[status] = p
	}
	return o
}

// find is the operation that a request is for; nil = there is none.
func (c *contract) find(method, path string) *operation {
	if method == http.MethodHead && path != "/integrations/rocketchat/next" { // to ask that one decides
		method = http.MethodGet
	}
	var found *operation
	for _, o := range c.operations {
		if o.method == method && matches(o.path, path) && (found == nil || !strings.Contains(o.path, "{")) {
			found = o
		}
	}
	return found
}

// matches says whether a path has the form of a template.
func matches(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if want[i] != got[i] && (!strings.HasPrefix(want[i], "{") || got[i] == "") {
			return false
		}
	}
	return true
}

// check says in what an answer breaks the contract.
func (c *contract) check(req *http.Request, sent string, a *answered) error {
	if a.status == statusClientGone || req.Method == http.MethodOptions && a.status == http.StatusNoContent {
		return nil
	}
	if len(a.header["X-Request-Id"]) != 1 {
		return fmt.Errorf("X-Request-Id: %q", a.header["X-Request-Id"])
	}
	o := c.find(req.Method, req.URL.Path)
	if o == nil {
		return c.checkProblem(a, []string{"not_found", "method_not_allowed", "unauthorized", "rate_limited", "unavailable"})
	}
	p := o.answers[a.status]
	if p == nil {
		return fmt.Errorf("the contract of %s has no status %d", o.id, a.status)
	}
	if a.status >= http.StatusBadRequest {
		if err := c.checkProblem(a, p.codes); err != nil {
			return err
		}
	} else if err := o.checkSent(req, sent); err != nil {
		return fmt.Errorf("accepted what the contract of %s does not allow: %w", o.id, err)
	}
	for name, schema := range p.headers {
		if err := checkText(schema, a.header.Get(name)); err != nil {
			return fmt.Errorf("header %s: %w", name, err)
		}
	}
	for _, name := range []string{"Location", "Retry-After", "Idempotent-Replayed", "WWW-Authenticate"} {
		if _, there := a.header[http.CanonicalHeaderKey(name)]; there && p.headers[name] == nil {
			return fmt.Errorf("the contract of %s, %d has no header %s", o.id, a.status, name)
		}
	}
	return p.checkBody(a)
}

func (c *contract) checkProblem(a *answered, codes []string) error {
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(a.body))
	if err != nil {
		return err
	}
	if err := c.problem.Validate(value); err != nil {
		return err
	}
	if code := value.(map[string]any)["code"]; !slices.Contains(codes, code.(string)) {
		return fmt.Errorf("the code %s is none of %q", code, codes)
	}
	return nil
}

func (p *promised) checkBody(a *answered) error {
	media, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	switch {
	case len(p.content) == 0 && a.body == "":
		return nil
	case p.content[media] == nil:
		return fmt.Errorf("the contract has no %q with status %d", media, a.status)
	case strings.HasSuffix(media, "json"):
		return checkJSON(p.content[media], a.body)
	}
	return checkText(p.content[media], a.body)
}

// checkSent holds a request that was accepted against the contract. Items of a batch are accepted on their own.
func (o *operation) checkSent(req *http.Request, sent string) error {
	media := req.Header.Get("Content-Type")
	if media == "" {
		media = "application/json"
	}
	schema := o.body[media]
	if schema == nil || o.id == "createContacts" || sent == "" && !o.bodyRequired {
		return nil
	}
	return checkJSON(schema, sent)
}

func checkJSON(schema *jsonschema.Schema, text string) error {
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// checkText checks a value that is not in JSON: as what it looks like.
func checkText(schema *jsonschema.Schema, text string) error {
	var value any = text
	if n, err := strconv.Atoi(text); err == nil && schema.Types != nil && slices.Contains(schema.Types.ToStrings(), "integer") {
		value = n
	}
	return schema.Validate(value)
}

// Catches: a route that the contract does not have, a call of the contract that there is not, roles that differ.
func TestContractHasEveryRoute(t *testing.T) {
	e := newEdge(t, func(o *Options) {
		o.Metrics, o.RocketChat = http.NotFoundHandler(), "sesame"
	})
	routes := map[route]bool{}
	for _, r := range e.handler.(*gin.Engine).Routes() {
		if r.Method != http.MethodHead {
			routes[route{r.Method, braces(r.Path)}] = true
		}
	}
	for _, o := range theContract().operations {
		name := route{o.method, o.path}
		if !routes[name] {
			t.Errorf("%v is in the contract, and there is no such route", name)
		}
		delete(routes, name)
		if want := rolesOf(o); !slices.Equal(o.roles, want) {
			t.Errorf("%v: roles %q, in the code %q", name, o.roles, want)
		}
	}
	for name := range routes {
		t.Errorf("%v is not in the contract", name)
	}
}

// rolesOf are the roles of a call as the contract writes them.
func rolesOf(o *operation) []string {
	who := access[route{o.method, colons(o.path)}]
	if who == anybody {
		return []string{"anybody"}
	}
	var names []string
	for _, name := range []string{"gateway", "viewer", "admin"} {
		if (who|RoleAdmin)&roleNames[name] != 0 {
			names = append(names, name)
		}
	}
	return names
}

var (
	colonName = regexp.MustCompile(`:([a-z_]+)`)
	braceName = regexp.MustCompile(`\{([a-z_]+)\}`)
)

func braces(path string) string { return colonName.ReplaceAllString(path, "{$1}") }
func colons(path string) string { return braceName.ReplaceAllString(path, ":$1") }

// Catches: a code that the contract does not know, one that only the contract knows, and one that no call can have.
func TestContractHasEveryCode(t *testing.T) {
	listed := theContract().root.At("components", "schemas", "Code", "enum").Texts()
	promisedBy := map[string]int{"not_found": http.StatusNotFound, "method_not_allowed": http.StatusMethodNotAllowed}
	for _, o := range theContract().operations {
		for status, p := range o.answers {
			if status >= 400 && len(p.codes) == 0 {
				t.Errorf("%s, %d: no code", o.id, status)
			}
			for _, code := range p.codes {
				promisedBy[code] = status
				if want := kinds[domain.Code(code)].status; want != status {
					t.Errorf("%s: %s with status %d, not %d", o.id, code, status, want)
				}
			}
		}
	}
	for code, k := range kinds {
		if !slices.Contains(listed, string(code)) || promisedBy[string(code)] != k.status {
			t.Errorf("%s: listed %v, promised with %d", code, slices.Contains(listed, string(code)), promisedBy[string(code)])
		}
	}
	if len(listed) != len(kinds) {
		t.Errorf("%d codes are listed, there are %d", len(listed), len(kinds))
	}
}
