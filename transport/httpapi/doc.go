// Package httpapi is the edge of Mini-CRM: JSON over HTTP in, domain values out, and back. It holds no business rule
// and no state but its in-flight count and its clock.
//
// One call's way:
//
//	observe            metrics.go: give it an id (call.go), time it, count it, log it (logs.go), trace it (trace.go),
//	   │               survive a panic
//	   │
//	   ▼
//	admit              browser.go: what browsers are told; auth.go: which key it shows, and whether roles.go lets that in;
//	   │               rate.go: how often it comes
//	   ▼
//	read │ command     request.go: a command has its body read, then takes one of MaxInFlight places
//	   │
//	   ▼
//	handler            operators.go, sources.go, links.go, leads.go, contacts.go, life.go, why.go, shares.go; batch.go, which
//	   │               reads its own body; rocketchat.go:
//	   │                 decode the body, gather every bad field, stamp the time, then
//	   │                 Dispatcher (a command) or Dispatcher.View (a read)
//	   ▼
//	answer │ error     encode.go: one JSON value with its length; problem.go: an RFC 9457 problem
//
// The types of bodies are made of openapi.yaml: types.gen.go, by generate/. What is done with them is written by hand:
// decode.go has the members of requests, which note what is wrong with them; encode.go those of answers that can be null;
// contact_view.go and batch.go write contacts, which are most of all answers, without reflection.
//
// Handlers return an answer or an error and never write. Every refusal is a *domain.Error, also those of the edge
// itself, and one table in problem.go gives each code its status. Any other error is a 500 that says nothing.
package httpapi
