package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// deed is one kind of command in a race, and the codes with which it may be refused there: any other answer is wrong.
type deed struct {
	name     string
	send     func(r *racer) (method, path, body string)
	refusals []string
}

// racer is one client.
type racer struct {
	rng       *rand.Rand
	contacts  *atomic.Int64 // highest id that was given
	operators *atomic.Int64
	leads     *atomic.Int64
	held      *atomic.Int64 // a contact that somebody has, or had a moment ago
}

func (r *racer) contact() int64 { return 1 + r.rng.Int64N(max(1, r.contacts.Load())) }

// recent is one of the last contacts, or one that somebody has: there the racers meet.
func (r *racer) recent() int64 {
	if r.rng.IntN(2) == 0 {
		return max(1, r.held.Load())
	}
	return max(1, r.contacts.Load()-r.rng.Int64N(6))
}

// operator is one of the first two, or one of the last.
func (r *racer) operator() int64 {
	if r.rng.IntN(2) == 0 {
		return 1 + r.rng.Int64N(2)
	}
	return max(1, r.operators.Load()-r.rng.Int64N(4))
}

func onRecent(path, body string) func(*racer) (string, string, string) {
	return func(r *racer) (string, string, string) {
		return "POST", fmt.Sprintf("/v1/contacts/%d/%s", r.recent(), path), body
	}
}

var (
	unknownContact = []string{"contact_not_found", "contact_archived"}
	raceContacts   = deed{"post", func(r *racer) (string, string, string) {
		emails := []int{4, 1e6}[r.rng.IntN(2)] // leads that come back, and new ones
		return "POST", "/v1/contacts", fmt.Sprintf(`{"source_id":%d,"email":"p%d@example.com","priority":%d}`, 1+r.rng.IntN(2), r.rng.IntN(emails), r.rng.IntN(3))
	}, nil}
	raceClose    = deed{"close", onRecent("close", `{"reason":"done"}`), append([]string{"contact_closed"}, unknownContact...)}
	raceRelease  = deed{"release", onRecent("release", ""), append([]string{"contact_closed", "contact_open"}, unknownContact...)}
	raceReopen   = deed{"reopen", onRecent("reopen", ""), append([]string{"contact_not_closed", "lead_erased"}, unknownContact...)}
	raceTransfer = deed{"assign", func(r *racer) (string, string, string) {
		return "POST", fmt.Sprintf("/v1/contacts/%d/assign", r.recent()), fmt.Sprintf(`{"operator_id":%d}`, r.operator())
	}, append([]string{"contact_closed", "operator_full", "operator_inactive", "operator_not_found", "not_linked"}, unknownContact...)}
	raceErase = deed{"erase", func(r *racer) (string, string, string) {
		return "DELETE", fmt.Sprintf("/v1/leads/%d", max(1, r.leads.Load()-r.rng.Int64N(6))), ""
	}, []string{"lead_has_live_contacts", "lead_erased", "lead_not_found"}}
	racePriority = deed{"priority", func(r *racer) (string, string, string) {
		return "PATCH", fmt.Sprintf("/v1/contacts/%d", r.recent()), fmt.Sprintf(`{"priority":%d}`, r.rng.IntN(10))
	}, append([]string{"contact_not_open"}, unknownContact...)}
	raceMaxLoad = deed{"max_load", func(r *racer) (string, string, string) {
		return "PATCH", fmt.Sprintf("/v1/operators/%d", 1+r.rng.IntN(2)), fmt.Sprintf(`{"max_load":%d}`, 2+r.rng.IntN(3))
	}, nil}
	raceState = deed{"state", func(r *racer) (string, string, string) {
		states := []string{"active", "draining", "inactive", "active"}
		return "PATCH", fmt.Sprintf("/v1/operators/%d", r.operator()), fmt.Sprintf(`{"state":%q}`, states[r.rng.IntN(4)])
	}, []string{"operator_not_found"}}
	raceReleaseAll = deed{"release-all", func(r *racer) (string, string, string) {
		return "POST", fmt.Sprintf("/v1/operators/%d/release-all", r.operator()), ""
	}, []string{"operator_not_found"}}
	raceDelete = deed{"delete", func(r *racer) (string, string, string) {
		return "DELETE", fmt.Sprintf("/v1/operators/%d", max(3, r.operator())), ""
	}, []string{"operator_in_use", "operator_not_found"}}
	raceHire = deed{"hire", func(*racer) (string, string, string) {
		return "POST", "/v1/operators", `{"name":"late","max_load":2}`
	}, nil}
	raceLink = deed{"link", func(r *racer) (string, string, string) {
		return "PUT", fmt.Sprintf("/v1/sources/%d/operators/%d", 1+r.rng.IntN(2), r.operator()), fmt.Sprintf(`{"weight":%d}`, r.rng.IntN(3))
	}, []string{"operator_not_found"}}
	raceUnlink = deed{"unlink", func(r *racer) (string, string, string) {
		return "DELETE", fmt.Sprintf("/v1/sources/%d/operators/%d", 1+r.rng.IntN(2), max(3, r.operator())), ""
	}, []string{"link_not_found"}}
	raceLook = deed{"look", func(r *racer) (string, string, string) {
		paths := []string{"/v1/contacts/%d/history", "/v1/contacts/%d/decision", "/v1/contacts/%d"}
		return "GET", fmt.Sprintf(paths[r.rng.IntN(3)], r.contact()), ""
	}, append([]string{"no_decision", "decision_expired"}, unknownContact...)}
	raceBatch = deed{"batch", func(r *racer) (string, string, string) {
		item := fmt.Sprintf(`{"source_id":%d,"email":"p%d@example.com","idempotency_key":"k%d"}`, 1+r.rng.IntN(2), r.rng.IntN(4), r.rng.IntN(50))
		return "POST", "/v1/contacts/batch", "[" + item + "," + item + "]"
	}, nil}
	racePreview = deed{"preview", func(*racer) (string, string, string) { return "POST", "/v1/sources/1/preview", `{"n":100}` }, nil}
)

// The races that can happen. In each, its deeds meet on the same few contacts and operators.
var races = map[string][]deed{
	"release against close":             {raceContacts, raceClose, raceRelease, raceClose, raceRelease},
	"transfer against max_load":         {raceContacts, raceTransfer, raceTransfer, raceMaxLoad, raceClose},
	"delete against assign":             {raceContacts, raceTransfer, raceTransfer, raceHire, raceLink, raceUnlink, raceDelete, raceClose, raceReleaseAll},
	"reopen against erase and archive":  {raceContacts, raceClose, raceClose, raceReopen, raceReopen, raceErase},
	"draining against release and post": {raceContacts, raceState, raceReleaseAll, raceRelease, raceClose, racePriority},
	"all of it": {
		raceContacts, raceContacts, raceClose, raceClose, raceRelease, raceReopen, raceTransfer, raceErase, racePriority, raceMaxLoad, raceState,
		raceReleaseAll, raceDelete, raceHire, raceLink, raceUnlink, raceLook, raceBatch, racePreview,
	},
}

// Catches: commands that meet on one contact or operator and are both done by half: a seat that is freed twice or never,
// a limit that is passed, a contact of somebody who was erased or deleted, a record that cannot be replayed, a refusal
// that fits no order of what was sent. The server is killed in the middle of it, twice.
func TestRaces(t *testing.T) {
	for name, deeds := range races {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			like := racer{contacts: &atomic.Int64{}, operators: &atomic.Int64{}, leads: &atomic.Int64{}, held: &atomic.Int64{}}
			like.operators.Store(2)
			done := map[string]*atomic.Int64{}
			for _, d := range deeds {
				done[d.name] = &atomic.Int64{}
			}
			seed := rand.Uint64()
			for round := range 3 {
				s := startServer(t, data, "", "--retain-closed=1ms", "--snapshot-every=400")
				if round == 0 {
					s.furnish(2, 3, []int{1, 2})
				}
				s.race(deeds, done, like, seed+uint64(round), round < 2)
				if round == 2 {
					s.settled()
				}
				s.kill()
				wantRun(t, 0, "state: ", "wal", "verify", data)
				if strings.Contains(s.stderr.String(), "DATA RACE") {
					t.Error("the race detector found something")
				}
			}
			for name, n := range done {
				if n.Load() == 0 && len(deeds) < 12 { // of many, chance may leave one out
					t.Errorf("no %s was ever done (seed %d): it did not race", name, seed)
				}
			}
		})
	}
}

// race sends deeds from many clients for a while; killed ends it with a kill.
func (s *server) race(deeds []deed, done map[string]*atomic.Int64, like racer, seed uint64, killed bool) {
	s.t.Helper()
	const clients, steps = 12, 150
	var gone atomic.Bool
	var sent atomic.Int64
	var all sync.WaitGroup
	for client := range clients {
		all.Go(func() {
			r := &racer{rand.New(rand.NewPCG(seed, uint64(client))), like.contacts, like.operators, like.leads, like.held}
			for i := 0; i < steps || killed; i++ {
				d := deeds[r.rng.IntN(len(deeds))]
				method, path, body := d.send(r)
				got, err := s.send(method, path, body)
				switch {
				case err != nil && gone.Load():
					return
				case err != nil, got.status >= 300 && !slices.Contains(d.refusals, got.code()):
					s.t.Errorf("seed %d: %s %s %s: %d %.400s, %v", seed, method, path, body, got.status, got.body, err)
					return
				case got.status < 300:
					done[d.name].Add(1)
					r.learn(d, got)
				}
				if sent.Add(1) == clients*steps/2 && killed {
					gone.Store(true)
					s.kill()
					return
				}
			}
		})
	}
	all.Wait()
}

// learn notes the ids of what was made.
func (r *racer) learn(d deed, got reply) {
	var made struct {
		ID     int64
		Lead   int64 `json:"lead_id"`
		Status string
	}
	if json.Unmarshal([]byte(got.body), &made) != nil {
		return // it has no body
	}
	if made.Status == "assigned" {
		r.held.Store(made.ID)
	}
	switch d.name {
	case raceContacts.name:
		raise(r.contacts, made.ID)
		raise(r.leads, made.Lead)
	case raceHire.name:
		raise(r.operators, made.ID)
	}
}

func raise(highest *atomic.Int64, id int64) {
	for known := highest.Load(); id > known && !highest.CompareAndSwap(known, id); {
		known = highest.Load()
	}
}

// settled checks what the races left, once the seats that they freed have arrived, then closes everything and checks
// again: nobody holds or waits, and whoever was draining is inactive.
func (s *server) settled() {
	s.t.Helper()
	barrier(s, 2)
	w := readWorld(s)
	w.released = s.releasers(w.contacts)
	check(s.t, w.atRest())
	for _, c := range w.contacts {
		if c.Status != "closed" {
			s.must("POST", fmt.Sprintf("/v1/contacts/%d/close", c.ID), "", nil)
		}
	}
	barrier(s, 2)
	check(s.t, readWorld(s).atRest())
	for _, o := range list[struct {
		ID    int64
		Load  int
		State string
	}](s, "/v1/operators") {
		if o.Load != 0 || o.State == "draining" {
			s.t.Errorf("when everything is closed: %+v", o)
		}
	}
	for id := range int64(2) {
		got, err := s.send("GET", fmt.Sprintf("/v1/sources/%d", id+1), "")
		if err != nil || !strings.Contains(got.body, `"waiting":0`) {
			s.t.Errorf("when everything is closed: %+v, %v", got, err)
		}
	}
}

// releasers says of each contact that waits who released it, if anybody did.
func (s *server) releasers(contacts []contactView) map[int64]int64 {
	s.t.Helper()
	released := map[int64]int64{}
	for _, c := range contacts {
		if c.Status != "open" {
			continue
		}
		var history struct {
			Items []struct {
				What string
				From int64
			}
		}
		s.must("GET", fmt.Sprintf("/v1/contacts/%d/history", c.ID), "", &history)
		for _, step := range history.Items {
			switch step.What {
			case "released":
				released[c.ID] = step.From
			case "assigned", "reopened":
				delete(released, c.ID)
			}
		}
	}
	return released
}
