package main

import (
	"testing"

	"github.com/anishathalye/porcupine"
)

// The proof that the model can fail: hand-made histories, wrong ones and their right neighbours. In all of them source 0
// has operators 0 and 1, source 1 has operators 1 and 2, operator 0 has 1 seat, operator 1 none, operator 2 has 2.

// script makes a history of commands that follow each other, but for those that are said to overlap.
type script struct {
	operations []porcupine.Operation
	now        int64
}

// then is a command that is sent after all before it were answered.
func (s *script) then(c modelCommand, a modelAnswer) *script {
	s.now += 2
	return s.spanning(s.now, s.now+1, c, a)
}

// spanning is a command with times of its own. A command that comes then is after all of them.
func (s *script) spanning(from, to int64, c modelCommand, a modelAnswer) *script {
	s.operations = append(s.operations, porcupine.Operation{Input: c, Call: from, Output: a, Return: to})
	s.now = max(s.now, to)
	return s
}

func posting(contact int) modelCommand { return modelCommand{verb: doPost, contact: contact} }
func ending(contact int) modelCommand  { return modelCommand{verb: doClose, contact: contact} }
func giving(contact, op int, force bool) modelCommand {
	return modelCommand{verb: doAssign, contact: contact, operator: op, force: force}
}
func seating(op int, n int8) modelCommand {
	return modelCommand{verb: doChange, operator: op, maxLoad: &n}
}
func looking(contact int) modelCommand  { return modelCommand{verb: doReadContact, contact: contact} }
func lookingAt(op int) modelCommand     { return modelCommand{verb: doReadOperator, operator: op} }
func to(op int) modelAnswer             { return modelAnswer{contact: modelContact{isAssigned, int8(op + 1)}} }
func by(how string, op int) modelAnswer { a := to(op); a.how = how; return a }
func waiting() modelAnswer              { return modelAnswer{contact: modelContact{status: isOpen}} }
func ended(op int) modelAnswer          { return modelAnswer{contact: modelContact{isClosed, int8(op + 1)}} }
func no(code string) modelAnswer        { return modelAnswer{code: code} }
func loaded(load, maxLoad int8) modelAnswer {
	return modelAnswer{operator: modelOperator{active: true, load: load, maxLoad: maxLoad}}
}

var (
	nothing  = modelAnswer{none: true}
	nobody   = -1
	restarts = modelCommand{verb: doRestart}
	rests    = modelCommand{verb: doRest}
)

// listing is what the lists show: loads of the three operators, and contacts.
func listing(seats [3]int8, loads [3]int8, contacts ...modelContact) modelAnswer {
	s := &modelState{}
	for i := range loads {
		s.operators[i] = modelOperator{active: true, load: loads[i], maxLoad: seats[i]}
	}
	copy(s.contacts[:], contacts)
	return modelAnswer{lists: s}
}

// proofSeats are the seats of the operators at the begin.
var proofSeats = [3]int8{1, 0, 2}

// proofs are the histories, and whether the model has to explain them.
var proofs = []struct {
	name   string
	right  bool
	script *script
}{
	{"one seat, one contact", true, (&script{}).then(posting(0), to(0)).then(posting(1), waiting())},
	{"cap: one seat, two contacts", false, (&script{}).then(posting(0), to(0)).then(posting(1), to(0))},
	{"cap: a seat of somebody who serves another source", false, (&script{}).then(posting(0), to(2))},
	{"cap: by hand, past full, without force", false, (&script{}).then(posting(0), to(0)).then(posting(1), waiting()).
		then(giving(1, 0, false), by("manual", 0))},
	{"by hand, past full, with force", true, (&script{}).then(posting(0), to(0)).then(posting(1), waiting()).
		then(giving(1, 0, true), by("forced", 0)).then(lookingAt(0), loaded(2, 1))},
	{"force that was not needed", false, (&script{}).then(seating(1, 9), loaded(0, 9)).then(seating(0, 2), loaded(0, 2)).
		then(rests, listing([3]int8{2, 9, 2}, [3]int8{})).
		then(posting(0), to(0)).then(giving(0, 1, true), by("forced", 1))},
	{"not linked", true, (&script{}).then(posting(0), to(0)).then(giving(0, 2, true), no("not_linked"))},
	{"assigned to somebody who is not linked", false, (&script{}).then(posting(0), to(0)).then(giving(0, 2, true), by("manual", 2))},

	{"a close frees the seat", true, (&script{}).then(posting(0), to(0)).then(ending(0), ended(0)).then(posting(1), to(0))},
	{"a close that is forgotten", false, (&script{}).then(posting(0), to(0)).then(ending(0), ended(0)).then(looking(0), to(0))},
	{"a close that a restart forgets", false, (&script{}).then(posting(0), to(0)).then(ending(0), ended(0)).
		then(restarts, modelAnswer{}).then(lookingAt(0), loaded(1, 1))},
	{"closed twice", false, (&script{}).then(posting(0), to(0)).then(ending(0), ended(0)).then(ending(0), ended(0))},
	{"closed while it waits", true, (&script{}).then(posting(0), to(0)).then(posting(1), waiting()).then(ending(1), ended(nobody)).
		then(ending(0), ended(0)).then(lookingAt(0), loaded(0, 1))},
	{"closed while nobody held it", false, (&script{}).then(posting(0), to(0)).then(ending(0), ended(nobody))},
	{"refused as closed, and nobody closed it", false, (&script{}).then(posting(0), to(0)).then(ending(0), no("contact_closed"))},

	{"a stale read of a load", false, (&script{}).then(posting(0), to(0)).then(lookingAt(0), loaded(0, 1))},
	{"a read beside the command", true, (&script{}).spanning(2, 5, posting(0), to(0)).spanning(3, 4, lookingAt(0), loaded(0, 1))},
	{"two reads that go back", false, (&script{}).spanning(2, 9, posting(0), to(0)).
		spanning(3, 4, lookingAt(0), loaded(1, 1)).spanning(5, 6, lookingAt(0), loaded(0, 1))},
	{"max_load that is forgotten", false, (&script{}).then(seating(0, 2), loaded(0, 2)).then(restarts, modelAnswer{}).
		then(lookingAt(0), loaded(0, 1))},

	{"a contact that moves by itself", false, (&script{}).then(seating(1, 2), loaded(0, 2)).then(posting(0), to(0)).then(looking(0), to(1))},
	{"a double assignment", false, (&script{}).then(seating(1, 2), loaded(0, 2)).then(posting(0), to(0)).
		then(lookingAt(0), loaded(1, 1)).then(lookingAt(1), loaded(1, 2))},
	{"a transfer that keeps the seat", false, (&script{}).then(seating(1, 2), loaded(0, 2)).then(posting(0), to(0)).
		then(giving(0, 1, false), by("manual", 1)).then(lookingAt(0), loaded(1, 1))},

	{"a freed seat goes to who waits", true, (&script{}).then(posting(0), to(0)).then(posting(1), waiting()).
		then(ending(0), ended(0)).then(looking(1), waiting()).then(looking(1), to(0)).then(lookingAt(0), loaded(1, 1))},
	{"a freed seat goes to the younger", false, (&script{}).then(posting(0), to(0)).then(posting(1), waiting()).
		then(posting(2), waiting()).then(ending(0), ended(0)).then(looking(2), to(0))},
	{"a new contact overtakes its source's backlog", false, (&script{}).then(posting(0), to(0)).then(posting(1), waiting()).
		then(ending(0), ended(0)).then(posting(2), to(0)).then(looking(1), waiting())},
	{"a seat freed for one is given to two", false, (&script{}).then(posting(0), to(0)).then(posting(1), waiting()).
		then(posting(2), waiting()).then(ending(0), ended(0)).then(looking(1), to(0)).then(looking(2), to(0))},
	{"ids that descend", false, (&script{}).then(posting(1), to(0)).then(posting(0), waiting())},

	{"told to wait though seats abound", false, (&script{}).then(seating(1, 9), loaded(0, 9)).
		then(rests, listing([3]int8{1, 9, 2}, [3]int8{})).then(posting(0), waiting())},
	{"told to wait for a seat that may be on its way", true, (&script{}).then(posting(0), to(0)).then(ending(0), ended(0)).
		then(posting(1), waiting())},
	{"waits at rest for somebody eligible", false, (&script{}).then(posting(0), to(0)).then(ending(0), ended(0)).
		then(posting(1), waiting()).then(rests, listing(proofSeats, [3]int8{}, ended(0).contact, waiting().contact))},
	{"a start that drains nothing", false, (&script{}).then(posting(0), to(0)).then(posting(1), waiting()).
		then(ending(0), ended(0)).then(restarts, modelAnswer{}).then(looking(1), waiting())},
	{"lists that miss a contact", false, (&script{}).then(posting(0), to(0)).then(posting(1), waiting()).
		then(rests, listing(proofSeats, [3]int8{1, 0, 0}, to(0).contact))},
	{"lists with a load too many", false, (&script{}).then(posting(0), to(0)).
		then(rests, listing(proofSeats, [3]int8{1, 1, 0}, to(0).contact))},

	{"a close without an answer, done", true, (&script{}).then(posting(0), to(0)).then(ending(0), nothing).
		then(restarts, modelAnswer{}).then(looking(0), ended(0))},
	{"a close without an answer, not done", true, (&script{}).then(posting(0), to(0)).then(ending(0), nothing).
		then(restarts, modelAnswer{}).then(looking(0), to(0))},
	{"a close without an answer, done long after", false, (&script{}).then(posting(0), to(0)).then(ending(0), nothing).
		then(restarts, modelAnswer{}).then(looking(0), to(0)).then(looking(0), ended(0))},
	{"a close without an answer, half done", false, (&script{}).then(posting(0), to(0)).then(ending(0), nothing).
		then(restarts, modelAnswer{}).then(looking(0), ended(0)).then(lookingAt(0), loaded(1, 1))},
	{"a post without an answer, done", true, (&script{}).then(posting(0), nothing).
		then(restarts, modelAnswer{}).then(lookingAt(0), loaded(1, 1)).then(looking(0), to(0))},
	{"a transfer without an answer, half done", false, (&script{}).then(seating(1, 2), loaded(0, 2)).then(posting(0), to(0)).
		then(giving(0, 1, false), nothing).then(restarts, modelAnswer{}).then(looking(0), to(1)).then(lookingAt(0), loaded(1, 1))},
}

// Catches: a model that accepts everything, or that refuses what the design allows.
func TestLinearizableProof(t *testing.T) {
	for _, c := range proofs {
		t.Run(c.name, func(t *testing.T) {
			p := &places{serves: [modelSources]uint8{0b011, 0b110}, count: 3}
			for i, n := range proofSeats {
				p.initial.operators[i] = modelOperator{exists: true, active: true, maxLoad: n}
			}
			if got := porcupine.CheckOperations(p.model(), c.script.operations); got != c.right {
				t.Errorf("explained: %t", got)
			}
		})
	}
}
