package actors

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"

	"minicrm/domain"
)

// figures reads what the dispatcher has now from the catalog when somebody scrapes, so that the way of a contact pays
// nothing for it. It holds the read lock for one source at a time.
type figures struct {
	catalog                  *catalog
	now                      func() domain.Time
	labels                   Labels
	sources, operators       *labeler
	backlog, age, unserved   *prometheus.Desc
	lag, eligible            *prometheus.Desc
	open                     *prometheus.Desc
	states, seats, load      *prometheus.Desc
	linkContacts, linkTarget *prometheus.Desc
	keys, evicted            *prometheus.Desc
	snapshotEvery            *prometheus.Desc
	every                    uint64
}

func newFigures(c *catalog, labels Labels, sources *labeler, now func() domain.Time, snapshotEvery uint64) *figures {
	one := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	source := func(name, help string) *prometheus.Desc {
		return one(name, help, withLabel(labels.Source, "source")...)
	}
	operator := func(name, help string) *prometheus.Desc {
		return one(name, help, withLabel(labels.Operator, "operator")...)
	}
	return &figures{
		catalog: c, now: now, labels: labels, sources: sources, operators: newLabeler(maxOperatorLabels), every: snapshotEvery,

		backlog:  source("minicrm_backlog_contacts", "Open contacts, which wait for an operator."),
		age:      source("minicrm_backlog_age_seconds", "For how long the one waits that has waited longest; 0 = nobody waits."),
		unserved: source("minicrm_backlog_unserved_contacts", "Open contacts of sources that no active operator is linked to with a weight: nobody will get them."),
		lag:      source("minicrm_source_lag_contacts", "Largest |lag|: how far an operator is from its exact share of the source, in contacts."),
		eligible: source("minicrm_source_eligible_operators", "Operators that could get the source's next contact; over several sources, the fewest."),
		open: one("minicrm_open_contacts", "Open contacts by why their source has nobody for them: no_link, all_inactive, all_full, "+
			"manual_backlog, or other (they are about to be assigned, or must not go to the operator that released them).", "reason"),
		states: one("minicrm_operators", "Operators by state.", "state"),
		seats:  operator("minicrm_operator_seats", "Seats (max_load) of active operators."),
		load:   operator("minicrm_operator_load_contacts", "Contacts that operators hold, over all sources."),
		linkContacts: one("minicrm_link_contacts_total",
			"Contacts of the source that the operator got by decision, automatic or sticky, since it was linked.", "source", "operator"),
		linkTarget:    one("minicrm_link_target_ratio", "The operator's weight over the sum of the source's weights.", "source", "operator"),
		keys:          one("minicrm_idempotency_keys", "Idempotency keys that are remembered."),
		evicted:       one("minicrm_idempotency_keys_evicted_total", "Idempotency keys that were forgotten before their time, since there were too many."),
		snapshotEvery: one("minicrm_snapshot_every_records", "Records from one snapshot to the next; 0 = snapshots are taken only when asked for."),
	}
}

// Describe implements prometheus.Collector.
func (f *figures) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		f.backlog, f.age, f.unserved, f.lag, f.eligible, f.open, f.states, f.seats, f.load,
		f.linkContacts, f.linkTarget, f.keys, f.evicted, f.snapshotEvery,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (f *figures) Collect(ch chan<- prometheus.Metric) {
	f.collectSources(ch)
	f.collectOperators(ch)
	var remembered int
	var evicted uint64
	f.catalog.view(func(c *domain.Catalog) { remembered, evicted = c.KeyCount() })
	gauge(ch, f.keys, float64(remembered))
	ch <- prometheus.MustNewConstMetric(f.evicted, prometheus.CounterValue, float64(evicted))
	gauge(ch, f.snapshotEvery, float64(f.every))
}

func gauge(ch chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

// sourceRow is what the sources of one label value have together.
type sourceRow struct {
	waiting, unserved int
	since             domain.Time
	lag               int64
	eligible          int
}

func (r *sourceRow) add(s *domain.SourceFigures) {
	r.waiting += s.Waiting
	if s.Why == domain.WhyNoLink || s.Why == domain.WhyInactive {
		r.unserved += s.Waiting
	}
	if s.Since != 0 && (r.since == 0 || s.Since < r.since) {
		r.since = s.Since
	}
	r.lag = max(r.lag, s.MaxLag)
	r.eligible = min(r.eligible, s.Eligible)
}

func (f *figures) collectSources(ch chan<- prometheus.Metric) {
	var ids []domain.SourceID
	f.catalog.view(func(c *domain.Catalog) { ids = c.SourceIDs() })
	rows := map[string]*sourceRow{}
	var open [domain.NumWhys]int
	links := linkRows{figures: f}
	for _, id := range ids {
		var s domain.SourceFigures
		var known bool
		f.catalog.view(func(c *domain.Catalog) {
			if s, known = c.SourceFigures(id); known && f.labels.Source && f.labels.Operator {
				links.read(c, id)
			}
		})
		if !known {
			continue
		}
		label := f.sourceLabel(id)
		if rows[label] == nil {
			rows[label] = &sourceRow{eligible: math.MaxInt}
		}
		rows[label].add(&s)
		open[s.Why] += s.Waiting
	}
	f.sendSources(ch, rows)
	for why, n := range open {
		gauge(ch, f.open, float64(n), domain.Why(why).Name())
	}
	links.send(ch)
}

// sourceLabel is "" where sources have no label: they all share a row then.
func (f *figures) sourceLabel(id domain.SourceID) string {
	if !f.labels.Source {
		return ""
	}
	return f.sources.of(int64(id))
}

func (f *figures) sendSources(ch chan<- prometheus.Metric, rows map[string]*sourceRow) {
	if !f.labels.Source && len(rows) == 0 {
		rows[""] = &sourceRow{} // of no source: the series are there, at 0
	}
	now := f.now()
	for name, r := range rows {
		values := withLabel(f.labels.Source, name)
		age := domain.Time(0)
		if r.since != 0 {
			age = max(0, now-r.since)
		}
		gauge(ch, f.backlog, float64(r.waiting), values...)
		gauge(ch, f.age, float64(age)/1e6, values...)
		gauge(ch, f.unserved, float64(r.unserved), values...)
		gauge(ch, f.lag, float64(r.lag)/domain.One, values...)
		gauge(ch, f.eligible, float64(r.eligible), values...)
	}
}

// operatorRow is what the operators of one label value have together.
type operatorRow struct{ seats, load int }

func (f *figures) collectOperators(ch chan<- prometheus.Metric) {
	rows := map[string]operatorRow{}
	states := map[string]int{"active": 0, "draining": 0, "inactive": 0}
	f.catalog.view(func(c *domain.Catalog) {
		c.EachOperator(func(o *domain.Operator) {
			label := f.operatorLabel(o.ID)
			row := rows[label]
			row.load += o.Load
			if o.Active {
				row.seats += o.MaxLoad
			}
			rows[label] = row
			states[o.State()]++
		})
	})
	if !f.labels.Operator && len(rows) == 0 {
		rows[""] = operatorRow{}
	}
	for name, row := range rows {
		values := withLabel(f.labels.Operator, name)
		gauge(ch, f.seats, float64(row.seats), values...)
		gauge(ch, f.load, float64(row.load), values...)
	}
	for state, n := range states {
		gauge(ch, f.states, float64(n), state)
	}
}

func (f *figures) operatorLabel(id domain.OperatorID) string {
	if !f.labels.Operator {
		return ""
	}
	return f.operators.of(int64(id))
}

// linkRows are the links that have series. Those past MaxSeries have none: a sum of them would fall when one ends, and
// a counter must not.
type linkRows struct {
	*figures
	rows []linkRow
}

type linkRow struct {
	source, operator string
	got              uint64
	target           float64
}

func (l *linkRows) read(c *domain.Catalog, id domain.SourceID) {
	source := l.sourceLabel(id)
	if source == otherLabel {
		return
	}
	c.EachLink(id, func(link *domain.Link, weights int64) {
		operator := l.operatorLabel(link.Operator)
		if operator == otherLabel || len(l.rows) >= MaxSeries {
			return
		}
		l.rows = append(l.rows, linkRow{source: source, operator: operator, got: link.Received + link.Sticky, target: link.Target(weights)})
	})
}

func (l *linkRows) send(ch chan<- prometheus.Metric) {
	for i := range l.rows {
		r := &l.rows[i]
		ch <- prometheus.MustNewConstMetric(l.linkContacts, prometheus.CounterValue, float64(r.got), r.source, r.operator)
		gauge(ch, l.linkTarget, r.target, r.source, r.operator)
	}
}
