package domain

import (
	"fmt"
	"iter"
)

// Closed contacts do not stay for ever: they are written to an archive file and then forgotten by ContactsArchived. What
// stays of a forgotten contact is the day of its archive, 2 bytes by id, so that a reader can be told where it is: with
// its share of the pages 2.1 bytes. The page of 256 contacts itself is freed when all of them are forgotten.

// MaxArchived is the number of contacts that one ContactsArchived forgets at most: what one change of the catalog costs.
const MaxArchived = 1_000

// MaxRun is the number of contacts in one ArchivedRun at most: a damaged number must not make us allocate.
const MaxRun = 4096

const microsADay = 24 * 60 * 60 * 1_000_000

// Day is a day in UTC, counted from 1970-01-01.
type Day int64

// maxDay is in the year 2149. In pages of days, 0 is none.
const maxDay Day = 1<<16 - 2

// DayOf is the day of a moment.
func DayOf(t Time) Day { return Day(t / microsADay) }

// String is the day as YYYY-MM-DD.
func (d Day) String() string {
	// Howard Hinnant's civil_from_days: years begin in March, so that the leap day is the last of a year; eras have
	// 400 years.
	z := int64(d) + 719_468
	era, doe := z/146_097, z%146_097
	yoe := (doe - doe/1460 + doe/36_524 - doe/146_096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	month := (5*doy + 2) / 153
	day := doy - (153*month+2)/5 + 1
	year := yoe + era*400
	if month += 3; month > 12 {
		month, year = month-12, year+1
	}
	return fmt.Sprintf("%04d-%02d-%02d", year, month, day)
}

// Archive is the name of the file that the contacts closed on this day are archived in.
func (d Day) Archive() string { return "contacts-" + d.String() + ".ndjson.zst" }

// Archived is all that an archive keeps of a contact.
type Archived struct {
	Contact Contact
	Lead    Lead
	Names   []string // of who commanded something, by NameID from 1
}

// NameOf is a name that the contact's history mentions; "" = nobody in particular.
func (a *Archived) NameOf(id NameID) string { return nameOf(a.Names, id) }

// Forgotten says on which day's archive a contact that was forgotten is.
func (c *Catalog) Forgotten(id ContactID) (Day, bool) {
	if day := c.days.get(int64(id)); day != nil && *day != 0 {
		return Day(*day) - 1, true
	}
	return 0, false
}

// Gone is the refusal of a contact that the catalog does not have: it was archived, or there never was one.
func (c *Catalog) Gone(id ContactID) *Error {
	day, forgotten := c.Forgotten(id)
	if !forgotten {
		return NoContact(id)
	}
	err := Refuse(CodeContactArchived, "contact %d was closed long ago; it is in the archive %s", id, day.Archive())
	err.Archive = day.Archive()
	return err
}

// NoContact is the refusal of a contact that never was, or that the caller may not know of.
func NoContact(id ContactID) *Error {
	return Refuse(CodeContactNotFound, "there is no contact %d", id)
}

// ClosedBefore lists contacts that were closed before a moment, the first created first, from a place in commit order
// on. It looks at no more than limit closed contacts; next is where to go on, 0 = there are no more. A contact is never
// closed before it was created, so the search ends at the first that is too young; one that overtook another by a moment
// in the commit order is found a moment later.
func (c *Catalog) ClosedBefore(before Time, from uint32, limit int) (found []Archived, next uint32) {
	closed := &c.byStatus[StatusClosed]
	for place, ok := closed.Seek(from); ok; place, ok = closed.Seek(place + 1) {
		contact := c.placed(place)
		switch {
		case contact.CreatedAt >= before:
			return found, 0
		case limit == 0:
			return found, place
		case contact.ClosedAt < before:
			lead, _ := c.Lead(contact.Lead)
			found = append(found, Archived{c.contact(contact), lead, c.names.list})
		}
		limit--
	}
	return found, 0
}

func (c *Catalog) contactsArchived(e *ContactsArchived) error {
	if e.Day < 0 || e.Day > maxDay || len(e.IDs) == 0 || len(e.IDs) > MaxArchived {
		return fmt.Errorf("%d contacts of day %d", len(e.IDs), e.Day)
	}
	for _, id := range e.IDs {
		contact := c.contacts.get(int64(id))
		if !c.has(id) || contact.Status != StatusClosed {
			return fmt.Errorf("contact %d is not there, or not closed", id)
		}
		c.unlist(contact)
		c.drop(id)
		*c.days.edit(int64(id)) = uint16(e.Day + 1)
	}
	for _, id := range e.IDs { // what is archived may be erased there: nothing of it stays here
		c.contacts.pack(int64(id) / pageSize)
	}
	c.trim()
	return nil
}

// unlist takes a closed contact out of all indexes.
func (c *Catalog) unlist(contact *storedContact) {
	c.byStatus[StatusClosed].Remove(contact.Place)
	c.sources[contact.Source].contacts.Remove(contact.Place)
	if o := c.operator(contact.Operator); o != nil {
		o.contacts.Remove(contact.Place)
	}
	c.unchain(contact)
}

// drop empties a contact's place in its page, or drops the page when this was the last contact in it.
func (c *Catalog) drop(id ContactID) {
	n := int64(id) / pageSize
	if c.living[n]--; c.living[n] == 0 {
		c.contacts.drop(n)
		c.pasts.drop(n)
		c.chains.links.drop(n)
		return
	}
	contact := c.contacts.edit(int64(id))
	words := contact.size()
	*contact = storedContact{}
	c.contacts.discard(int64(id), words)
	if c.past(id) != nil {
		*c.pasts.edit(int64(id)) = nil
	}
}

// trim cuts what was forgotten off the beginning of the commit order. It never writes to what it keeps: a frozen view
// reads it.
func (c *Catalog) trim() {
	n := 0
	for n < len(c.order) && !c.has(c.order[n]) {
		n++
	}
	c.order = c.order[n:]
	c.trimmed += uint32(n)
}

func (c *Catalog) has(id ContactID) bool {
	p := c.contacts.get(int64(id))
	return p != nil && p.ID != 0 && id != 0
}

// placed is the contact at a place in commit order that an index has.
func (c *Catalog) placed(place uint32) *storedContact {
	return c.contacts.get(int64(c.idAt(place)))
}

// idAt is the id of the contact at a place in commit order that an index has.
func (c *Catalog) idAt(place uint32) ContactID { return c.order[place-c.trimmed-1] }

// places is the number of places given in commit order, forgotten ones included.
func (c *Catalog) places() uint32 { return max(c.thawed, c.trimmed+uint32(len(c.order))) }

// ArchivedRun is contacts with successive ids that were archived on one day.
type ArchivedRun struct {
	First ContactID
	Count int64
	Day   Day
}

// Forgotten lists the contacts that were forgotten, by id.
func (f *Frozen) Forgotten() iter.Seq[*ArchivedRun] {
	return func(yield func(*ArchivedRun) bool) {
		var run ArchivedRun
		for n, page := range f.days {
			if page == nil {
				continue
			}
			for i, day := range page.items {
				id := ContactID(n*pageSize + i)
				if day == 0 {
					continue
				}
				if run.Count > 0 && run.Count < MaxRun && run.Day == Day(day)-1 && run.First+ContactID(run.Count) == id {
					run.Count++
					continue
				}
				if run.Count > 0 && !yield(&run) {
					return
				}
				run = ArchivedRun{First: id, Count: 1, Day: Day(day) - 1}
			}
		}
		if run.Count > 0 {
			yield(&run)
		}
	}
}

// AddArchived adds the next run of a frozen catalog's forgotten contacts. It comes after all its contacts.
func (c *Catalog) AddArchived(r ArchivedRun) error {
	known := int64(max(len(c.days.list), len(c.contacts.list))) * pageSize
	switch {
	case r.Count < 1 || r.Count > MaxRun || r.Day < 0 || r.Day > maxDay:
		return fmt.Errorf("%d archived contacts of day %d", r.Count, r.Day)
	case r.First < 1 || r.First > c.nextIDs.contact-ContactID(r.Count) || int64(r.First) > known+maxIDGap:
		return fmt.Errorf("archived contact %d is out of range", r.First)
	}
	for id := r.First; id < r.First+ContactID(r.Count); id++ {
		if _, forgotten := c.Forgotten(id); forgotten || c.has(id) {
			return fmt.Errorf("contact %d exists twice", id)
		}
		*c.days.edit(int64(id)) = uint16(r.Day + 1)
	}
	return nil
}
