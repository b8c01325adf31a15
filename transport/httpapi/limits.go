package httpapi

// Limits of the edge. Those of single values are the domain's.
const (
	// DefaultMaxInFlight is how many commands may be on their way at once when Options does not say.
	DefaultMaxInFlight = 4096

	maxBody      = 1 << 20  // bytes of a request's body
	maxDepth     = 32       // levels of a JSON body; the API's own have two
	maxPooled    = 64 << 10 // bytes of a buffer that is kept for the next call: one huge body must not stay in memory
	defaultLimit = 50       // items of a page
	maxLimit     = 1000
	maxShown     = 64 // characters of a client's own text that an answer repeats
)

// places bounds the commands in flight. The mailboxes behind the edge have no limit of their own, so this is the one.
type places chan struct{}

// take is false when all places are taken: nobody waits for one.
func (p places) take() bool {
	select {
	case p <- struct{}{}:
		return true
	default:
		return false
	}
}

func (p places) leave() { <-p }
