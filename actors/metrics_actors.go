package actors

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// The kinds of actor.
const (
	kindJournal   = "journal"
	kindLeads     = "leads"
	kindOperators = "operators"
	kindSource    = "source"
)

// traffic counts the messages of all actors of one kind. A nil traffic counts nothing.
type traffic struct {
	sent     atomic.Int64
	_        [56]byte // senders and receivers are on different processors: each has its own cache line
	handled  atomic.Int64
	restarts atomic.Int64
}

// newTraffic makes the counters of each kind and registers them; without a registerer there are none.
func newTraffic(r prometheus.Registerer) map[string]*traffic {
	if r == nil {
		return nil
	}
	all := map[string]*traffic{}
	for _, kind := range []string{kindJournal, kindLeads, kindOperators, kindSource} {
		t := new(traffic)
		all[kind] = t
		labels := prometheus.Labels{"kind": kind}
		r.MustRegister(
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "minicrm_actor_messages_waiting", ConstLabels: labels,
				Help: "Messages in the mailboxes of actors, with the ones that are being handled.",
			}, t.waiting),
			prometheus.NewCounterFunc(prometheus.CounterOpts{
				Name: "minicrm_actor_messages_handled_total", ConstLabels: labels,
				Help: "Messages that actors have handled.",
			}, func() float64 { return float64(t.handled.Load()) }),
			prometheus.NewCounterFunc(prometheus.CounterOpts{
				Name: "minicrm_actor_restarts_total", ConstLabels: labels,
				Help: "Restarts of actors. There must be none: an actor that fails ends the process, since a restarted one has lost its state.",
			}, func() float64 { return float64(t.restarts.Load()) }),
		)
	}
	return all
}

// waiting reads what was handled first, so that it never is below zero.
func (t *traffic) waiting() float64 {
	handled := t.handled.Load()
	return float64(t.sent.Load() - handled)
}

func (t *traffic) send() {
	if t != nil {
		t.sent.Add(1)
	}
}

func (t *traffic) handle() {
	if t != nil {
		t.handled.Add(1)
	}
}

func (t *traffic) restart() {
	if t != nil {
		t.restarts.Add(1)
	}
}
