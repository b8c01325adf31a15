// Package load puts load on a dispatcher over HTTP, times it, and checks every answer. It is what "minicrm load" runs,
// and what cmd/bench measures with.
//
//	options.go    what a load is: how many connections, closed or open loop, the mix, the leads
//	setup.go      sources, operators and links of its own, so that its shares are not mixed with anybody's
//	   │
//	   ▼
//	schedule.go   open loop: when each request is meant to be sent  ──►  run.go: hands them to the connections
//	   │
//	   ▼
//	worker.go     one connection: post, close or read, by the mix; one request at a time, the next after its answer
//	   │            client.go sends it, answer.go and batch.go hold the answer against what was asked
//	   ▼
//	tally.go      histograms, counts, what was wrong
//	   │
//	   ▼
//	verify.go     at the end: shares and loads, as the service shows them, against what was sent and closed
//	report.go     the results, as text or JSON
//
// Closed loop: each connection sends the next request when it has the answer, so a slow service is asked less. Open
// loop: requests have a time at which they are meant to leave, whatever the service does, and latency is counted from
// that time: a service that stalls for a second is charged with everything that was to come in that second.
//
// Generator and service usually share a machine, so the generator is thrifty: bodies are joined from parts that were
// encoded before the start, and answers are read into the same buffers again. Its report says what CPU time it took.
package load
