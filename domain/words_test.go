package domain

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// Catches a string, a slice or a pointer that is added to what the catalog has millions of: each garbage collection would
// look at all of them, while commits wait.
func TestStoredItemsHaveNoPointers(t *testing.T) {
	for _, stored := range []any{
		storedContact{}, storedLead{}, chainLinks{}, chainEnds{}, legStep{}, liveContact{}, KeyUse{}, emailDigest{}, LeadID(0), ContactID(0),
	} {
		if field := pointerIn(reflect.TypeOf(stored)); field != "" {
			t.Errorf("%T has a pointer: %s", stored, field)
		}
	}
	if size := reflect.TypeFor[storedContact]().Size(); size > 96 {
		t.Errorf("a contact takes %d bytes: a page of 256 does not fit its size class any more", size)
	}
}

// pointerIn is the first field of a type that the garbage collector would have to look at; "" = none.
func pointerIn(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if in := pointerIn(t.Field(i).Type); in != "" {
				return t.Field(i).Name + " " + in
			}
		}
		return ""
	case reflect.Array:
		return pointerIn(t.Elem())
	case reflect.Pointer, reflect.String, reflect.Slice, reflect.Map, reflect.Interface, reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return t.String()
	default:
		return ""
	}
}

// scribe changes what people wrote, and knows what must be there.
type scribe struct {
	*Catalog
	t    *testing.T
	rng  *rand.Rand
	n    int
	live []ContactID // not closed
	shut []ContactID // closed
}

func (s *scribe) say(events ...Event) { apply(s.t, s.Catalog, Time(100+s.n), events...) }

// word is a text that nobody else wrote.
func (s *scribe) word() string {
	s.n++
	return fmt.Sprintf("<%d>", s.n) + strings.Repeat("x", s.rng.IntN(40))
}

func (s *scribe) take(from *[]ContactID) (Contact, bool) {
	if len(*from) == 0 {
		return Contact{}, false
	}
	i := s.rng.IntN(len(*from))
	id := (*from)[i]
	*from = append((*from)[:i:i], (*from)[i+1:]...)
	return s.Contact(id)
}

// step is one of the things that happen to words.
func (s *scribe) step() {
	lead := LeadID(1 + s.rng.IntN(s.leadCount))
	if known, _ := s.Lead(lead); known.Erased() {
		lead = LeadID(s.leadCount + 1)
		s.say(&LeadCreated{ID: lead, Email: s.word(), Name: s.word()})
	}
	switch n := s.rng.IntN(20); {
	case n < 8:
		id := s.NextContact()
		s.say(&ContactCreated{ID: id, Source: 1, Lead: lead, Text: s.word()})
		s.live = append(s.live, id)
	case n < 13:
		if c, ok := s.take(&s.live); ok {
			s.say(&ContactClosed{ID: c.ID, Source: c.Source, Operator: c.Operator, Reason: s.word()})
			s.shut = append(s.shut, c.ID)
		}
	case n < 15:
		if c, ok := s.take(&s.shut); ok {
			if lead, _ := s.Lead(c.Lead); lead.Erased() {
				s.say(&ContactsArchived{Day: 1, IDs: []ContactID{c.ID}})
				return
			}
			s.say(&ContactReopened{ID: c.ID, Source: c.Source})
			s.live = append(s.live, c.ID)
		}
	case n < 17:
		s.say(&LeadChanged{ID: lead, Name: ptr(s.word()), Phone: ptr(s.word())})
	case n < 19:
		if c, ok := s.take(&s.shut); ok {
			s.say(&ContactsArchived{Day: 1, IDs: []ContactID{c.ID}})
		}
	case s.LiveContact(lead) == 0:
		s.say(&LeadErased{ID: lead})
	}
}

// shown is all that a frozen view shows of leads and contacts, in memory of its own.
func shown(f *Frozen) string {
	var b strings.Builder
	for lead := range f.Leads() {
		fmt.Fprintf(&b, "%+v\n", *lead)
	}
	for contact := range f.Contacts() {
		fmt.Fprintf(&b, "%d %s %s %d %d %+v\n", contact.ID, contact.Text, contact.Reason, contact.Status, contact.ClosedAt, contact.Past())
	}
	return b.String()
}

// Catches a frozen view that changes, and (with -race) one whose memory is written to, while contacts are written, closed,
// reopened and archived and leads renamed and erased; words that are mixed up; and ones that are counted wrongly.
func TestFrozenWordsStay(t *testing.T) {
	seeded(t, 3, func(t *testing.T, rng *rand.Rand) {
		s := &scribe{Catalog: smallCatalog(t), t: t, rng: rng}
		s.say(&ContactClosed{ID: 1, Source: 1}, &ContactClosed{ID: 2, Source: 1, Operator: 1})
		for range 12 {
			frozen := s.Freeze()
			want := shown(frozen)
			var wait sync.WaitGroup
			wait.Go(func() {
				if got := shown(frozen); got != want {
					t.Errorf("while the catalog went on, the view became\n%s\nand was\n%s", got, want)
				}
			})
			for range 150 {
				s.step()
			}
			wait.Wait()
			if got := shown(frozen); got != want {
				t.Fatalf("the view became\n%s\nand was\n%s", got, want)
			}
			if err := s.Check(); err != nil {
				t.Fatal(err)
			}
			thawed, err := thaw(s.Freeze())
			if err == nil {
				err = thawed.Same(s.Catalog)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

// everything is all the words in a catalog's memory, also the dead ones.
func everything(c *Catalog) string {
	var b strings.Builder
	for _, table := range [][]*words{c.leads.words, c.contacts.words} {
		for _, w := range table {
			if w != nil {
				b.WriteString(w.buffer.String())
			}
		}
	}
	for id := range c.NextContact() {
		if past := c.past(id); past != nil {
			fmt.Fprintf(&b, "%+v", *past)
		}
	}
	return b.String()
}

// Catches an erasure that only forgets where the words are: none may be left in memory, nor one that was replaced before,
// nor one of a contact that went to the archive before.
func TestErasedWordsAreGone(t *testing.T) {
	c := smallCatalog(t)
	for id := ContactID(4); id < 2*pageSize; id++ { // neighbours, so that little of a page is dead
		apply(t, c, 90, &ContactCreated{ID: id, Source: 1, Lead: 1, Text: strings.Repeat("y", 50)})
	}
	apply(t, c, 91, &LeadCreated{ID: 2, Email: "eve-email", Name: "eve-name", Phone: "eve-phone"})
	apply(t, c, 92, &LeadChanged{ID: 2, Name: ptr("eve-other-name")})
	for lead := LeadID(3); lead < 20; lead++ {
		apply(t, c, 92, &LeadCreated{ID: lead, Email: fmt.Sprint(lead, "@example.com"), Name: "somebody"})
	}
	for i := range ContactID(3) {
		id := (2 + i) * pageSize
		apply(t, c, 93, &ContactCreated{ID: id, Source: 1, Lead: 2, Text: "eve-text"},
			&ContactClosed{ID: id, Source: 1, Reason: "eve-reason"}, &ContactReopened{ID: id, Source: 1},
			&ContactClosed{ID: id, Source: 1, Reason: "eve-other-reason"})
		apply(t, c, 93, &ContactCreated{ID: id + 1, Source: 1, Lead: 1, Text: strings.Repeat("y", 200)})
	}
	frozen := c.Freeze()
	if n := strings.Count(everything(c), "eve-"); n < 4+3*3 {
		t.Fatalf("%d words of eve", n)
	}
	apply(t, c, 94, &ContactsArchived{Day: 1, IDs: []ContactID{2 * pageSize}})
	apply(t, c, 95, &LeadErased{ID: 2})
	if _, left, found := strings.Cut(everything(c), "eve-"); found {
		t.Errorf("left is eve-%.20q", left)
	}
	if !strings.Contains(shown(frozen), "eve-text eve-other-reason") {
		t.Error("the frozen view lost what it had")
	}
	if err := c.Check(); err != nil {
		t.Error(err)
	}
}

// Catches words that are packed in the memory of a frozen view.
func TestPackLeavesFrozenViews(t *testing.T) {
	var table table[storedLead, *storedLead]
	for at, name := range []string{"ann", "bob"} {
		lead := table.edit(int64(at))
		lead.wordsAt, lead.nameLength = table.write(int64(at), name), 3
	}
	table.edit(0).nameLength = 0
	table.words[0].dead = 3
	frozen := table.freeze()
	table.pack(0)
	for _, v := range []tableView[storedLead]{frozen, table.view()} {
		if bob := v.get(1).lead(2, v.textOf(1)); bob.Name != "bob" {
			t.Errorf("bob is %+v", bob)
		}
	}
	if left := table.textOf(0); left != "bob" {
		t.Errorf("left is %s", left)
	}
}

// Catches memory that grows with every name that is replaced, and every contact that is reopened.
func TestDeadWordsAreBounded(t *testing.T) {
	c := smallCatalog(t)
	apply(t, c, 90, &ContactClosed{ID: 1, Source: 1})
	for i := range 5_000 {
		apply(t, c, 90, &LeadChanged{ID: 1, Name: ptr(strings.Repeat("n", i%MaxName))},
			&ContactReopened{ID: 1, Source: 1}, &ContactClosed{ID: 1, Source: 1, Reason: strings.Repeat("r", i%MaxReason)})
	}
	for _, w := range []*words{c.leads.words[0], c.contacts.words[0]} {
		if room := w.buffer.Cap(); room > 2_000 {
			t.Errorf("%d bytes for the words of one lead and three contacts", room)
		}
	}
	if err := c.Check(); err != nil {
		t.Error(err)
	}
}

// Catches a reason that was noted as a past step in the words of its page: it would keep them all in memory for as long as
// the contact is there, also those of others that were erased.
func TestPastReasonsKeepNoOtherWords(t *testing.T) {
	const pages = 4
	c := smallCatalog(t)
	closing := &ContactsArchived{Day: 1}
	for id := ContactID(pageSize); id < (1+pages)*pageSize; id++ {
		apply(t, c, 90, &ContactCreated{ID: id, Source: 1, Lead: 1, Text: strings.Repeat("x", MaxText)}, &ContactClosed{ID: id, Source: 1, Reason: "r"})
		if id%pageSize == 0 {
			apply(t, c, 90, &ContactReopened{ID: id, Source: 1})
			continue
		}
		closing.IDs = append(closing.IDs, id)
	}
	before := inUse()
	for len(closing.IDs) > 0 {
		n := min(MaxArchived, len(closing.IDs))
		apply(t, c, 91, &ContactsArchived{Day: 1, IDs: closing.IDs[:n]})
		closing.IDs = closing.IDs[n:]
	}
	if freed, want := before-inUse(), int64(pages*(pageSize-1)*MaxText); freed < want*9/10 {
		t.Errorf("%d bytes were freed, want %d", freed, want)
	}
	runtime.KeepAlive(c)
}

func inUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
