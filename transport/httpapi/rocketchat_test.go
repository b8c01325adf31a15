package httpapi

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"minicrm/domain"
)

// countingHouse counts decisions.
type countingHouse struct {
	*house
	drawn atomic.Int64
}

func (c *countingHouse) DrawOperator(ctx context.Context, source domain.SourceID, by domain.Stamp) (domain.Operator, error) {
	c.drawn.Add(1)
	return c.house.DrawOperator(ctx, source, by)
}

func newRocketChatEdge(t *testing.T) (*edge, *countingHouse) {
	t.Helper()
	counting := &countingHouse{}
	e := newEdge(t, func(o *Options) {
		counting.house = o.Dispatcher.(*house)
		o.Dispatcher, o.RocketChat = counting, "sesame"
	})
	e.source()
	for _, body := range []string{`{"name":"a","username":"ann","external_id":"u1"}`, `{"name":"b","username":"bob"}`, `{"name":"c","external_id":"u3"}`} {
		e.do("POST", "/v1/operators", body).ok()
	}
	for op := range 3 {
		e.link(1, op+1, 1)
	}
	return e, counting
}

func (e *edge) ask(query, token string) *answered {
	e.t.Helper()
	req := e.request("GET", "/integrations/rocketchat/next"+query, nil)
	if token != "" {
		req.Header.Set("X-RocketChat-Secret-Token", token)
	}
	return e.send(req)
}

// Catches: another shape than Rocket.Chat's, an operator that it does not know, weights that do not hold, a query that
// Rocket.Chat breaks, a contact or a load that comes of it.
func TestRocketChat(t *testing.T) {
	e, _ := newRocketChatEdge(t)
	const ann, bob = `{"_id":"u1","username":"ann"}`, `{"_id":"2","username":"bob"}`
	for i, query := range []string{
		"?source_id=1", "?source_id=1&departmentId=d", "?source_id=1?departmentId=d&ignoreAgentId=x", "?source_id=1?ignoreAgentId=x",
		"?departmentId=d&source_id=1", "?source_id=1?departmentId=a%3Fb",
	} {
		e.ask(query, "sesame").is(200, []string{ann, bob}[i%2])
	}
	if got := e.do("GET", "/v1/operators/1", "").ok()["load"]; got != 0.0 {
		t.Errorf("load %v", got)
	}
	e.do("GET", "/v1/contacts", "").is(200, `{"items":[],"next":null}`)
}

// Catches: an answer without the token, with part of it, or to HEAD; a route that is there without a token set.
func TestRocketChatRefusals(t *testing.T) {
	e, counting := newRocketChatEdge(t)
	for _, token := range []string{"", "sesam", "sesame2", "Sesame", "x"} {
		e.ask("?source_id=1", token).problem(401, "unauthorized")
	}
	e.ask("", "sesame").problem(422, "invalid", "source_id")
	for query, field := range map[string]string{
		"?source_id=x": "source_id", "?source_id=": "source_id", "?source_id=?departmentId=d": "source_id", "?source_id=1&n=2": "n", "?source_id=1?n=2": "n",
	} {
		e.ask(query, "sesame").problem(422, "invalid", field)
	}
	for _, method := range []string{"HEAD", "POST"} {
		e.do(method, "/integrations/rocketchat/next?source_id=1", "").problem(405, "method_not_allowed")
	}
	if n := counting.drawn.Load(); n != 0 {
		t.Errorf("%d decisions", n)
	}
	e.ask("?source_id=9", "sesame").problem(404, "source_not_found")
	for _, op := range []string{"1", "2"} {
		e.do("PATCH", "/v1/operators/"+op, `{"active":false}`).ok()
	}
	p := e.ask("?source_id=1", "sesame") // the third has no username
	p.problem(404, "nobody_eligible")
	if _, named := p.json()["username"]; named {
		t.Errorf("a refusal must not have a username: %s", p.body)
	}
	newEdge(t).do("GET", "/integrations/rocketchat/next?source_id=1", "").problem(404, "not_found")
}

// Catches: ten decisions for one chat, which would make weights a matter of chance, chats that share one, and a request
// that comes after the answer and is given the same again. In the bubble nobody is late.
func TestRocketChatAsksTenTimesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, counting := newRocketChatEdge(t)
		ask := func(times int, want ...string) {
			t.Helper()
			names := make([]string, times)
			var asked sync.WaitGroup
			for i := range names {
				asked.Go(func() { names[i] = e.ask("?source_id=1?departmentId=d", "sesame").ok()["username"].(string) })
			}
			asked.Wait()
			got := map[string]int{}
			for _, name := range names {
				got[name]++
			}
			for _, name := range want {
				if got[name] != times/len(want) {
					t.Errorf("%d requests: %v, want %v", times, got, want)
				}
			}
		}
		ask(10, "ann")
		ask(10, "bob")
		ask(1, "ann")
		ask(1, "bob") // one after the other: the first was not online
		ask(20, "ann", "bob")
		ask(7, "ann") // some of the ten are late, and share another
		ask(3, "bob")
		if n := counting.drawn.Load(); n != 8 {
			t.Errorf("%d decisions, want 8", n)
		}
	})
}
