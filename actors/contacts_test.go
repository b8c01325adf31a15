package actors

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"minicrm/domain"
)

func codeOf(err error) domain.Code {
	refusal, _ := errors.AsType[*domain.Error](err)
	if refusal == nil {
		return ""
	}
	return refusal.Code
}

// Catches: results in another order than the requests', good contacts that are held up by bad ones, a batch that is
// answered before all of it is settled, and repeats within one batch that make two contacts.
func TestManyContactsAtOnce(t *testing.T) {
	d, _ := furnished(t, &memoryJournal{}, 3, 2, 1000)
	var all []domain.NewContact
	for i := range 300 {
		n := domain.NewContact{Source: domain.SourceID(1 + i%4), Email: fmt.Sprintf("%d@example.com", i%70)} // 4 does not exist
		if i >= 200 {
			n.Source, n.Email, n.Key = 1, "same@example.com", fmt.Sprint("key", i%10)
		}
		all = append(all, n)
	}
	results, err := d.CreateContacts(t.Context(), all, by(2))
	check(t, err)
	made := map[string]domain.ContactID{}
	for i, r := range results {
		key := all[i].Key
		switch {
		case all[i].Source == 4:
			if codeOf(r.Err) != domain.CodeSourceNotFound {
				t.Errorf("contact %d: %+v", i, r)
			}
		case r.Err != nil || r.Contact.Source != all[i].Source || r.Contact.Status != domain.StatusAssigned:
			t.Errorf("contact %d: %+v", i, r)
		case key != "" && r.Replayed != (made[key] != 0), key != "" && r.Replayed && r.Contact.ID != made[key]:
			t.Errorf("contact %d with %s: %+v, the first made %d", i, key, r, made[key])
		case key != "":
			made[key] = r.Contact.ID
		}
	}
	if len(made) != 10 {
		t.Errorf("ten keys made %v", made)
	}
}

// Catches: posts that make no contact and use up ids all the same. After a billion of them in a row, a snapshot or the
// journal would have an id so far from the others that the next start took it for damage.
func TestOnlyContactsUseUpIDs(t *testing.T) {
	d, _ := furnished(t, &memoryJournal{}, 1, 1, 1)
	limit := func(n int) {
		_, err := d.ChangeSource(t.Context(), 1, domain.SourcePatch{BacklogLimit: &n}, by(2))
		check(t, err)
	}
	post := func(key, text string, want domain.ContactID, code domain.Code) {
		t.Helper()
		c, _, err := d.CreateContact(t.Context(), domain.NewContact{Source: 1, Email: "a@example.com", Text: text, Key: key}, by(3))
		if codeOf(err) != code || c.ID != want {
			t.Fatalf("got contact %d, %v, want %d, %q", c.ID, err, want, code)
		}
	}
	limit(1)
	post("", "", 1, "")
	post("key", "", 2, "")
	for range 50 {
		post("", "", 0, domain.CodeBacklogFull)
		post("key", "", 2, "")
		post("key", "other", 0, domain.CodeKeyReused)
	}
	limit(2)
	post("", "", 3, "")
}

// Catches: two copies of a request that race and make two contacts, and a repeat that is told another contact.
func TestCopiesOfARequestRace(t *testing.T) {
	log := &memoryJournal{}
	d, _ := furnished(t, log, 1, 2, 1000)
	var wg sync.WaitGroup
	ids := make([][]domain.ContactID, 20)
	for key := range ids {
		ids[key] = make([]domain.ContactID, 8)
		for i := range ids[key] {
			wg.Go(func() {
				n := domain.NewContact{Source: 1, Email: "a@example.com", Key: fmt.Sprint(key)}
				c, _, err := d.CreateContact(t.Context(), n, by(2))
				if err != nil {
					t.Error(err)
				}
				ids[key][i] = c.ID
			})
		}
	}
	wg.Wait()
	for key, same := range ids {
		if slices.Min(same) != slices.Max(same) || same[0] == 0 {
			t.Errorf("key %d made contacts %v", key, same)
		}
	}
	_, _, err := d.CreateContact(t.Context(), domain.NewContact{Source: 1, Email: "b@example.com", Key: "0"}, by(2))
	if codeOf(err) != domain.CodeKeyReused {
		t.Errorf("the same key with another body: %v", err)
	}
	check(t, d.Stop())
	again, _ := start(t, log)
	c, replayed, err := again.CreateContact(t.Context(), domain.NewContact{Source: 1, Email: "a@example.com", Key: "3"}, by(3))
	if err != nil || !replayed || c.ID != ids[3][0] {
		t.Errorf("after the restart: %+v, replayed %v, %v", c, replayed, err)
	}
}

// Catches: contacts that stay with an operator that is to be emptied, or come back to it, and counts that lie. With one
// source they are exact. With two, a seat may be on its way from one to the other when the answer is given: its contact
// counts as open, and has its operator a moment later.
func TestReleaseAll(t *testing.T) {
	for sources := 1; sources <= 2; sources++ {
		d, _ := furnished(t, &memoryJournal{}, sources, 2, 5)
		for i := range 9 {
			_, err := post(t.Context(), d, 1+i%sources, fmt.Sprintf("%d@example.com", i))
			check(t, err)
		}
		held, err := d.heldBy(2)
		check(t, err)
		drain := true
		_, err = d.ChangeOperator(t.Context(), 2, domain.OperatorPatch{Draining: &drain}, by(3))
		check(t, err)
		got, err := d.ReleaseAll(t.Context(), 2, by(3))
		check(t, err)
		free := 5 - (9 - len(held))
		if sources == 2 && got.Open == len(held) {
			waitFor(t, func() bool { return len(assigned(d, held)) == free })
			got.Assigned, got.Open = free, len(held)-free
		}
		if want := (domain.Released{Total: len(held), Assigned: free, Open: len(held) - free}); got != want {
			t.Errorf("%d sources: got %+v, want %+v", sources, got, want)
		}
		d.View(func(c *domain.Catalog) {
			if o, _ := c.Operator(2); o.Load != 0 || o.State() != "inactive" {
				t.Errorf("the emptied operator is %+v", o)
			}
			for _, was := range held {
				now, _ := c.Contact(was.ID)
				steps := now.History()
				if now.Operator == 2 || !slices.ContainsFunc(steps, func(s domain.Step) bool { return s.Kind == domain.StepReleased && s.From == 2 }) {
					t.Errorf("contact %+v with history %+v", now, steps)
				}
			}
		})
	}
}

// assigned are those of the contacts that somebody has now.
func assigned(d *Dispatcher, all []domain.Contact) (some []domain.Contact) {
	for _, c := range all {
		if now := contact(d, c.ID); now.Status == domain.StatusAssigned {
			some = append(some, now)
		}
	}
	return some
}

// Catches: a source or an operator that can be deleted while it is used, and one that answers after its end.
func TestDeletes(t *testing.T) {
	d, _ := furnished(t, &memoryJournal{}, 1, 1, 5)
	c, err := post(t.Context(), d, 1, "a@example.com")
	check(t, err)
	if err := d.DeleteOperator(t.Context(), 1, by(3)); codeOf(err) != domain.CodeOperatorBusy {
		t.Errorf("an operator with a contact: %v", err)
	}
	if err := d.DeleteSource(t.Context(), 1, by(3)); codeOf(err) != domain.CodeSourceLive {
		t.Errorf("a source with a contact: %v", err)
	}
	_, err = d.CloseContact(t.Context(), c.ID, "done", by(3))
	check(t, err)
	if err := d.DeleteOperator(t.Context(), 1, by(3)); codeOf(err) != domain.CodeOperatorBusy {
		t.Errorf("an operator with a link: %v", err)
	}
	check(t, d.DeleteSource(t.Context(), 1, by(3)))
	check(t, d.DeleteOperator(t.Context(), 1, by(3)))
	if _, err := post(t.Context(), d, 1, "b@example.com"); codeOf(err) != domain.CodeSourceNotFound {
		t.Errorf("a post to a deleted source: %v", err)
	}
	d.seats.sources.get(1).gone.Store(false) // as for what was in its mailbox
	if _, err := post(t.Context(), d, 1, "b@example.com"); codeOf(err) != domain.CodeSourceNotFound {
		t.Errorf("a post in the mailbox of a deleted source: %v", err)
	}
	if _, err := d.ReopenContact(t.Context(), c.ID, by(3)); codeOf(err) != domain.CodeSourceNotFound {
		t.Errorf("a reopening in a deleted source: %v", err)
	}
	if err := d.DeleteOperator(t.Context(), 1, by(3)); codeOf(err) != domain.CodeOperatorNotFound {
		t.Errorf("a second delete: %v", err)
	}
	if s, err := d.CreateSource(t.Context(), domain.NewSource{Name: "s", Backlog: domain.BacklogAuto}, by(3)); err != nil || s.ID != 2 {
		t.Errorf("the id of a deleted source was given again: %+v, %v", s, err)
	}
	if _, err := d.SetLink(t.Context(), 2, 1, 1, by(3)); codeOf(err) != domain.CodeOperatorNotFound {
		t.Errorf("a link of a deleted operator: %v", err)
	}
}
