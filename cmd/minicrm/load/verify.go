package load

import (
	"context"
	"fmt"
	"math"
	"sync"
)

// Shares is how the service's shares were found at the end.
type Shares struct {
	Judged    int     `json:"judged_sources"`                 // held against the bound
	NotJudged string  `json:"not_judged_because,omitempty"`   // why others were not
	Worst     float64 `json:"largest_deviation,omitempty"`    // contacts that a count was off its exact share
	Bound     float64 `json:"bound_of_that_source,omitempty"` // 1 - 1/(2k-2)
}

// Loads is how many operators' loads were compared at the end, and what they hold.
type Loads struct {
	Compared int   `json:"compared_operators"`
	Held     int64 `json:"held_contacts"`
}

// linkAnswer is a link as the service shows it.
type linkAnswer struct {
	Operator int64   `json:"operator_id"`
	Weight   int64   `json:"weight"`
	Target   float64 `json:"target_share"`
	Lag      float64 `json:"lag"`
	Received struct {
		Automatic int64 `json:"automatic"`
	} `json:"received"`
}

// verify holds what the service shows at the end against what it answered before. After a lost answer nobody knows what
// has to be there, so nothing is compared then.
func (r *run) verify(ctx context.Context, report *Report) error {
	if n := r.tally.lost.Load() + r.tally.unsent.Load(); n > 0 {
		report.Shares.NotJudged = fmt.Sprintf("%d requests have no usable answer", n)
		return nil
	}
	if err := r.learnWaiting(ctx); err != nil {
		return err
	}
	if err := r.verifyShares(ctx, &report.Shares); err != nil {
		return err
	}
	return r.verifyLoads(ctx, &report.Loads)
}

// learnWaiting looks up the contacts that found nobody when they were posted: most will have somebody by now.
func (r *run) learnWaiting(ctx context.Context) error {
	var waiting []held
	for _, w := range r.workers {
		for i := range w.live.len() {
			if h := w.live.at(i); h.row == nobody {
				waiting = append(waiting, h)
			}
		}
	}
	return r.client.each(ctx, r.options.Connections, len(waiting), func(l *call, i int) error {
		h := waiting[i]
		var got contact
		if err := l.must("GET", fmt.Sprintf("/v1/contacts/%d", h.id), "", &got); err != nil {
			return err
		}
		if r.field.checkSame(r.tally, "at the end", h, &got, fmt.Appendf(nil, "%+v", got)) && got.Operator != 0 {
			r.field.take(h.source, r.field.sources[h.source].rows[got.Operator])
		}
		return nil
	})
}

func (r *run) verifyShares(ctx context.Context, shares *Shares) error {
	var mu sync.Mutex
	return r.client.each(ctx, r.options.Connections, len(r.field.sources), func(l *call, i int) error {
		s := &r.field.sources[i]
		shown, err := l.links(s.id)
		if err != nil {
			return err
		}
		roomy := r.roomy(s)
		worst, bound := r.verifyLinks(s, shown, roomy), s.bound()
		mu.Lock()
		defer mu.Unlock()
		if !roomy {
			shares.NotJudged = "operators may have been full, and shares then follow who frees seats"
			return nil
		}
		shares.Judged++
		if worst > shares.Worst {
			shares.Worst, shares.Bound = worst, bound
		}
		return nil
	})
}

// roomy says whether surely none of the source's operators was ever full: then the set of the eligible never changed.
// What was known to be held does not count what was on its way.
func (r *run) roomy(s *source) bool {
	onWay := int64(r.options.Connections * max(1, r.options.Batch))
	for i := range s.links {
		op := &r.field.operators[s.links[i].operator]
		most := min(op.peak.Load()+onWay, r.field.received(s.links[i].operator))
		if most >= int64(r.options.MaxLoad) {
			return false
		}
	}
	return true
}

// received is what an operator got from all its sources.
func (f *field) received(operator int) (n int64) {
	id := f.operators[operator].id
	for i := range f.sources {
		if row, linked := f.sources[i].rows[id]; linked {
			n += f.sources[i].links[row].received.Load()
		}
	}
	return n
}

// verifyLinks compares a source's links with what is known, and returns the largest deviation from an exact share.
func (r *run) verifyLinks(s *source, shown []linkAnswer, roomy bool) (worst float64) {
	wrong := func(l linkAnswer, what string) {
		r.tally.wrong("at the end: "+what, "source %d: %+v", s.id, l)
	}
	if len(shown) != len(s.links) {
		r.tally.wrong("at the end: missing links", "source %d shows %d of %d", s.id, len(shown), len(s.links))
	}
	total := s.received()
	for _, l := range shown {
		row, linked := s.rows[l.Operator]
		if !linked || l.Weight != s.links[row].weight || math.Abs(l.Target-s.share(row)) > 1e-9 {
			wrong(l, "another link than was made")
			continue
		}
		if known := s.links[row].received.Load(); l.Received.Automatic != known {
			wrong(l, fmt.Sprintf("another number of contacts received than the %d of the answers", known))
		}
		off := float64(l.Received.Automatic) - s.share(row)*float64(total)
		worst = max(worst, math.Abs(off))
		if roomy && math.Abs(off) > s.bound() {
			wrong(l, "a count that is further from its exact share than the bound")
		}
		if roomy && math.Abs(off+l.Lag) > 1e-6 {
			wrong(l, "a lag that is not what was earned less what was received")
		}
	}
	return worst
}

func (s *source) received() (n int64) {
	for i := range s.links {
		n += s.links[i].received.Load()
	}
	return n
}

func (r *run) verifyLoads(ctx context.Context, loads *Loads) error {
	err := r.client.each(ctx, r.options.Connections, len(r.field.operators), func(l *call, i int) error {
		op := &r.field.operators[i]
		var got struct {
			Load int64 `json:"load"`
		}
		if err := l.must("GET", fmt.Sprintf("/v1/operators/%d", op.id), "", &got); err != nil {
			return err
		}
		if known := op.load.Load(); got.Load != known {
			r.tally.wrong("at the end: another load than was sent and closed", "operator %d has %d, not %d", op.id, got.Load, known)
		}
		return nil
	})
	loads.Compared = len(r.field.operators)
	for i := range r.field.operators {
		loads.Held += r.field.operators[i].load.Load()
	}
	return err
}

// links reads all links of a source.
func (l *call) links(source int64) (all []linkAnswer, err error) {
	after := ""
	for {
		var page struct {
			Items []linkAnswer `json:"items"`
			Next  *string      `json:"next"`
		}
		if err := l.must("GET", fmt.Sprintf("/v1/sources/%d/operators?limit=1000%s", source, after), "", &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.Next == nil {
			return all, nil
		}
		after = "&after=" + *page.Next
	}
}
