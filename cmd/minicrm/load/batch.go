package load

import (
	"fmt"
	"time"
)

// batchAnswer is what POST /v1/contacts/batch says: a result for each contact, in order.
type batchAnswer struct {
	Items []batchItem `json:"items"`
}

type batchItem struct {
	Status  int     `json:"status"`
	Contact contact `json:"contact"`
	Problem struct {
		Code string `json:"code"`
	} `json:"problem"`
}

// postBatch posts a batch, and checks each contact of the answer as if it had come alone.
func (w *worker) postBatch(at time.Time) {
	o := &w.run.options
	w.body, w.batch = append(w.body[:0], '['), w.batch[:0]
	for i := range o.Batch {
		if i > 0 {
			w.body = append(w.body, ',')
		}
		w.batch = append(w.batch, w.ask())
		if o.Keys {
			w.body = append(w.body, `,"idempotency_key":"`...)
			w.body = append(w.key(w.body), '"')
		}
		w.body = append(w.body, '}')
	}
	w.body = append(w.body, ']')
	status, answer, ok := w.timed(doPost, at, "POST", []byte("/v1/contacts/batch"), w.body, nil)
	if !ok {
		return
	}
	var got batchAnswer
	switch err := decode(status, answer, &got); {
	case status != 200:
		w.lostBatch(fmt.Sprintf("batch: status %d", status), answer)
	case err != nil || len(got.Items) != o.Batch:
		w.lostBatch("batch: not the shape of an answer to it", answer)
	default:
		w.postedBatch(at, got.Items)
	}
}

func (w *worker) postedBatch(at time.Time, items []batchItem) {
	before, newest, good := w.newest, w.newest, 0
	for i := range items {
		item := &items[i]
		w.newest = before // the contacts of one batch may have their ids in any order
		h, ok := w.posted(w.batch[i], item.Status, &item.Contact, []byte(item.Problem.Code))
		if ok {
			w.keep(h)
			good++
		}
		newest = max(newest, h.id)
	}
	w.newest = newest
	w.run.countPosted(at, good)
}

func (w *worker) lostBatch(what string, answer []byte) {
	w.run.tally.lost.Add(int64(len(w.batch)) - 1) // and one by lost
	w.run.lost(what, answer)
}
