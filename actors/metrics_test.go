package actors

import (
	"context"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"minicrm/domain"
)

// series is what a registry has: values by name and label values, of histograms the number of observations.
func series(t *testing.T, r prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := strings.TrimPrefix(f.GetName(), "minicrm_")
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			all[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return all
}

// wants compares some series.
func wants(t *testing.T, got, want map[string]float64) {
	t.Helper()
	for name, value := range want {
		if v, there := got[name]; !there || v != value {
			t.Errorf("%s is %v (there: %v), want %v", name, v, there, value)
		}
	}
}

// measured is a dispatcher with metrics, whose clock stands at 9 seconds.
func measured(t *testing.T, labels Labels) (*Dispatcher, *prometheus.Registry) {
	r := prometheus.NewPedanticRegistry()
	o := options(&memoryJournal{})
	o.Registerer, o.Labels, o.Now = r, labels, func() domain.Time { return 9_000_000 }
	d, _ := startWith(t, o)
	return d, r
}

// lead a life of contacts with everything that is counted: one source, two operators of one seat each.
func live(t *testing.T, d *Dispatcher) {
	ctx := t.Context()
	furnish(t, d, 1, 2, 1)
	create := func(key, text string) (domain.Contact, bool, error) {
		return d.CreateContact(ctx, domain.NewContact{Source: 1, Email: "a@example.com", Key: key, Text: text},
			domain.Stamp{At: 4_000_000, Request: "req-" + key})
	}
	first, _, err := create("k1", "")
	check(t, err)
	second, _, err := create("k2", "")
	check(t, err)
	third, _, err := create("k3", "")
	check(t, err)
	if third.Status != domain.StatusOpen {
		t.Fatalf("the third contact is %s", third.Status.Name())
	}
	if _, replayed, err := create("k1", ""); err != nil || !replayed {
		t.Fatalf("the repeat: %v, %v", replayed, err)
	}
	if _, _, err := create("k1", "another"); err == nil {
		t.Fatal("a key was used twice")
	}
	_, err = d.CloseContact(ctx, first.ID, "", by(5_000_000)) // the third gets the seat, a moment later
	check(t, err)
	waitFor(t, func() bool { return contact(d, third.ID).Status == domain.StatusAssigned })
	_, err = d.AssignContact(ctx, second.ID, other(t, d, second.ID), true, by(6_000_000)) // past max_load
	check(t, err)
	_, err = d.ReleaseContact(ctx, second.ID, by(7_000_000)) // and goes to the free one at once
	check(t, err)
	_, err = d.ReopenContact(ctx, first.ID, by(8_000_000))
	check(t, err)
	_, err = d.PrioritiseContact(ctx, first.ID, 3, by(8_000_000))
	check(t, err)
	for _, kind := range d.host.traffic {
		waitFor(t, func() bool { return kind.waiting() == 0 })
	}
}

// other is the operator, of 1 and 2, that does not hold a contact.
func other(t *testing.T, d *Dispatcher, id domain.ContactID) domain.OperatorID {
	t.Helper()
	var op domain.OperatorID
	d.View(func(c *domain.Catalog) {
		contact, _ := c.Contact(id)
		op = 3 - contact.Operator
	})
	return op
}

// Catches an outcome that is counted as another, or twice, or before it is durable; times that are not those of the wait.
func TestMetricsOfALife(t *testing.T) {
	d, r := measured(t, Labels{Source: true, Operator: true})
	live(t, d)
	got := series(t, r)
	wants(t, got, map[string]float64{
		"contacts_total assigned 1": 2, "contacts_total open 1": 1, "contacts_total replayed 1": 1, "contacts_total rejected 1": 1,
		"assignments_total automatic 1": 4, "assignments_total forced 1": 1, "assignments_total manual 1": 0, "assignments_total sticky 1": 0,
		"contact_changes_total closed 1": 1, "contact_changes_total released 1": 1, "contact_changes_total reopened 1": 1,
		"contact_changes_total reprioritised 1": 1,
		"assignments_over_max_load_total":       1, "sticky_uncharged_total": 0,
		"time_to_assignment_seconds": 4, "decision_duration_seconds": 5,
		"backlog_contacts 1": 1, "backlog_age_seconds 1": 1, "backlog_unserved_contacts 1": 0,
		"source_eligible_operators 1": 0,
		"open_contacts all_full":      1, "open_contacts no_link": 0, "open_contacts all_inactive": 0,
		"operators active": 2, "operators inactive": 0, "operators draining": 0,
		"operator_seats 1": 1, "operator_seats 2": 1, "operator_load_contacts 1": 1, "operator_load_contacts 2": 1,
		"idempotency_keys": 3, "idempotency_keys_evicted_total": 0, "snapshot_every_records": 1000,
		"actor_restarts_total source": 0, "actor_restarts_total journal": 0, "actor_restarts_total leads": 0, "actor_restarts_total operators": 0,
		"actor_messages_handled_total operators": 2, "actor_messages_handled_total leads": 6,
		"link_target_ratio 1 1": 1.0 / 3, "link_target_ratio 2 1": 2.0 / 3,
	})
	if sum := got["link_contacts_total 1 1"] + got["link_contacts_total 2 1"]; sum != 4 {
		t.Errorf("the links got %v contacts", sum)
	}
	if lag := got["source_lag_contacts 1"]; lag <= 0 || lag > 1 {
		t.Errorf("the largest lag is %v", lag)
	}
}

// Catches a time to assignment of which a wait that was interrupted counts twice, and exemplars of requests that had
// nothing to do with it.
func TestTimeToAssignment(t *testing.T) {
	d, r := measured(t, Labels{})
	live(t, d)
	families, err := r.Gather()
	check(t, err)
	for _, f := range families {
		if f.GetName() != "minicrm_time_to_assignment_seconds" {
			continue
		}
		h := f.GetMetric()[0].GetHistogram()
		// At 9 s: two that came at 4 s, one of then that got the seat of a close, and one that was released at 7 s.
		if sum := h.GetSampleSum(); sum != 5+5+5+2 {
			t.Errorf("%v seconds in all", sum)
		}
		var ids []string
		for _, b := range h.GetBucket() {
			if e := b.GetExemplar(); e != nil {
				ids = append(ids, e.GetLabel()[0].GetValue())
			}
		}
		if len(ids) != 1 || ids[0] != "req-k1" {
			t.Errorf("exemplars of %v", ids)
		}
		if len(h.GetPositiveSpan()) == 0 {
			t.Error("no native buckets")
		}
		return
	}
	t.Error("no such metric")
}

// Catches labels that stay when they are off, and sums that are not.
func TestMetricsWithoutLabels(t *testing.T) {
	d, r := measured(t, Labels{})
	empty := series(t, r)
	wants(t, empty, map[string]float64{"backlog_contacts": 0, "source_lag_contacts": 0, "operator_seats": 0, "contacts_total open": 0})
	live(t, d)
	furnish(t, d, 1, 1, 5) // a second source, and a third operator
	_, err := d.SetLink(t.Context(), 2, 3, 1, by(3))
	check(t, err)
	_, err = post(t.Context(), d, 2, "b@example.com")
	check(t, err)
	got := series(t, r)
	wants(t, got, map[string]float64{
		"contacts_total assigned": 3, "assignments_total automatic": 5, "backlog_contacts": 1, "operator_seats": 7, "operator_load_contacts": 3,
	})
	for name := range got {
		if strings.HasPrefix(name, "link_") {
			t.Errorf("%s without labels", name)
		}
	}
}

// Catches a label that goes on past its limit, or whose rest is lost.
func TestLabelsEnd(t *testing.T) {
	l := newLabeler(2)
	for _, c := range []struct {
		id   int64
		want string
	}{{7, "7"}, {3, "3"}, {9, "other"}, {7, "7"}, {10, "other"}} {
		if got := l.of(c.id); got != c.want {
			t.Errorf("%d is %s instead of %s", c.id, got, c.want)
		}
	}
	d, r := measured(t, Labels{Source: true, Operator: true})
	d.metrics.names.limit = 2
	furnish(t, d, 4, 1, 1)
	for source := 1; source <= 4; source++ {
		_, err := post(t.Context(), d, source, "a@example.com")
		check(t, err)
	}
	got := series(t, r)
	wants(t, got, map[string]float64{
		"contacts_total assigned 1": 1, "contacts_total open 2": 1, "contacts_total open other": 2,
		"backlog_contacts 1": 0, "backlog_contacts 2": 1, "backlog_contacts other": 2,
	})
	if _, there := got["backlog_contacts 3"]; there {
		t.Error("the third source has a series of its own")
	}
}

// Catches a metric of sources, operators or links with more series than MaxSeries and those of other.
func TestSeriesAreCapped(t *testing.T) {
	d, r := measured(t, Labels{Source: true, Operator: true})
	furnish(t, d, 0, maxOperatorLabels+3, 1)
	furnishLinks(t, d, maxSourceLabels+3, 5)
	families, err := r.Gather()
	check(t, err)
	most := 0
	for _, f := range families {
		others := 0
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetValue() == otherLabel && l.GetName() != "reason" {
					others++
				}
			}
		}
		own := len(f.GetMetric()) - others
		if own > MaxSeries || others > MaxSeries/maxSourceLabels {
			t.Errorf("%s has %d series, and %d of other", f.GetName(), own, others)
		}
		most = max(most, own)
	}
	if most != MaxSeries {
		t.Errorf("%d series at most: the cap was not reached", most)
	}
}

// furnishLinks makes sources that are linked to the first operators.
func furnishLinks(t *testing.T, d *Dispatcher, sources, operators int) {
	t.Helper()
	for range sources {
		s, err := d.CreateSource(t.Context(), domain.NewSource{Name: "source", Backlog: domain.BacklogAuto}, by(1))
		check(t, err)
		for op := range operators {
			_, err := d.SetLink(t.Context(), s.ID, domain.OperatorID(op+1), 1, by(1))
			check(t, err)
		}
	}
}

// Catches labels after a start that depend on the order of events, and counters that a source only gets with its first.
func TestKnownSourcesHaveSeries(t *testing.T) {
	log := &memoryJournal{}
	d, _ := furnished(t, log, 3, 1, 1)
	check(t, d.DeleteSource(t.Context(), 2, by(3)))
	r := prometheus.NewPedanticRegistry()
	o := options(&memoryJournal{records: log.records})
	o.Registerer, o.Labels = r, Labels{Source: true}
	startWith(t, o)
	got := series(t, r)
	wants(t, got, map[string]float64{"contacts_total rejected 1": 0, "contacts_total rejected 3": 0, "backlog_contacts 3": 0})
	for name := range maps.Keys(got) {
		if strings.HasSuffix(name, " 2") {
			t.Errorf("a deleted source has %s", name)
		}
	}
}

// Catches, with the race detector, a scrape that reads what the actors change.
func TestScrapesWhileContactsCome(t *testing.T) {
	d, r := measured(t, Labels{Source: true, Operator: true})
	furnish(t, d, 3, 3, 1000)
	var work sync.WaitGroup
	for source := 1; source <= 3; source++ {
		work.Go(func() {
			for range 200 {
				if _, err := post(context.Background(), d, source, "a@example.com"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 20 {
		series(t, r)
	}
	work.Wait()
	got := series(t, r)
	wants(t, got, map[string]float64{
		"contacts_total assigned 1": 200, "operator_load_contacts 1": got["link_contacts_total 1 1"] + got["link_contacts_total 1 2"] + got["link_contacts_total 1 3"],
	})
}
