package httpapi

import (
	"strings"

	"minicrm/domain"
)

const maxLabel = 63 // bytes between the dots of a host name

// isPlainEmail says whether an address is plainly in its normal form, as most are that programs send: the careful way
// takes several times as long to leave it as it is. Of what it says no to, some is normal all the same.
func isPlainEmail(s string) bool {
	local, host, _ := strings.Cut(s, "@")
	return len(s) <= domain.MaxEmail && len(local) <= maxLocalPart && isPlainLocal(local) && isPlainHost(host)
}

func isPlainLocal(local string) bool {
	before := byte('.')
	for i := range len(local) {
		c := local[i]
		if !isPlain(c) && c != '+' && c != '-' && c != '_' && (c != '.' || before == '.') {
			return false
		}
		before = c
	}
	return before != '.'
}

// isPlainHost takes labels without two hyphens in a row, so none that IDNA made, and no address of IPv4 or a part of one.
func isPlainHost(host string) bool {
	before, label, number := byte('.'), 0, true
	for i := range len(host) {
		c := host[i]
		switch {
		case isPlain(c):
			number = number && c <= '9'
		case before == '.' || before == '-':
			return false
		case c == '-':
			number = false
		case c == '.':
			label, number = -1, true
		default:
			return false
		}
		if label++; label > maxLabel {
			return false
		}
		before = c
	}
	return before != '.' && before != '-' && !number
}

func isPlain(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }
