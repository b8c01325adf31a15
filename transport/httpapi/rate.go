package httpapi

import (
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/time/rate"

	"minicrm/domain"
)

const (
	maxClients   = 10_000 // whose rates are known at once
	ipv6Customer = 64     // bits of an IPv6 address that one customer has; the rest they choose freely
)

// rates bounds the requests a second of each client: of each key, or of each address where no key was shown.
type rates struct {
	limit  rate.Limit
	burst  int
	policy []string // the header RateLimit-Policy

	mu      sync.Mutex
	clients map[string]*rate.Limiter
	crowd   *rate.Limiter // shared by those that found no room in clients
}

// newRates is nil for no limit. A burst of 0 is one second's worth.
func newRates(perSecond float64, burst int) *rates {
	if perSecond <= 0 {
		return nil
	}
	if burst <= 0 {
		burst = max(1, int(math.Ceil(perSecond)))
	}
	window := int(math.Ceil(float64(burst) / perSecond))
	return &rates{
		limit:   rate.Limit(perSecond),
		burst:   burst,
		policy:  []string{fmt.Sprintf(`"requests";q=%d;w=%d`, burst, window)},
		clients: map[string]*rate.Limiter{},
		crowd:   rate.NewLimiter(rate.Limit(perSecond), burst),
	}
}

// of is a client's limiter. Whoever is not limited at the moment can be forgotten, and is when the room runs out. If all
// are, as when a flood comes from ever new addresses, newcomers share one.
func (r *rates) of(client string, now time.Time) *rate.Limiter {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := r.clients[client]; l != nil {
		return l
	}
	if len(r.clients) >= maxClients {
		for name, l := range r.clients {
			if l.TokensAt(now) >= float64(r.burst) {
				delete(r.clients, name)
			}
		}
		if len(r.clients) >= maxClients {
			return r.crowd
		}
	}
	l := rate.NewLimiter(r.limit, r.burst)
	r.clients[client] = l
	return l
}

// take counts a request, and tells the client how much it has left as the IETF's draft on RateLimit fields has it: r
// requests now, and all of them after t seconds of silence.
func (r *rates) take(c *gin.Context, key *Key, now time.Time) error {
	l := r.of(clientOf(c.Request, key), now)
	allowed := l.AllowN(now, 1)
	left := math.Max(0, l.TokensAt(now))
	h := c.Writer.Header()
	h["Ratelimit-Policy"] = r.policy
	h.Set("RateLimit", fmt.Sprintf(`"requests";r=%d;t=%d`, int(left), r.seconds(float64(r.burst)-left)))
	if allowed {
		return nil
	}
	h.Set("Retry-After", strconv.Itoa(max(1, r.seconds(1-left))))
	return domain.Refuse(codeRateLimited, "more than %v requests a second; nothing was done, try again later", float64(r.limit))
}

// seconds is how long so many requests take to come back.
func (r *rates) seconds(requests float64) int { return int(math.Ceil(requests / float64(r.limit))) }

// clientOf names who is counted: the key, else the address that the connection comes from. What proxies say in headers
// is not looked at, since everybody can say it.
func clientOf(r *http.Request, key *Key) string {
	if key != nil {
		return "key " + key.Name
	}
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "unknown"
	}
	ip := address.Addr().Unmap().WithZone("")
	if ip.Is6() {
		prefix, _ := ip.Prefix(ipv6Customer) // of a valid address it is one
		ip = prefix.Addr()
	}
	return ip.String()
}
