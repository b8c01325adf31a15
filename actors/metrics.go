package actors

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"minicrm/domain"
)

// metrics is what the dispatcher counts and times. What it has now, rather than what happened, is in figures.go: that is
// read when somebody asks. A nil metrics counts nothing.
//
// All but decided belong to the journal decider, which counts what is committed: so a figure never shows what a crash
// takes back, and each source's counters are looked up once.
type metrics struct {
	now     func() domain.Time
	labels  Labels
	names   *labeler         // of sources
	sources []*sourceMetrics // by id
	all     *sourceMetrics   // of all sources, where they have no label

	contacts, assignments, changes *prometheus.CounterVec

	overMaxLoad     prometheus.Counter
	stickyUncharged prometheus.Counter
	draws           prometheus.Counter
	toAssignment    sampled
	decision        prometheus.Histogram
}

// sourceMetrics are the counters of one source.
type sourceMetrics struct {
	assigned, open, replayed, rejected        prometheus.Counter
	how                                       [domain.Sticky + 1]prometheus.Counter // by domain.How
	closed, released, reopened, reprioritised prometheus.Counter
}

// newMetrics makes the metrics and registers them; without a registerer there are none.
func newMetrics(r prometheus.Registerer, labels Labels, now func() domain.Time) *metrics {
	if r == nil {
		return nil
	}
	m := &metrics{now: now, labels: labels, names: newLabeler(maxSourceLabels)}
	vec := func(name, label, help string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, withLabel(labels.Source, "source", label))
		r.MustRegister(v)
		return v
	}
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
		r.MustRegister(c)
		return c
	}
	m.contacts = vec("minicrm_contacts_total", "outcome", "Requests for a new contact by what became of them at once: "+
		"assigned to an operator, open in the backlog, replayed (an idempotency key made the contact before), or rejected.")
	m.assignments = vec("minicrm_assignments_total", "how",
		"Assignments by who decided: automatic (the ledger), sticky (the lead's last operator), manual, or forced (manual, past a limit).")
	m.changes = vec("minicrm_contact_changes_total", "change", "What was done to contacts later on: closed, released, reopened, reprioritised.")
	m.overMaxLoad = counter("minicrm_assignments_over_max_load_total", "Forced assignments that left the operator above its max_load.")
	m.stickyUncharged = counter("minicrm_sticky_uncharged_total",
		"Sticky assignments that were not charged to the ledger, since a lag would have passed two contacts.")
	m.draws = counter("minicrm_draws_total", "Decisions for contacts that another system routes.")
	m.timings(r)
	if !labels.Source {
		m.all = m.newSource("")
	}
	return m
}

func (m *metrics) timings(r prometheus.Registerer) {
	m.toAssignment = sampled{histogram: prometheus.NewHistogram(nativeToo(prometheus.HistogramOpts{
		Name: "minicrm_time_to_assignment_seconds",
		Help: "Time from a contact's arrival, or from its last release or reopening, until its assignment is durable.",
		// An fsync takes less than a millisecond, who waits for a person waits for minutes.
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5, 15, 60, 300, 900, 3600, 14400},
	}))}
	m.decision = prometheus.NewHistogram(nativeToo(prometheus.HistogramOpts{
		Name:    "minicrm_decision_duration_seconds",
		Help:    "Time that a source took to decide about a new contact and to send the record, without the wait for the disk.",
		Buckets: []float64{.000001, .0000025, .000005, .00001, .000025, .00005, .0001, .001, .01, .1},
	}))
	r.MustRegister(m.toAssignment.histogram, m.decision)
}

// nativeToo gives a histogram exponential buckets, too, for whoever scrapes them.
func nativeToo(o prometheus.HistogramOpts) prometheus.HistogramOpts {
	o.NativeHistogramBucketFactor = 1.1
	o.NativeHistogramMaxBucketNumber = 160
	o.NativeHistogramMinResetDuration = time.Hour
	return o
}

func (m *metrics) newSource(name string) *sourceMetrics {
	of := func(v *prometheus.CounterVec, value string) prometheus.Counter {
		return v.WithLabelValues(withLabel(m.labels.Source, name, value)...)
	}
	s := &sourceMetrics{
		assigned: of(m.contacts, "assigned"), open: of(m.contacts, "open"),
		replayed: of(m.contacts, "replayed"), rejected: of(m.contacts, "rejected"),
		closed: of(m.changes, "closed"), released: of(m.changes, "released"),
		reopened: of(m.changes, "reopened"), reprioritised: of(m.changes, "reprioritised"),
	}
	for how := domain.Automatic; how <= domain.Sticky; how++ {
		s.how[how] = of(m.assignments, how.Name())
	}
	return s
}

// know gives the sources that there are their label values, and their series, before anything happens in them.
func (m *metrics) know(committed *domain.Catalog) {
	for _, id := range committed.SourceIDs() {
		if _, known := committed.Source(id); known {
			m.source(id)
		}
	}
}

// source is where a source's events are counted.
func (m *metrics) source(id domain.SourceID) *sourceMetrics {
	if m.all != nil {
		return m.all
	}
	if int(id) < len(m.sources) && m.sources[id] != nil {
		return m.sources[id]
	}
	for int(id) >= len(m.sources) {
		m.sources = append(m.sources, nil)
	}
	m.sources[id] = m.newSource(m.names.of(int64(id)))
	return m.sources[id]
}

// time is the moment of a batch.
func (m *metrics) time() domain.Time {
	if m == nil {
		return 0
	}
	return m.now()
}

// settled counts what became of a command, once that is in the catalog; at is the moment.
func (m *metrics) settled(c *commit, committed *domain.Catalog, at domain.Time) {
	if m == nil {
		return
	}
	switch {
	case len(c.record.Events) > 0:
		m.committed(c, committed, at)
	case c.made == 0:
	case c.err != nil:
		m.source(c.made).rejected.Inc()
	default:
		m.source(c.made).replayed.Inc()
	}
}

func (m *metrics) committed(c *commit, committed *domain.Catalog, at domain.Time) {
	events := c.record.Events
	var since domain.Time // when the contact of this record became open, if it did in this record
	for i, e := range events {
		switch e := e.(type) {
		case *domain.ContactCreated:
			since = c.record.At
			if i+1 < len(events) {
				m.source(e.Source).assigned.Inc()
			} else {
				m.source(e.Source).open.Inc()
			}
		case *domain.ContactAssigned:
			m.assigned(c, e, since, committed, at)
		case *domain.ContactReopened:
			since = c.record.At
			m.source(e.Source).reopened.Inc()
		case *domain.ContactReleased:
			m.source(e.Source).released.Inc()
		case *domain.ContactPrioritised:
			m.source(e.Source).reprioritised.Inc()
		case *domain.ContactClosed:
			m.source(e.Source).closed.Inc()
		case *domain.SourceCreated:
			m.source(e.ID)
		case *domain.OperatorDrawn:
			m.draws.Inc()
		}
	}
}

func (m *metrics) assigned(
	c *commit, e *domain.ContactAssigned, since domain.Time, committed *domain.Catalog, at domain.Time,
) {
	m.source(e.Source).how[e.How].Inc()
	switch {
	case e.How == domain.Sticky && e.Among.Kind == domain.Uncharged:
		m.stickyUncharged.Inc()
	case e.How == domain.Forced:
		if o, known := committed.Operator(e.Operator); known && o.Load > o.MaxLoad {
			m.overMaxLoad.Inc()
		}
	}
	if e.From != 0 {
		return // somebody had it
	}
	request := c.Request
	if since == 0 {
		since, request = committed.OpenSince(e.ID), ""
	}
	m.toAssignment.observe(float64(max(0, at-since))/1e6, request, at)
}

// start is when a decision begins.
func (m *metrics) start() (t time.Time) {
	if m != nil {
		t = time.Now()
	}
	return t
}

// decided times a decision. Any source's decider may call it.
func (m *metrics) decided(start time.Time) {
	if m != nil {
		m.decision.Observe(time.Since(start).Seconds())
	}
}

// exemplarEvery is how often an observation also says which request it was, since that costs an allocation.
const exemplarEvery = domain.Time(time.Second / time.Microsecond)

// sampled is a histogram with now and then an exemplar. It has one owner.
type sampled struct {
	histogram prometheus.Histogram
	due       domain.Time // of the next exemplar
}

func (s *sampled) observe(seconds float64, request string, at domain.Time) {
	if request == "" || at < s.due {
		s.histogram.Observe(seconds)
		return
	}
	s.due = at + exemplarEvery
	s.histogram.(prometheus.ExemplarObserver).ObserveWithExemplar(seconds, prometheus.Labels{"request_id": request})
}
