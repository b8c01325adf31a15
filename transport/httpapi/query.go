package httpapi

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"minicrm/domain"
)

// parameter takes one parameter out of the query.
func (r *request) parameter(name string) (value string, given bool) {
	values, given := r.query[name]
	if !given {
		return "", false
	}
	delete(r.query, name)
	if len(values) > 1 {
		r.note(name, "must be given once")
		return "", false
	}
	return values[0], true
}

// refuseRest finds fault with every parameter that nobody asked for: a filter with a typo must not list everything.
func (r *request) refuseRest() {
	if len(r.query) == 0 {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(r.query)) {
		r.note(shown(name), "is not a parameter of this call")
	}
}

// page reads which part of a list is wanted. A cursor is a place in commit order.
func (r *request) page() (after uint64, limit int) {
	if text, given := r.parameter("after"); given {
		place, ok := parseID(text)
		if !ok {
			r.note("after", "must be the next of an earlier page")
		}
		after = uint64(place)
	}
	limit = defaultLimit
	if text, given := r.parameter("limit"); given {
		wanted, err := strconv.Atoi(text)
		if err != nil || wanted < 1 || wanted > maxLimit {
			r.note("limit", "must be an integer from 1 to "+strconv.Itoa(maxLimit))
		}
		limit = wanted
	}
	return after, limit
}

// queryID reads a filter by id; 0 = not given.
func (r *request) queryID(name string) int64 {
	text, given := r.parameter(name)
	if !given {
		return 0
	}
	id, ok := parseID(text)
	if !ok {
		r.note(name, notAnID)
	}
	return id
}

// queryStatus reads the filter by status; 0 = not given.
func (r *request) queryStatus() domain.Status {
	text, given := r.parameter("status")
	if !given {
		return 0
	}
	for _, status := range []domain.Status{domain.StatusOpen, domain.StatusAssigned, domain.StatusClosed} {
		if status.Name() == text {
			return status
		}
	}
	r.note("status", `must be "open", "assigned" or "closed"`)
	return 0
}

// queryEmail reads the filter by email, normalised; "" = not given.
func (r *request) queryEmail() string {
	text, given := r.parameter("email")
	if !given {
		return ""
	}
	email, wrong := normalizeEmail(text)
	if wrong != "" && strings.Contains(text, " ") {
		wrong += "; in a query, + is written %2B"
	}
	if wrong != "" {
		r.note("email", wrong)
	}
	return email
}
