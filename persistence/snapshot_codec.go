package persistence

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"minicrm/domain"
)

// The walks through the messages of snapshotpb/snapshot.proto, as codec.go has those of the journal.

// The kinds of block: fields of the message Block.
const (
	blockHeader protowire.Number = 1 + iota
	blockOperators
	blockSources
	blockLeads
	blockContacts
	blockEnd
	blockArchived
	blockNames
	blockKeys
	blockTrails
)

// blockOrder is the place of a kind in a file.
func blockOrder(kind protowire.Number) int {
	order := [...]protowire.Number{
		blockHeader, blockOperators, blockSources, blockLeads, blockNames, blockContacts, blockArchived, blockKeys, blockTrails, blockEnd,
	}
	return slices.Index(order[:], kind)
}

// fieldItems is the one field of a block of items.
const fieldItems = 1

// block is what one block holds; only what its kind says is set.
type block struct {
	kind      protowire.Number
	header    snapshotHeader // also of the end: its counts
	operators []domain.Operator
	sources   []domain.FrozenSource
	leads     []domain.Lead
	contacts  []domain.Contact
	archived  []domain.ArchivedRun
	names     []string
	keys      []domain.KeyUse
	trails    []domain.TrailPart
}

// snapshotHeader is what a snapshot begins with.
type snapshotHeader struct {
	progress domain.Progress
	entry    uint64
	counts   counts
}

// counts are the numbers of a snapshot's items.
type counts struct{ operators, sources, leads, contacts, archived, names, keys, trails int }

// readBlock is the oneof Block.
func readBlock(c *coder, b *block) {
	switch b.kind = c.peek(); b.kind {
	case blockHeader:
		message(c, b.kind, &b.header, header)
	case blockOperators:
		message(c, b.kind, &b.operators, items(operator))
	case blockSources:
		message(c, b.kind, &b.sources, items(frozenSource))
	case blockLeads:
		message(c, b.kind, &b.leads, items(lead))
	case blockContacts:
		message(c, b.kind, &b.contacts, items(contact))
	case blockArchived:
		message(c, b.kind, &b.archived, items(archivedRun))
	case blockNames:
		message(c, b.kind, &b.names, items(name))
	case blockKeys:
		message(c, b.kind, &b.keys, items(keyUse))
	case blockTrails:
		message(c, b.kind, &b.trails, items(trailPart))
	case blockEnd:
		message(c, b.kind, &b.header, end)
	default:
		c.fail(b.kind, "there is no such block")
	}
	c.finish()
}

func items[T any](walk func(*coder, *T)) func(*coder, *[]T) {
	return func(c *coder, all *[]T) { repeated(c, fieldItems, all, walk) }
}

func header(c *coder, h *snapshotHeader) {
	message(c, 1, &h.progress, progress)
	integer(c, 2, &h.entry)
	message(c, 3, &h.counts, count)
}

func end(c *coder, h *snapshotHeader) { message(c, 1, &h.counts, count) }

func progress(c *coder, p *domain.Progress) {
	integer(c, 1, &p.Index)
	integer(c, 2, &p.Last)
	integer(c, 3, &p.NextSource)
	integer(c, 4, &p.NextContact)
	integer(c, 5, &p.Places)
}

func count(c *coder, n *counts) {
	integer(c, 1, &n.operators)
	integer(c, 2, &n.sources)
	integer(c, 3, &n.leads)
	integer(c, 4, &n.contacts)
	integer(c, 5, &n.archived)
	integer(c, 6, &n.names)
	integer(c, 7, &n.keys)
	integer(c, 8, &n.trails)
}

func operator(c *coder, o *domain.Operator) {
	integer(c, 1, &o.ID)
	text(c, 2, &o.Name)
	boolean(c, 3, &o.Active)
	integer(c, 4, &o.MaxLoad)
	integer(c, 5, &o.CreatedAt)
	boolean(c, 6, &o.Draining)
	boolean(c, 7, &o.Deleted)
	text(c, 8, &o.ExternalID)
	text(c, 9, &o.Username)
}

func frozenSource(c *coder, s *domain.FrozenSource) {
	message(c, 1, &s.Source, source)
	message(c, 2, &s.Ledger, ledger)
}

func source(c *coder, s *domain.Source) {
	integer(c, 1, &s.ID)
	text(c, 2, &s.Name)
	enum(c, 3, &s.Backlog, domain.BacklogManual)
	integer(c, 4, &s.CreatedAt)
	integer(c, 5, &s.BacklogLimit)
	integer(c, 6, &s.StickyWindow)
	boolean(c, 7, &s.Deleted)
}

func ledger(c *coder, l *domain.LedgerState) {
	repeated(c, 1, &l.Links, link)
	integer(c, 2, &l.Decisions)
	integer(c, 3, &l.Linked)
	words(c, 4, &l.Spelled)
}

func link(c *coder, l *domain.Link) {
	integer(c, 1, &l.Operator)
	integer(c, 2, &l.Weight)
	zigzag(c, 3, &l.Lag)
	integer(c, 4, &l.Last)
	integer(c, 5, &l.Received)
	integer(c, 6, &l.Seq)
	integer(c, 7, &l.Sticky)
	integer(c, 8, &l.Manual)
}

func lead(c *coder, l *domain.Lead) {
	integer(c, 1, &l.ID)
	text(c, 2, &l.Email)
	text(c, 3, &l.Name)
	text(c, 4, &l.Phone)
	integer(c, 5, &l.CreatedAt)
}

func contact(c *coder, n *domain.Contact) {
	integer(c, 1, &n.ID)
	integer(c, 2, &n.Source)
	integer(c, 3, &n.Lead)
	integer(c, 4, &n.Operator)
	enum(c, 5, &n.Status, domain.StatusClosed)
	enum(c, 6, &n.How, domain.Sticky)
	text(c, 7, &n.Text)
	integer(c, 8, &n.CreatedAt)
	integer(c, 9, &n.AssignedAt)
	integer(c, 10, &n.ClosedAt)
	integer(c, 11, &n.Place)
	integer(c, 12, &n.CreatedBy)
	integer(c, 13, &n.AssignedBy)
	integer(c, 14, &n.ClosedBy)
	enum(c, 15, &n.Priority, domain.MaxPriority)
	integer(c, 16, &n.Avoid)
	text(c, 17, &n.Reason)
	if past := n.Past(); c.reading || len(past) > 0 {
		contactPast(c, n, past)
	}
}

// contactPast is apart so that the contacts that have none allocate nothing.
func contactPast(c *coder, n *domain.Contact, past []domain.Step) {
	if c.reading && c.peek() != 18 {
		return
	}
	repeated(c, 18, &past, step)
	if c.reading {
		n.SetPast(past)
	}
}

func step(c *coder, s *domain.Step) {
	integer(c, 1, &s.At)
	enum(c, 2, &s.Kind, domain.StepClosed)
	enum(c, 3, &s.How, domain.Sticky)
	integer(c, 4, &s.By)
	integer(c, 5, &s.From)
	integer(c, 6, &s.To)
	text(c, 7, &s.Reason)
}

func name(c *coder, s *string) { text(c, 1, s) }

func keyUse(c *coder, u *domain.KeyUse) {
	digest(c, 1, &u.Digest)
	fixed(c, 2, &u.Body)
	integer(c, 3, &u.Contact)
	integer(c, 4, &u.At)
}

func archivedRun(c *coder, r *domain.ArchivedRun) {
	integer(c, 1, &r.First)
	integer(c, 2, &r.Count)
	integer(c, 3, &r.Day)
}
