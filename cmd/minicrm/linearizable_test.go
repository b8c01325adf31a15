package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

var (
	linearizeHistories = flag.Int("linearize.histories", 6, "histories of TestLinearizable")
	linearizeSeed      = flag.Uint64("linearize.seed", uint64(time.Now().UnixNano()), "seed of TestLinearizable")
)

const (
	linearizeClients = 8
	linearizeBursts  = 4                // until everything rests
	linearizeSteps   = 12               // of a client in a burst
	linearizeTimeout = 60 * time.Second // for what takes some milliseconds
)

// shape is one kind of history: how many seats there are, and what clients like to do.
type shape struct {
	name   string
	seats  []int                   // max_load by operator
	serves [modelSources]uint8     // see places
	fixed  uint8                   // bit o: operator o is never changed
	mix    [doReadOperator + 1]int // of commands
}

var shapes = []shape{{
	name: "tight", seats: []int{1, 2, 1}, serves: [modelSources]uint8{0b011, 0b110},
	mix: [...]int{doPost: 30, doClose: 30, doAssign: 12, doChange: 8, doReadContact: 10, doReadOperator: 10},
}, {
	name: "roomy", seats: []int{2, 100, 2}, serves: [modelSources]uint8{0b011, 0b110}, fixed: 0b010,
	mix: [...]int{doPost: 40, doClose: 16, doAssign: 14, doChange: 10, doReadContact: 10, doReadOperator: 10},
}, {
	name: "one", seats: []int{3}, serves: [modelSources]uint8{0b1, 0b1},
	mix: [...]int{doPost: 30, doClose: 30, doAssign: 10, doChange: 16, doReadContact: 4, doReadOperator: 10},
}}

// sources is the number of sources.
func (s shape) sources() (n int) {
	for _, serves := range s.serves {
		if serves != 0 {
			n++
		}
	}
	return n
}

// Catches: a seat given twice, an answer or a read that shows what no order of the commands explains (a stale read, a
// load that misses a contact, a close that a later read forgot), a command that takes effect after the server that did
// not answer it was dead, an acknowledged change that a restart loses, a contact that moves by itself, a contact told
// to wait though seats abound, and at rest, one that waits at all for somebody eligible. See porcupine_model_test.go.
//
// Each history is a few hundred commands of 8 clients on few operators, with kills; each burst ends at rest.
func TestLinearizable(t *testing.T) {
	t.Logf("rerun with -linearize.seed=%d (the clients do the same, the server's timing is its own)", *linearizeSeed)
	for i := range *linearizeHistories {
		shape := shapes[i%len(shapes)]
		t.Run(fmt.Sprintf("%d-%s", i, shape.name), func(t *testing.T) {
			h := newHistory(t, shape, rand.New(rand.NewPCG(*linearizeSeed, uint64(i))))
			for burst := range linearizeBursts {
				h.burst(burst%2 == 1 || i%2 == 1 && burst == 2)
			}
			h.s.kill()
			h.judge()
		})
	}
}

// history is a run of the server and what its clients saw.
type history struct {
	t     *testing.T
	data  string
	shape shape
	rng   *rand.Rand
	s     *server

	mu      sync.Mutex
	now     int64
	entries []*entry
	ids     []int64          // of contacts that were answered
	sources map[int64]int    // of contacts that exist, by id
	tokens  map[string]int64 // ids of contacts that exist
	kills   int
}

// entry is a command of a history.
type entry struct {
	client    int
	call, end int64
	command   modelCommand
	answer    modelAnswer
	id        int64  // of the contact, for a post from its answer
	source    int    // of a post
	token     string // of a post
	shown     world  // at rest
}

func newHistory(t *testing.T, shape shape, rng *rand.Rand) *history {
	t.Helper()
	h := &history{t: t, data: t.TempDir(), shape: shape, rng: rng, sources: map[int64]int{}, tokens: map[string]int64{}}
	h.s = startServer(t, h.data, "")
	for _, n := range shape.seats {
		h.s.must("POST", "/v1/operators", fmt.Sprintf(`{"name":"op","max_load":%d}`, n), nil)
	}
	for source, serves := range shape.serves {
		if serves == 0 {
			continue
		}
		h.s.must("POST", "/v1/sources", `{"name":"source"}`, nil)
		for op := range operatorsIn(serves) {
			h.s.must("PUT", fmt.Sprintf("/v1/sources/%d/operators/%d", source+1, op+1), `{"weight":1}`, nil)
		}
	}
	return h
}

func (h *history) tick() int64 {
	h.now++
	return h.now
}

// begin notes a command that is about to be sent.
func (h *history) begin(e *entry) *entry {
	h.mu.Lock()
	defer h.mu.Unlock()
	e.call, e.answer.none = h.tick(), true
	h.entries = append(h.entries, e)
	return e
}

// finish notes its answer.
func (h *history) finish(e *entry, a modelAnswer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e.answer, e.end = a, h.tick()
	if e.command.verb == doPost {
		h.ids = append(h.ids, e.id)
	}
}

// burst lets the clients send commands, kills the server in the midst of it or not, and ends at rest.
func (h *history) burst(kill bool) {
	steps := make([]int, linearizeClients)
	rngs := make([]*rand.Rand, linearizeClients)
	for i := range steps {
		steps[i], rngs[i] = linearizeSteps, rand.New(rand.NewPCG(h.rng.Uint64(), h.rng.Uint64()))
	}
	deadline := 0 // the number of answers after which the server is killed; 0 = never
	if kill {
		deadline = 1 + h.rng.IntN(linearizeClients*linearizeSteps*3/4)
	}
	killed := h.live(steps, rngs, deadline)
	if killed {
		h.restart()
		h.live(steps, rngs, 0)
	}
	h.rest()
}

// live runs the clients until they have no steps left, or the server is killed.
func (h *history) live(steps []int, rngs []*rand.Rand, deadline int) (killed bool) {
	var clients sync.WaitGroup
	var mu sync.Mutex
	for i := range steps {
		clients.Go(func() {
			c := &caller{h: h, client: i, rng: rngs[i]}
			for ; steps[i] > 0; steps[i]-- {
				if err := c.step(); err != nil {
					mu.Lock()
					defer mu.Unlock()
					if !killed {
						h.t.Errorf("client %d: %v", i, err)
					}
					return
				}
				mu.Lock()
				deadline--
				if deadline == 0 {
					killed = true
					h.s.kill()
				}
				mu.Unlock()
			}
		})
	}
	clients.Wait()
	return killed
}

// restart starts the server again. What got no answer took effect before, or never.
func (h *history) restart() {
	for _, e := range h.entries {
		if e.end == 0 {
			e.end = h.tick()
		}
	}
	h.kills++
	e := h.begin(&entry{client: linearizeClients, command: modelCommand{verb: doRestart}})
	h.s = startServer(h.t, h.data, "")
	h.finish(e, modelAnswer{})
}

// rest waits until everything is at rest, and notes what is there.
func (h *history) rest() {
	barrier(h.s, h.shape.sources())
	e := h.begin(&entry{client: linearizeClients, command: modelCommand{verb: doRest}})
	e.shown = readWorld(h.s)
	h.finish(e, modelAnswer{})
	for _, c := range e.shown.contacts {
		h.sources[c.ID], h.tokens[c.Text] = int(c.Source-1), c.ID
	}
}

// judge lets porcupine decide whether an order of the commands explains the history. At each rest the lists show all of
// the state, so what is between two rests is judged by itself: that is little enough to be decided at all.
func (h *history) judge() {
	p, operations := h.operations()
	start := time.Now()
	for _, part := range untilRests(operations) {
		h.judgePart(p, part)
		p.initial = *part[len(part)-1].Output.(modelAnswer).lists
	}
	h.t.Logf("%d commands on %d contacts, %d kills: judged in %v", len(operations), p.count, h.kills, time.Since(start).Round(time.Millisecond))
}

func (h *history) judgePart(p *places, part []porcupine.Operation) {
	model := p.model()
	result, info := porcupine.CheckOperationsVerbose(model, part, linearizeTimeout)
	if result == porcupine.Ok {
		return
	}
	page, err := os.CreateTemp("", "minicrm-linearizable-*.html") // left for whoever looks into it
	check(h.t, err)
	check(h.t, porcupine.Visualize(model, info, page))
	check(h.t, page.Close())
	if result == porcupine.Unknown {
		h.t.Errorf("undecided after %v: %d commands\nsee %s", linearizeTimeout, len(part), page.Name())
		return
	}
	h.t.Errorf("no order of the commands explains the history: %s\nsee %s", explained(model, info, part), page.Name())
}

// untilRests cuts a history, which ends at rest, behind each rest.
func untilRests(all []porcupine.Operation) (parts [][]porcupine.Operation) {
	from := 0
	for i, o := range all {
		if o.Input.(modelCommand).verb == doRest {
			parts = append(parts, all[from:i+1])
			from = i + 1
		}
	}
	return parts
}
