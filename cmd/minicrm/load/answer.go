package load

import (
	"fmt"

	"github.com/go-json-experiment/json"
)

// contact is a contact as the service shows it; a null is a zero.
type contact struct {
	ID       int64  `json:"id"`
	Source   int64  `json:"source_id"`
	Lead     int64  `json:"lead_id"`
	Operator int64  `json:"operator_id"`
	Status   string `json:"status"`
	Text     string `json:"text"`
}

// The statuses of a contact.
const (
	statusOpen     = "open"
	statusAssigned = "assigned"
	statusClosed   = "closed"
)

// asked is what a post asked for.
type asked struct {
	source int // index
	person int
	text   int
}

// held is a contact that was posted and not closed.
type held struct {
	asked
	id   int64
	lead int64
	row  int // of the source's links; nobody = it was open when it was posted
}

const nobody = -1

// posted holds the answer to a post against what was asked, and counts it. It says whether the contact can be kept.
func (w *worker) posted(a asked, status int, got *contact, answer []byte) (held, bool) {
	r := w.run
	h := held{asked: a, id: got.ID, lead: got.Lead, row: nobody}
	switch {
	case status != 201:
		r.lost(fmt.Sprintf("post: status %d", status), answer)
		return h, false
	case got.ID <= 0 || got.Status != statusAssigned && got.Status != statusOpen || (got.Operator > 0) != (got.Status == statusAssigned):
		r.lost("post: not the shape of a new contact", answer)
		return h, false
	case r.options.Check == CheckShape:
		return h, true
	}
	s := &r.field.sources[a.source]
	if got.Source != s.id || got.Text != r.people.texts[a.text].plain {
		r.lost("post: another source or text than was asked for", answer)
		return h, false
	}
	if got.Lead <= 0 || !r.people.knows(a.person, got.Lead) {
		r.tally.wrong("post: another lead than before for the same email", "%s", excerpt(answer))
	}
	if got.ID <= w.newest {
		r.tally.wrong("post: an id that does not grow", "%d is not above %d", got.ID, w.newest)
	}
	s.contacts.Add(1)
	if got.Status == statusOpen {
		r.tally.open.Add(1)
		return h, true
	}
	row, linked := s.rows[got.Operator]
	if !linked {
		r.lost("post: an operator that is not linked to the source", answer)
		return h, false
	}
	h.row = row
	r.field.take(a.source, row)
	return h, true
}

// take counts a contact that a source gave to the operator of this row.
func (f *field) take(source, row int) {
	l := &f.sources[source].links[row]
	l.received.Add(1)
	f.operators[l.operator].take()
}

// closed holds the answer to a close against what is known.
func (w *worker) closed(h held, status int, got *contact, answer []byte) {
	r := w.run
	if status != 200 {
		r.lost(fmt.Sprintf("close: status %d", status), answer)
		return
	}
	if r.options.Check == CheckShape {
		if got.ID <= 0 {
			r.lost("close: not the shape of a contact", answer)
		}
		return
	}
	if got.Status != statusClosed {
		r.lost("close: the contact is not closed", answer)
		return
	}
	if row, ok := w.same("close", h, got, answer); ok && row != nobody {
		f := r.field
		f.operators[f.sources[h.source].links[row].operator].load.Add(-1)
	}
}

// read holds the answer to a read against what is known.
func (w *worker) read(h held, status int, got *contact, answer []byte) {
	r := w.run
	switch {
	case status != 200:
		r.tally.wrong(fmt.Sprintf("read: status %d", status), "%s", excerpt(answer))
	case r.options.Check == CheckShape:
		if got.ID <= 0 {
			r.tally.wrong("read: not the shape of a contact", "%s", excerpt(answer))
		}
	case got.Status == statusClosed || h.row != nobody && got.Status != statusAssigned:
		r.tally.wrong("read: a contact that nobody closed or released has another status", "%s", excerpt(answer))
	case h.row == nobody && got.Status == statusOpen:
	default:
		r.field.checkSame(r.tally, "read", h, got, answer)
	}
}

// same says which row holds, or held, the contact that was answered. One that waited may have got somebody since: that
// is counted here, when it is learned.
func (w *worker) same(what string, h held, got *contact, answer []byte) (row int, ok bool) {
	f := w.run.field
	if !f.checkSame(w.run.tally, what, h, got, answer) {
		w.run.tally.lost.Add(1)
		return nobody, false
	}
	if h.row != nobody || got.Operator == 0 {
		return h.row, true
	}
	row = f.sources[h.source].rows[got.Operator]
	f.take(h.source, row)
	return row, true
}

// checkSame holds a contact that is shown again against what was told before.
func (f *field) checkSame(t *tally, what string, h held, got *contact, answer []byte) bool {
	s := &f.sources[h.source]
	row, linked := s.rows[got.Operator]
	switch {
	case got.ID != h.id || got.Source != s.id || got.Lead != h.lead:
		t.wrong(what+": another contact, source or lead than was told", "of contact %d: %s", h.id, excerpt(answer))
	case h.row != nobody && (!linked || row != h.row):
		t.wrong(what+": another operator than was told", "of contact %d: %s", h.id, excerpt(answer))
	case got.Operator != 0 && !linked:
		t.wrong(what+": an operator that is not linked to the source", "of contact %d: %s", h.id, excerpt(answer))
	default:
		return true
	}
	return false
}

// lost notes a finding after which loads and shares cannot be known any more.
func (r *run) lost(what string, answer []byte) {
	r.tally.lost.Add(1)
	r.tally.wrong(what, "%s", excerpt(answer))
}

// decode reads an answer of a status that has a contact.
func decode(status int, answer []byte, into any) error {
	if status >= 300 {
		return nil
	}
	return json.Unmarshal(answer, into)
}
