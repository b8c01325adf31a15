package actors

import (
	"context"

	"minicrm/domain"
)

// archiveLook is how many closed contacts one look at the catalog passes at most: it holds the read lock meanwhile.
const archiveLook = domain.MaxArchived

// maxArchiveText is about how many bytes of text one write to an archive has at most.
const maxArchiveText = 4 << 20

// ArchiveClosed forgets the contacts that were closed before a moment, once write has made them durable in the archive
// of their day: read under the read lock, written without any, then committed like every record. It returns when none is
// left, and says how many it forgot. An error of write leaves them as they are. A crash between the write and the commit
// leaves contacts both here and in the archive, and they are archived again.
//
// Nobody else changes a closed contact's place meanwhile, since archiving is one at a time and a contact is reopened
// before the look or finds itself forgotten (ReopenContact), so the record is legal wherever it comes to stand. A lead that is erased meanwhile waits for the write (EraseLead).
func (d *Dispatcher) ArchiveClosed(
	ctx context.Context, before domain.Time, write func(domain.Day, []domain.Archived) error,
) (n int, err error) {
	for from := uint32(1); from != 0; {
		var archived int
		if archived, from, err = d.archiveBatch(ctx, before, from, write); err != nil {
			return n, err
		}
		n += archived
	}
	return n, nil
}

// archiveBatch archives what one look from a place on finds; next is where to look then, 0 = that was all.
func (d *Dispatcher) archiveBatch(
	ctx context.Context, before domain.Time, from uint32, write func(domain.Day, []domain.Archived) error,
) (n int, next uint32, err error) {
	d.archiving.Lock() // no contact is reopened meanwhile
	defer d.archiving.Unlock()
	if err := ctx.Err(); err != nil {
		return 0, 0, err
	}
	var found []domain.Archived
	var at domain.Time
	d.View(func(c *domain.Catalog) {
		found, next = c.ClosedBefore(before, from, archiveLook)
		at = c.LastTime()
	})
	for len(found) > 0 {
		batch := oneDay(found)
		found = found[len(batch):]
		day := domain.DayOf(batch[0].Contact.ClosedAt)
		if err := write(day, batch); err != nil {
			return n, 0, err
		}
		if err := d.forget(day, batch, at); err != nil {
			return n, 0, err
		}
		n += len(batch)
	}
	return n, next, nil
}

// oneDay is the contacts at the beginning that were closed on the same day, and whose texts are not too long together.
func oneDay(found []domain.Archived) []domain.Archived {
	day, bytes := domain.DayOf(found[0].Contact.ClosedAt), 0
	for i := range found {
		bytes += len(found[i].Contact.Text)
		if i > 0 && (domain.DayOf(found[i].Contact.ClosedAt) != day || bytes > maxArchiveText) {
			return found[:i]
		}
	}
	return found
}

// forget commits that contacts are in the archive. It waits for that whatever the caller's context says: the next look
// must not find them again.
func (d *Dispatcher) forget(day domain.Day, batch []domain.Archived, at domain.Time) error {
	r := newReply(nil, nothingIn)
	d.journal.Tell(&commit{command: command{Stamp: domain.Stamp{At: at}, waiter: r}, record: forgotten(day, batch, at)})
	_, err := await(context.Background(), d, r)
	return err
}

func forgotten(day domain.Day, batch []domain.Archived, at domain.Time) domain.Record {
	ids := make([]domain.ContactID, len(batch))
	for i := range batch {
		ids[i] = batch[i].Contact.ID
	}
	return domain.Record{At: at, Events: []domain.Event{&domain.ContactsArchived{Day: day, IDs: ids}}}
}
