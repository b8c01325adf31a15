package httpapi

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"minicrm/domain"
)

// Catches: two forms of one address that stay two (two leads for one customer), two addresses that become one.
func TestNormalizeEmail(t *testing.T) {
	local64 := strings.Repeat("l", maxLocalPart)
	label := strings.Repeat("d", 63)
	long := local64 + "@" + label + "." + label + "." + strings.Repeat("d", domain.MaxEmail-64-1-64-64)
	for _, c := range []struct{ raw, want string }{
		{"ada@example.org", "ada@example.org"},
		{" \t\u00a0ada@example.org\r\n", "ada@example.org"},
		{"Ada.Lovelace+VIP@Example.ORG", "ada.lovelace+vip@example.org"},
		{"a!#$%&'*+-/=?^_`{|}~z@example.org", "a!#$%&'*+-/=?^_`{|}~z@example.org"},
		{"ada@localhost", "ada@localhost"},
		{"ada@bücher.example", "ada@xn--bcher-kva.example"},
		{"ada@BÜCHER.example", "ada@xn--bcher-kva.example"},
		{"ada@bu\u0308cher.example", "ada@xn--bcher-kva.example"},
		{"ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example"},
		{"ada@straße.example", "ada@xn--strae-oqa.example"},
		{"ada@ｅｘａｍｐｌｅ。org", "ada@example.org"},
		{"ada@пример.рф", "ada@xn--e1afmkfd.xn--p1ai"},
		{"jose\u0301@example.org", "josé@example.org"},
		{"JOSÉ@example.org", "josé@example.org"},
		{"\u212aelvin@example.org", "kelvin@example.org"},
		{"İ@example.org", "i@example.org"},
		{"I\u0307@example.org", "i@example.org"},
		{"İ\u0301@example.org", "í@example.org"},
		{"用户@例子.测试", "用户@xn--fsqu00a.xn--0zwm56d"},
		{"1@2.com", "1@2.com"},
		{long, long},
	} {
		got, wrong := normalizeEmail(c.raw)
		if got != c.want || wrong != "" {
			t.Errorf("%q: %q %s, want %q", c.raw, got, wrong, c.want)
		}
	}
}

// Catches: what is more than one bare address, or could be taken for another.
func TestNormalizeEmailRefuses(t *testing.T) {
	label := strings.Repeat("d", 63)
	for _, raw := range []string{
		"", "   ", "ada", "@", "ada@", "@example.org", "a@b@example.org", "ada@example.org,bob@example.org", "ada@example.org;bob@example.org",
		"Ada <ada@example.org>", "<ada@example.org>", "mailto:ada@example.org", "ada(comment)@example.org", `"ada"@example.org`, `a\@b@example.org`,
		"a da@example.org", "ada@exam ple.org", "ada\n@example.org", "ada\x00@example.org", "ada\u200b@example.org", "ada\u202e@example.org", "ada\u2003x@example.org",
		".ada@example.org", "ada.@example.org", "a..da@example.org",
		"ada@.org", "ada@example..org", "ada@example.org.", "ada@.", "ada@-example.org", "ada@example-.org", "ada@exa_mple.org", "ada@example.org:25",
		"ada@[127.0.0.1]", "ada@[IPv6:::1]", "ada@127.0.0.1", "ada@127.1", "ada@1", "ada@::1", "ada@１２７.0.0.1",
		"ada@xn--a", "ada@xn--bcher-kv\u00e4.example", "ada@ex\u200bample.\u0000org", "ada@a\u200db.example",
		"ada@a\u2135b.org",                         // IDNA maps it to a right-to-left letter between left-to-right ones
		"a@\u0301\u0345.org", "a@\u0345\u0301.org", // equivalent, but IDNA alone takes the first
		"\xff@example.org", "ada\xff@example.org", "ada@exam\xffple.org", "\ufffd@example.org",
		"\u037e@example.org", // NFC makes it a semicolon
		strings.Repeat("l", maxLocalPart+1) + "@example.org",
		strings.Repeat("ä", maxLocalPart/2+1) + "@example.org",
		"ada@" + label + "d.org",
		"ada@" + label + "." + label + "." + label + "." + label + ".org",
		strings.Repeat("l", maxLocalPart) + "@" + label + "." + label + "." + strings.Repeat("d", domain.MaxEmail-64-1-64-64+1),
		strings.Repeat("l", 1<<20),
		"ada@" + manyCharacters(1<<19), // punycode takes quadratic time
	} {
		if got, wrong := normalizeEmail(raw); got != "" || wrong == "" {
			t.Errorf("%.80q became %q %q", raw, got, wrong)
		}
	}
}

func manyCharacters(n int) string {
	var b strings.Builder
	for b.Len() < n {
		b.WriteRune(rune(0x4e00 + b.Len()%0x5000))
	}
	return b.String()
}

// Catches: a message about the domain for a text without one.
func TestNormalizeEmailSaysWhat(t *testing.T) {
	for raw, want := range map[string]string{
		" ":                      "must not be blank",
		"ada":                    "must be one bare address, like ada@example.org",
		"ada@":                   "must be one bare address, like ada@example.org",
		"ada@example..org":       "must have a valid domain after the @",
		strings.Repeat("a", 2e3): "must have at most 254 bytes",
	} {
		if _, wrong := normalizeEmail(raw); wrong != want {
			t.Errorf("%.20q: %q, want %q", raw, wrong, want)
		}
	}
}

// checkNormal checks what holds for every input: the result is within the limits, one bare address, a fixed point, and the same for an
// equivalent text.
func checkNormal(t interface{ Fatalf(string, ...any) }, raw string) {
	email, wrong := carefulEmail(raw)
	if quick, _ := normalizeEmail(raw); quick != email {
		t.Fatalf("%q: %q, and carefully %q %s", raw, quick, email, wrong)
	}
	if (email == "") != (wrong != "") {
		t.Fatalf("%q: %q and %q", raw, email, wrong)
	}
	if email == "" {
		return
	}
	again, wrong := normalizeEmail(email)
	if again != email {
		t.Fatalf("%q: %q, then %q %s", raw, email, again, wrong)
	}
	if apart := norm.NFD.String(raw); len(apart) <= maxRawEmail {
		if same, wrong := normalizeEmail(apart); same != email {
			t.Fatalf("%q: %q, but taken apart %q %s", raw, email, same, wrong)
		}
	}
	if len(email) > domain.MaxEmail || strings.Count(email, "@") != 1 || !utf8.ValidString(email) || strings.ContainsFunc(email, unicode.IsSpace) {
		t.Fatalf("%q: %q", raw, email)
	}
}

// Catches: a quick way that takes what the careful one changes or refuses; a normalisation that is not one: then a client that sends back what it was shown finds nobody.
func TestNormalizeEmailTwiceIsOnce(t *testing.T) {
	interesting := rapid.SampledFrom([]rune("aAzZ09.-+_@ÄßİıſKÅΩΣςάΐﬃ。．ªǅ'\u0301\u0308\u0307\u200c\u200d\u0345אبक一"))
	part := rapid.OneOf(rapid.StringOfN(interesting, 0, 12, -1), rapid.StringN(0, 12, -1), rapid.StringMatching(`[a-zA-Z0-9]([-.+]?[a-zA-Z0-9]){0,8}`),
		rapid.StringMatching(`[a-z0-9.+_-]{0,70}`), rapid.StringMatching(`([a-z0-9]{1,2}|xn|--|-|\.){0,9}`))
	rapid.Check(t, func(t *rapid.T) {
		checkNormal(t, part.Draw(t, "local")+"@"+part.Draw(t, "host"))
		checkNormal(t, part.Draw(t, "local")+"@example.org")
		checkNormal(t, "a@"+part.Draw(t, "host")+".org")
	})
}

// Catches: single characters that case and composition treat in a surprising way.
func TestNormalizeEmailOfEveryCharacter(t *testing.T) {
	for r := range rune(0x30000) {
		if utf8.ValidRune(r) {
			checkNormal(t, "a"+string(r)+"b@example.org")
			checkNormal(t, string(r)+"@a"+string(r)+"b.org")
		}
	}
}

func FuzzNormalizeEmail(f *testing.F) {
	for _, seed := range []string{"ada@example.org", " A+b@Bücher.example ", "a@xn--bcher-kva.example", "\u212a@ｅ。x", "a@\u200d.x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) { checkNormal(t, raw) })
}
