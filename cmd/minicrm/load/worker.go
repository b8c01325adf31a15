package load

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
)

// worker is one connection: it sends one request after the other.
type worker struct {
	run    *run
	number int
	call   *call
	rng    *rand.Rand
	zipf   *rand.Zipf
	body   []byte
	batch  []asked
	got    contact
	live   queue
	limit  int   // of live
	newest int64 // the highest id that this connection was told
	keys   int64 // idempotency keys given
}

// newWorker is connection number i. The contacts held at once are divided among the connections.
func newWorker(r *run, i int) *worker {
	rng := rand.New(rand.NewPCG(r.options.Seed, uint64(i)+1))
	o := r.options
	limit := o.Live / o.Connections
	if i < o.Live%o.Connections {
		limit++
	}
	return &worker{run: r, number: i, call: r.client.newCall(), rng: rng, zipf: r.people.returning(rng, o.Zipf), limit: limit}
}

// step sends the request whose time is at, by the mix, and says whether there are more to come.
func (w *worker) step(at time.Time) bool {
	kind := w.draw()
	if kind == doPost && !w.run.reserve(max(1, w.run.options.Batch)) {
		return false
	}
	switch kind {
	case doPost:
		w.post(at)
	case doClose:
		w.close(at)
	default:
		w.look(at)
	}
	w.run.tally.answers.Add(1)
	return true
}

// draw is what comes next: by the mix, but what is not there cannot be closed or read, and what is at its limit is
// closed before there is more of it. So, in the long run, there are as many closes as contacts.
func (w *worker) draw() kind {
	m := w.run.options.Mix
	n := w.rng.IntN(m.Posts + m.Closes + m.Reads)
	switch {
	case w.live.len() == 0:
		return doPost
	case n < m.Posts && m.Closes > 0 && w.live.len() >= w.limit:
		return doClose
	case n < m.Posts:
		return doPost
	case n < m.Posts+m.Closes:
		return doClose
	}
	return doRead
}

// ask draws a contact and appends it to the body.
func (w *worker) ask() asked {
	o := &w.run.options
	a := asked{source: w.rng.IntN(o.Busy), person: int(w.zipf.Uint64()), text: w.rng.IntN(texts)}
	p := w.run.people
	b := w.body
	b = append(b, `{"source_id":`...)
	b = strconv.AppendInt(b, w.run.field.sources[a.source].id, 10)
	b = append(b, ',')
	b = append(b, p.person(a.person)...)
	b = append(b, `,"text":`...)
	b = append(b, p.texts[a.text].quoted...)
	w.body = b
	return a
}

// key is a new idempotency key. It is new also among those of other runs: their sources have other ids.
func (w *worker) key(b []byte) []byte {
	w.keys++
	b = strconv.AppendInt(b, int64(w.number), 10)
	b = append(b, '-')
	return strconv.AppendInt(b, w.keys, 10)
}

func (w *worker) post(at time.Time) {
	if w.run.options.Batch > 0 {
		w.postBatch(at)
		return
	}
	w.body = w.body[:0]
	a := w.ask()
	w.body = append(w.body, '}')
	var key []byte
	if w.run.options.Keys {
		key = w.key(nil)
	}
	status, answer, ok := w.exchange(doPost, at, "POST", []byte("/v1/contacts"), w.body, key)
	if !ok {
		return
	}
	if h, ok := w.posted(a, status, &w.got, answer); ok {
		w.keep(h)
		w.run.countPosted(at, 1)
	}
}

// keep remembers a new contact, if it is to be closed or read some time.
func (w *worker) keep(h held) {
	w.newest = max(w.newest, h.id)
	if m := w.run.options.Mix; m.Closes+m.Reads > 0 || h.row == nobody {
		w.live.push(h)
	}
}

func (w *worker) close(at time.Time) {
	h := w.live.pop()
	if status, answer, ok := w.exchange(doClose, at, "POST", w.call.contactPath(h.id, "/close"), nil, nil); ok {
		w.closed(h, status, &w.got, answer)
	}
}

func (w *worker) look(at time.Time) {
	h := w.live.at(w.rng.IntN(w.live.len()))
	if status, answer, ok := w.exchange(doRead, at, "GET", w.call.contactPath(h.id, ""), nil, nil); ok {
		w.read(h, status, &w.got, answer)
	}
}

// exchange sends a request, times it, and decodes a contact from the answer.
func (w *worker) exchange(k kind, at time.Time, method string, path, body, key []byte) (status int, answer []byte, ok bool) {
	status, answer, ok = w.timed(k, at, method, path, body, key)
	if !ok {
		return status, answer, false
	}
	w.got = contact{}
	if err := decode(status, answer, &w.got); err != nil {
		w.run.lost(kindNames[k]+": not the JSON of a contact", answer)
		return status, answer, false
	}
	return status, answer, true
}

func (w *worker) timed(k kind, at time.Time, method string, path, body, key []byte) (status int, answer []byte, ok bool) {
	if w.run.options.Rate > 0 && w.run.measured(at) {
		w.run.tally.late.add(time.Since(at))
	}
	status, answer, err := w.call.send(method, path, body, key)
	if err != nil {
		w.run.lost(kindNames[k]+": no answer", fmt.Append(nil, err))
		return 0, nil, false
	}
	if w.run.measured(at) {
		w.run.tally.latency[k].add(time.Since(at))
	}
	return status, answer, true
}

// queue is first in, first out, in a ring.
type queue struct {
	ring        []held
	first, size int
}

func (q *queue) len() int { return q.size }

func (q *queue) at(i int) held { return q.ring[(q.first+i)%len(q.ring)] }

func (q *queue) push(h held) {
	if q.size == len(q.ring) {
		larger := make([]held, max(16, 2*q.size))
		for i := range q.size {
			larger[i] = q.at(i)
		}
		q.ring, q.first = larger, 0
	}
	q.ring[(q.first+q.size)%len(q.ring)] = h
	q.size++
}

func (q *queue) pop() held {
	h := q.ring[q.first]
	q.first = (q.first + 1) % len(q.ring)
	q.size--
	return h
}
