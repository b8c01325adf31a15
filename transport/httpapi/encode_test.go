package httpapi

import (
	"testing"
	"time"

	"minicrm/domain"
)

// Catches: times in the machine's zone, in seconds, or with zeros that say nothing.
func TestTimesAreUTC(t *testing.T) {
	defer func(zone *time.Location) { time.Local = zone }(time.Local)
	time.Local = time.FixedZone("far", 5*3600)
	for micros, want := range map[domain.Time]string{
		1:                     "1970-01-01T00:00:00.000001Z",
		1_772_366_400_000_000: "2026-03-01T12:00:00Z",
		1_772_366_400_120_000: "2026-03-01T12:00:00.12Z",
		1_772_366_400_123_456: "2026-03-01T12:00:00.123456Z",
	} {
		if got, err := moment(micros).AppendText(nil); string(got) != want || err != nil {
			t.Errorf("%d: %s %v, want %s", micros, got, err, want)
		}
	}
}
