package httpapi

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	randomRequests = flag.Int("contract.requests", 3000, "requests that TestRandomRequests sends")
	randomSeed     = flag.Uint64("contract.seed", 0, "seed of TestRandomRequests; 0 = another one each time")
)

const requestsOfAHouse = 400 // then a new one is begun, so that early states are seen often

// Catches: a request that is a 500 or a panic, an answer that the contract does not have, a good request that is called bad,
// and a bad one that is taken. The requests are made of the contract's own schemas.
func TestRandomRequests(t *testing.T) {
	seed := *randomSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("again with -contract.seed=%d", seed)
	m := &maker{Rand: rand.New(rand.NewPCG(seed, 0))}
	operations := theContract().operations
	tally := map[string]int{}
	var e *edge
	for i := range *randomRequests {
		if i%requestsOfAHouse == 0 {
			e = randomEdge(t)
		}
		o := operations[m.IntN(len(operations))]
		if o.id == "nextForRocketChat" && !m.chance(10) {
			continue // each waits for others
		}
		d := m.make(o, m.chance(40))
		a := e.send(d.request(e))
		if wrong := m.judge(d, a); wrong != "" || t.Failed() || e.log.Len() > 0 && strings.Contains(e.log.String(), "level=ERROR") {
			t.Fatalf("request %d of seed %d: %s\n%s\nspoiled: %q\nanswer: %d %.1000s\nlog: %s", i, seed, wrong, d, m.spoiled, a.status, a.body, e.log)
		}
		e.log.Reset()
		m.count(tally, d, a)
	}
	for _, name := range sortedKeys(tally) {
		t.Logf("%-40s %d", name, tally[name])
	}
}

func randomEdge(t *testing.T) *edge {
	e := newGuardedEdge(t, func(o *Options) {
		o.RocketChat, o.SnapshotEvery, o.Metrics = "sesame", 1000, noMetrics
	})
	for op := range 3 {
		e.as("root", "POST", "/v1/operators", fmt.Sprintf(`{"name":"op","max_load":%d,"username":"u"}`, op+1)).ok()
		e.as("root", "POST", "/v1/sources", `{"name":"chat"}`).ok()
		e.as("root", "PUT", fmt.Sprintf("/v1/sources/1/operators/%d", op+1), `{"weight":2}`).ok()
	}
	return e
}

// judge says what is wrong with the answer, besides what the contract says.
func (m *maker) judge(d *draft, a *answered) string {
	refused := slices.Contains([]int{http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType}, a.status) ||
		a.status == http.StatusUnprocessableEntity && !strings.Contains(a.body, "idempotency_key_reused")
	switch {
	case a.status == http.StatusInternalServerError:
		return "a failure"
	case d.key != "root" && (a.status == http.StatusUnauthorized || a.status == http.StatusForbidden):
		return ""
	case m.spoiled == "" && refused:
		return "a good request was refused"
	case m.spoiled != "" && !refused:
		return "a bad request was taken"
	}
	return ""
}

func (m *maker) count(tally map[string]int, d *draft, a *answered) {
	tally["requests"]++
	tally[fmt.Sprintf("status %d", a.status)]++
	if m.spoiled != "" {
		tally["with something wrong"]++
	}
	if a.status < 300 {
		tally["done: "+d.op.id]++
	}
}

func sortedKeys(tally map[string]int) []string {
	var names []string
	for name := range tally {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
