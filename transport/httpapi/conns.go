package httpapi

import (
	"net"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// LimitConns bounds a listener's open connections. One too many is closed at once: netutil.LimitListener would leave it
// waiting in the system's queue, where its client cannot tell a busy server from a dead one.
func LimitConns(l net.Listener, limit int, r prometheus.Registerer) net.Listener {
	limited := &limitedListener{Listener: l, limit: int64(limit)}
	factory := promauto.With(r)
	factory.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "minicrm_http_connections",
		Help: "Open connections of clients.",
	}, func() float64 { return float64(limited.open.Load()) })
	limited.refused = factory.NewCounter(prometheus.CounterOpts{
		Name: "minicrm_http_connections_refused_total",
		Help: "Connections closed at once because --max-connections were open.",
	})
	return limited
}

type limitedListener struct {
	net.Listener
	limit   int64
	open    atomic.Int64
	refused prometheus.Counter
}

// Accept implements net.Listener.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.open.Add(1) <= l.limit {
			return &limitedConn{Conn: conn, leave: sync.OnceFunc(func() { l.open.Add(-1) })}, nil
		}
		l.open.Add(-1)
		l.refused.Inc()
		_ = conn.Close() // nothing was promised to it
	}
}

type limitedConn struct {
	net.Conn
	leave func()
}

// Close implements net.Conn. The connection counts until it is called, whatever the client does.
func (c *limitedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
