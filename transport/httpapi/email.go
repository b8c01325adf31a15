package httpapi

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"minicrm/domain"
)

const (
	maxRawEmail  = 1024 // bytes before normalisation: longer ones cannot fit domain.MaxEmail, and IDNA is slow on them
	maxLocalPart = 64   // bytes, RFC 5321
)

const notAnEmail = "must be one bare address, like ada@example.org"

var emailTooLong = fmt.Sprintf("must have at most %d bytes", domain.MaxEmail)

// emailDomain maps a domain to ASCII as one does before a DNS look-up, with DNS's lengths. It is never changed.
var emailDomain = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false), idna.VerifyDNSLength(true))

// normalizeEmail brings one bare address into the form under which a lead is known, or says what is wrong with it.
// Normalising twice gives the same. The local part is lower-cased too: no provider of note tells Ada from ada, and two
// leads for one customer do harm. A +tag is kept: some people use it to be two customers.
func normalizeEmail(raw string) (email, wrong string) {
	if isPlainEmail(raw) {
		return raw, ""
	}
	return carefulEmail(raw)
}

func carefulEmail(raw string) (email, wrong string) {
	trimmed := strings.TrimSpace(raw)
	switch {
	case trimmed == "":
		return "", "must not be blank"
	case len(trimmed) > maxRawEmail:
		return "", emailTooLong
	}
	// NFC comes first, so that equivalent texts stay equal (İ and I with a dot), and again behind lower case, since a
	// letter without its dot can compose anew.
	local, host, _ := strings.Cut(norm.NFC.String(trimmed), "@")
	local = norm.NFC.String(strings.ToLower(local))
	switch {
	case !isLocalPart(local) || host == "":
		return "", notAnEmail
	case len(local) > maxLocalPart:
		return "", fmt.Sprintf("must have at most %d bytes before the @", maxLocalPart)
	}
	host, ok := asciiDomain(host)
	if !ok {
		return "", "must have a valid domain after the @"
	}
	if email = local + "@" + host; len(email) > domain.MaxEmail {
		return "", emailTooLong
	}
	return email, ""
}

// NormalizeEmail is the form under which the service knows an email, for tools that look for one.
func NormalizeEmail(raw string) (string, error) {
	email, wrong := normalizeEmail(raw)
	if wrong != "" {
		return "", errors.New("the email " + wrong)
	}
	return email, nil
}

// isLocalPart says whether s is a dot-atom of RFC 5322, or of RFC 6531 with letters of any script. So it has no space,
// quote, comment or second @.
func isLocalPart(s string) bool {
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" || strings.ContainsFunc(atom, func(r rune) bool { return !isAtomText(r) }) {
			return false
		}
	}
	return true
}

func isAtomText(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
		return true
	case r < utf8.RuneSelf:
		return strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
	}
	return unicode.IsPrint(r) && r != utf8.RuneError // neither invisible, nor a space, nor what is left of damaged text
}

// asciiDomain is a host name in the ASCII form of IDNA. A trailing dot, an empty label and an IP address are refused.
func asciiDomain(host string) (string, bool) {
	ascii, err := emailDomain.ToASCII(host)
	if err != nil {
		return "", false
	}
	if ascii != host {
		// The rules for right-to-left labels look at the characters before they are mapped, so a result can break them.
		if again, err := emailDomain.ToASCII(ascii); err != nil || again != ascii {
			return "", false
		}
	}
	top := ascii[strings.LastIndexByte(ascii, '.')+1:]
	// No top-level domain is a number: that is an IPv4 address, or a part of one. An empty one is a trailing dot.
	return ascii, strings.Trim(top, "0123456789") != ""
}
