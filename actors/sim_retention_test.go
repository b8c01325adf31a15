package actors

import (
	"errors"
	"fmt"

	"minicrm/domain"
)

// retention makes the clients that erase leads and archive contacts. The archiver does what Dispatcher.ArchiveClosed does,
// with a pause where that one writes; clients go on closing, creating and erasing meanwhile.
func (c *clients) retention(s *simulation) {
	rare := func() bool { return !c.pausing && c.rng.IntN(8) == 0 }
	s.spawn("archiver", rare, func() {
		s.archiving.Lock()
		defer s.archiving.Unlock()
		before := domain.Time(1 + c.rng.Int64N(int64(c.now)+2))
		found, _ := s.committed.committed.ClosedBefore(before, 1, 1+c.rng.IntN(20))
		s.pause()
		if len(found) == 0 {
			return
		}
		batch := oneDay(found)
		id := batch[0].Contact.ID
		w := &told{s: s, means: func(int64, error) *fact {
			return &fact{fmt.Sprintf("contact %d was archived", id), func(k *domain.Catalog) bool {
				_, forgotten := k.Forgotten(id)
				return forgotten
			}}
		}}
		r := forgotten(domain.DayOf(batch[0].Contact.ClosedAt), batch, s.committed.committed.LastTime())
		s.seats.journal.Tell(&commit{command: command{waiter: w}, record: r})
		for !w.settled {
			s.current.giveWay()
		}
	})
	s.spawn("eraser", rare, func() {
		leads, _ := s.committed.committed.Leads(0, 100)
		if len(leads) == 0 {
			return
		}
		lead := leads[c.rng.IntN(len(leads))]
		w := &told{s: s, means: func(_ int64, err error) *fact {
			var refusal *domain.Error
			if errors.As(err, &refusal) && refusal.Code == domain.CodeLeadLive {
				return nil
			}
			return &fact{fmt.Sprintf("lead %d was erased", lead.ID), func(k *domain.Catalog) bool {
				now, _ := k.Lead(lead.ID)
				return now.ID == lead.ID && now.Erased()
			}}
		}}
		c.now++
		c.leads.Tell(&eraseLead{command{Stamp: domain.Stamp{At: c.now}, waiter: w}, lead.ID})
		for !w.settled {
			s.current.giveWay()
		}
	})
}

// hasOrHadLead says whether a lead has an email, or had one before it was erased.
func hasOrHadLead(k *domain.Catalog, id domain.LeadID, email string) bool {
	lead, known := k.Lead(id)
	return known && (lead.Erased() || lead.Email == email)
}
