package actors

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// mutant is a wrong program: the real one with one text replaced.
type mutant struct {
	name     string
	file     string // below the module's root
	old, new string
	caught   string // a pattern of what the simulation must say
}

var mutants = []mutant{{
	name:   "release before send",
	file:   "actors/seats.go",
	old:    "o.Free()...)\n\tp.Commit(r)\n\tp.fill(o, r.At)\n",
	new:    "o.Free()...)\n\tp.fill(o, r.At)\n\to.Unlock()\n\to.Lock()\n\tp.Commit(r)\n",
	caught: "cap",
}, {
	name:   "no second look after publishing the head",
	file:   "domain/desk.go",
	old:    "if d.assign(rank, at, event) {\n\t\t\td.unqueue",
	new:    "if false {\n\t\t\td.unqueue",
	caught: "work conserving",
}, {
	name:   "deactivation not one step with its event",
	file:   "actors/seats.go",
	old:    "o.Change(p))\n\ts.journal.Tell(c)\n",
	new:    "o.Change(p))\n\to.Unlock()\n\to.Lock()\n\ts.journal.Tell(c)\n",
	caught: "cap|holds nothing",
}, {
	name: "lead created after the contact went on",
	file: "actors/leads.go",
	old: "// identify finds or creates the lead of a contact.\nfunc (l *leads) identify(m *newContact) {\n" +
		"\tlead, known := l.registry.Lookup(m.Email)\n\tif !known {\n\t\tn := domain.NewLead{Email: m.Email, Name: m.Name, Phone: m.Phone}\n" +
		"\t\tlead = l.registry.Add(n)\n\t\tl.journal.Tell(leadCreated(command{Stamp: m.Stamp}, lead, n))\n",
	new: "type late struct {\n\tmailbox\n\tthen func()\n}\n\nfunc (b late) Tell(m any) { b.mailbox.Tell(m); b.then() }\n\n" +
		"func (l *leads) identify(m *newContact) {\n\tlead, known := l.registry.Lookup(m.Email)\n\tif !known {\n" +
		"\t\tn := domain.NewLead{Email: m.Email, Name: m.Name, Phone: m.Phone}\n\t\tlead = l.registry.Add(n)\n" +
		"\t\tc := leadCreated(command{Stamp: m.Stamp}, lead, n)\n" +
		"\t\tm.desk = &desk{mailbox: late{m.desk.mailbox, func() { l.journal.Tell(c) }}}\n",
	caught: "no lead",
}, {
	name:   "answer before the fsync",
	file:   "actors/journal.go",
	old:    "\tif err := j.log.Commit(); err != nil {",
	new:    "\tfor _, c := range j.batch {\n\t\tif c.waiter != nil {\n\t\t\tc.waiter.settle(j.catalog.committed, c.subject, c.err)\n\t\t\tc.waiter = nil\n\t\t}\n\t}\n\tif err := j.log.Commit(); err != nil {",
	caught: "told before it was durable",
}, {
	name:   "refusal that does not go through the journal",
	file:   "actors/seats.go",
	old:    "\tp.journal.Tell(&commit{command: p.settle(), err: err})\n",
	new:    "\tc := p.settle()\n\tc.waiter.settle(nil, c.subject, err)\n",
	caught: "told before it was durable",
}, {
	name:   "open shown after the heads were read",
	file:   "domain/seats.go",
	old:    "\tsource, rank := s.best()\n\tif rank == 0 {",
	new:    "\ts.shown.Store(0)\n\tsource, rank := s.best()\n\ts.show()\n\tif rank == 0 {",
	caught: "rest",
}, {
	name:   "a grant that is not elected once more",
	file:   "domain/seats.go",
	old:    "return s.Serves(source) && s.Take(rank)",
	new:    "return s.Serves(source) && s.Open() && s.Take(0)",
	caught: "overtaken",
}, {
	name:   "a new contact overtakes a published head",
	file:   "domain/seats.go",
	old:    "first != 0 && first < rank {",
	new:    "first != 0 && first < 0 {",
	caught: "overtaken",
}, {
	name:   "a seat that frees although somebody waits",
	file:   "actors/seats.go",
	old:    "o.Free()...)\n\tp.Commit(r)\n\tp.fill(o, r.At)\n",
	new:    "o.Free()...)\n\tp.Commit(r)\n",
	caught: "work conserving",
}, {
	name:   "an operator that can be linked before its record is sent",
	file:   "actors/seats.go",
	old:    "\tadded.Lock()\n\tdefer added.Unlock()\n",
	new:    "",
	caught: "LinkSet",
}, {
	name: "a frozen page that is written to",
	file: "domain/pages.go",
	old:  "case p.epochs[n] < p.epoch:",
	new:  "case p.epochs[n] > p.epoch:",
}, {
	name:   "an erasure that does not look for contacts on their way",
	file:   "actors/erase.go",
	old:    "case l.passing.any(id):",
	new:    "case false:",
	caught: "is not closed|was erased", // which of the two records comes first is chance
}, {
	name:   "a contact that is counted down before the catalog has it",
	file:   "actors/journal.go",
	old:    "\tif err := j.log.Commit(); err != nil {",
	new:    "\tfor _, c := range j.batch {\n\t\tif c.passed != 0 {\n\t\t\tj.passing.end(c.passed)\n\t\t\tc.passed = 0\n\t\t}\n\t}\n\tif err := j.log.Commit(); err != nil {",
	caught: "is not closed|was erased",
}, {
	name:   "a refused take that grants nothing",
	file:   "actors/seats.go",
	old:    "\t\tp.Commit(r)\n\t} else {\n\t\tp.finish(o, r.At, o.Retire())\n",
	new:    "\t\tp.Commit(r)\n",
	caught: "work conserving",
}, {
	name:   "an operator that comes or goes and tells no source",
	file:   "actors/seats.go",
	old:    "\tif o.Active != active {\n",
	new:    "\tif false && active {\n",
	caught: "at rest",
}, {
	name:   "a released contact that holds up the others",
	file:   "domain/desk.go",
	old:    "\t\tseats.PublishFor(s.operator, own)\n",
	new:    "",
	caught: "rest",
}, {
	name:   "a released contact that nobody is told of",
	file:   "domain/life.go",
	old:    "\td.publish() // before the seat",
	new:    "\t// before the seat",
	caught: "at rest",
}, {
	name:   "a draining that never ends",
	file:   "domain/seats.go",
	old:    "\tif !s.retire() {\n",
	new:    "\tif true || !s.retire() {\n",
	caught: "is draining and holds nothing",
}, {
	name:   "a draining that is not ended by a seat that comes back",
	file:   "actors/seats.go",
	old:    "\tif len(events) > 0 {\n\t\tp.journal",
	new:    "\tif false {\n\t\tp.journal",
	caught: "is draining and holds nothing",
}, {
	name:   "a repeat that does not wait for the first",
	file:   "actors/keys.go",
	old:    "\ts.port.Answer(nil)\n",
	new:    "\tc := s.port.settle()\n\tc.waiter.settle(s.catalog.committed, c.subject, nil)\n",
	caught: "told before it was durable",
}, {
	name:   "a key that is not known before it is committed",
	file:   "actors/source.go",
	old:    "&& key.Given() {\n\t\t\ts.keys",
	new:    "&& false {\n\t\t\ts.keys",
	caught: "exactly once",
}, {
	name:   "a reopening that an erasure does not see",
	file:   "actors/leads.go",
	old:    "\tm.passed = m.lead\n\tl.passing.begin(m.lead)\n\tm.desk.Tell(m)\n",
	new:    "\tm.desk.Tell(m)\n",
	caught: "erased",
}, {
	name:   "a raised priority that is published too late",
	file:   "domain/life.go",
	old:    "\t\td.publish() // before the journal says so: from then on nobody overtakes\n\t\td.seats.Commit(changed)\n",
	new:    "\t\td.seats.Commit(changed)\n\t\td.publish()\n",
	caught: "overtaken",
}}

// TestMutants builds wrong programs and requires that TestSimulation catches each, for the right reason.
func TestMutants(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program for each mutant")
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants {
		t.Run(strings.ReplaceAll(m.name, " ", "-"), func(t *testing.T) {
			out, err := m.simulate(t, root)
			if err == nil {
				t.Fatalf("the simulation does not notice")
			}
			if !regexp.MustCompile(m.caught).MatchString(out) || !strings.Contains(out, "TestSimulation") {
				t.Fatalf("want a failure with %q, got:\n%s", m.caught, out)
			}
		})
	}
}

// simulate runs the simulation of the mutant, built through an overlay, so that the tree stays as it is.
func (m mutant) simulate(t *testing.T, root string) (string, error) {
	path := filepath.Join(root, m.file)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), m.old); n != 1 {
		t.Fatalf("%s has the text to replace %d times, want 1", m.file, n)
	}
	dir := t.TempDir()
	mutated := filepath.Join(dir, "mutant.go")
	if err := os.WriteFile(mutated, []byte(strings.Replace(string(text), m.old, m.new, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {path: mutated}})
	if err != nil {
		t.Fatal(err)
	}
	overlayFile := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlayFile, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-overlay", overlayFile, "-run", "^TestSimulation$", "-count=1", "./actors",
		"-sim.first=1", "-sim.runs=1000")
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	return string(out), err
}
