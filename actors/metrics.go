package actors

import (
	"github.com/prometheus/client_golang/prometheus"

	"minicrm/domain"
)

// metrics is what the dispatcher counts.
type metrics struct {
	assigned, open prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	contacts := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "minicrm_contacts_total",
		Help: "New contacts by what became of them at once: assigned to an operator, or open in the backlog.",
	}, []string{"outcome"})
	if r != nil {
		r.MustRegister(contacts)
	}
	return &metrics{
		assigned: contacts.WithLabelValues("assigned"),
		open:     contacts.WithLabelValues("open"),
	}
}

// committed counts a durable record.
func (m *metrics) committed(r domain.Record) {
	if _, created := r.Events[0].(*domain.ContactCreated); !created {
		return
	}
	if len(r.Events) > 1 {
		m.assigned.Inc()
	} else {
		m.open.Inc()
	}
}
