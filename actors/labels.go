package actors

import (
	"strconv"
	"sync"
)

// MaxSeries is how many series a metric has at most, so that no number of sources, operators or links can drown whoever
// scrapes.
const MaxSeries = 2000

// Of each label, so many values get series of their own; the rest share one.
const (
	maxSourceLabels   = MaxSeries / 4 // a source has four series in the widest metrics
	maxOperatorLabels = MaxSeries
	otherLabel        = "other"
)

// Labels says which labels the metrics carry of those that can have many values. Without one, its series are one sum,
// or one maximum where a sum says nothing.
type Labels struct{ Source, Operator bool }

// labeler gives the first ids that come a label value of their own, until there are enough.
type labeler struct {
	limit int

	mu     sync.Mutex
	values map[int64]string
}

func newLabeler(limit int) *labeler { return &labeler{limit: limit, values: map[int64]string{}} }

func (l *labeler) of(id int64) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	value, known := l.values[id]
	switch {
	case known:
	case len(l.values) < l.limit:
		value = strconv.FormatInt(id, 10)
		l.values[id] = value
	default:
		value = otherLabel
	}
	return value
}

// withLabel is labels, or values, with one more before them if that is on.
func withLabel(on bool, first string, rest ...string) []string {
	if !on {
		return rest
	}
	return append([]string{first}, rest...)
}
