package httpapi

import (
	"cmp"
	"net/http"
	"slices"

	"minicrm/domain"
)

// kind is what HTTP says about a code, and what /docs/problems explains: what happened, and what to do.
type kind struct {
	status   int
	title    string
	happened string
	advice   string
}

const (
	askAgain = "Ask again after Retry-After seconds, with growing pauses, and with the same Idempotency-Key."
	askAdmin = "Ask whoever runs the service."
)

// kinds has every code, the domain's and the edge's.
var kinds = map[domain.Code]kind{
	codeMalformed: {http.StatusBadRequest, "The request is malformed",
		"The body is not one JSON value, breaks off, has a field twice or one that the call does not know; or the query string is malformed.",
		"This is a bug in the client: detail says where. Sending the same again does not help."},
	codeUnauthorized: {http.StatusUnauthorized, "A key is needed",
		"The request shows no key, or one that is not known or has expired.",
		"Send the header Authorization: Bearer KEY. minicrm key new makes keys."},
	codeForbidden: {http.StatusForbidden, "This is not allowed",
		"The key's role is not for this call, or its entry has sources and this is not one of them. Where no keys are in use: a browser sent this for a page of an origin that --cors-origin does not name.",
		"Use another key. A list of contacts needs source_id if the key is for some sources only. Have the page's origin added to --cors-origin."},
	codeNotFound: {http.StatusNotFound, "No such path",
		"The path is not one of the API's, has a slash too many, or is on another listener.",
		"Compare it with /docs. Probes and metrics may be on the admin listener."},
	domain.CodeOperatorNotFound: {http.StatusNotFound, "No such operator",
		"There never was an operator with this id, or it was deleted.",
		"Ids are never used again: forget this one."},
	domain.CodeSourceNotFound: {http.StatusNotFound, "No such source",
		"There never was a source with this id, or it was deleted.",
		"Ids are never used again: forget this one."},
	domain.CodeLeadNotFound: {http.StatusNotFound, "No such lead",
		"There never was a lead with this id.",
		"Look for the lead by its email: GET /v1/leads?email=."},
	domain.CodeContactNotFound: {http.StatusNotFound, "No such contact",
		"There never was a contact with this id; or it belongs to a source that the key is not for.",
		"Look whether the id is right, and whether the key is."},
	domain.CodeLinkNotFound: {http.StatusNotFound, "The operator is not linked to the source",
		"There is no link to remove.",
		"It is as you wanted it to be: go on."},
	domain.CodeNoDecision: {http.StatusNotFound, "Nobody was picked for the contact",
		"The contact waits, or waited until it was closed, so there is no decision to explain.",
		"Ask when it is assigned. GET /v1/sources/{id}/operators says why nobody is eligible."},
	domain.CodeDecisionExpired: {http.StatusNotFound, "The decision is not kept any more",
		"Of each source only the latest decisions are kept, 10,000 or more.",
		"Ask sooner. The contact's history still says who got it, and when."},
	domain.CodeNobodyEligible: {http.StatusNotFound, "Nobody is eligible",
		"No operator of the source with a username is active and has a free seat.",
		"To Rocket.Chat this means that no agent is online. Link operators that have a username, or raise max_load."},
	codeMethodNotAllowed: {http.StatusMethodNotAllowed, "No such method",
		"The path exists, the method on it does not.",
		"The header Allow has those that do."},
	domain.CodeEmailTaken: {http.StatusConflict, "Another lead has this email",
		"An email belongs to one lead, however it is written.",
		"Use that lead: lead_id is its id."},
	domain.CodeContactClosed: {http.StatusConflict, "The contact is closed",
		"A closed contact can be neither closed, released nor assigned.",
		"If it was to be closed, it is. Else reopen it first."},
	domain.CodeContactOpen: {http.StatusConflict, "Nobody holds the contact",
		"Only an assigned contact can be released. Perhaps somebody else released it first.",
		"Read the contact: it waits already."},
	domain.CodeContactNotOpen: {http.StatusConflict, "The contact is not open",
		"Only a contact that waits has a priority to change. Perhaps it was assigned meanwhile.",
		"Read the contact. There is nothing to hurry any more."},
	domain.CodeContactNotClosed: {http.StatusConflict, "The contact is not closed",
		"Only a closed contact can be reopened. Perhaps somebody else reopened it first.",
		"Read the contact and go on with it."},
	domain.CodeOperatorFull: {http.StatusConflict, "The operator is full",
		"The operator holds as many contacts as its max_load allows.",
		"Choose another, wait until it closes one, or assign with force."},
	domain.CodeOperatorInactive: {http.StatusConflict, "The operator is not active",
		"The operator is inactive, or draining and gets no more contacts.",
		"Choose another, make it active, or assign with force."},
	domain.CodeNotLinked: {http.StatusConflict, "The operator is not linked to the source",
		"Contacts go only to operators that are linked to their source; force does not change that.",
		"Link it: PUT /v1/sources/{id}/operators/{operator_id}, with weight 0 if it is to get none automatically."},
	domain.CodeTooManyLinks: {http.StatusConflict, "The source has too many operators",
		"A source can have 1,000 operators.",
		"Unlink those that are not needed, or split the source."},
	domain.CodeOperatorBusy: {http.StatusConflict, "The operator has contacts or links",
		"Only an operator without contacts and links can be deleted; detail names some.",
		"Call release-all, wait for what is left, unlink it from its sources, then delete it."},
	domain.CodeSourceLive: {http.StatusConflict, "The source has live contacts",
		"Only a source whose contacts are all closed can be deleted.",
		"Close them: GET /v1/contacts?source_id= lists them."},
	domain.CodeLeadLive: {http.StatusConflict, "The lead has live contacts",
		"A person can be erased when all its contacts are closed.",
		"Close them: GET /v1/leads/{id}/contacts lists them."},
	domain.CodeContactArchived: {http.StatusGone, "The contact was archived",
		"It was closed longer ago than --retain-closed, and is not in memory any more.",
		"It is in the file that archive names, in the directory archive below the data directory."},
	domain.CodeLeadErased: {http.StatusGone, "The lead was erased",
		"The person was erased, and nobody knows any more who it was.",
		"Forget the id. The same person is a new lead when it comes again."},
	codeTooLarge: {http.StatusRequestEntityTooLarge, "The body is too large",
		"A body has 1 MiB at most, so has each contact of a batch; a batch has 32 MiB and 10,000 contacts at most.",
		"Send less, or in more batches."},
	codeUnsupportedMedia: {http.StatusUnsupportedMediaType, "The body must be JSON",
		"The header Content-Type says that the body is something else.",
		"Send application/json, or leave the header out; a batch may also be application/x-ndjson."},
	domain.CodeInvalid: {http.StatusUnprocessableEntity, "The request has bad values",
		"Fields, parameters or headers are missing, too long, out of range or of a wrong type; errors names each.",
		"Show the messages to whoever filled them in. Sending the same again does not help."},
	domain.CodeKeyReused: {http.StatusUnprocessableEntity, "The idempotency key came before with another body",
		"Within a source, a key belongs to one contact. This one came with another body than before.",
		"Make a new key for each contact, and send the same body on a repeat."},
	codeRateLimited: {http.StatusTooManyRequests, "Too many requests",
		"The key, or the address where no key is shown, has made more requests than --rate-limit allows. Nothing was done.",
		"Wait for Retry-After seconds. The header RateLimit of each answer says what is left."},
	codeInternal: {http.StatusInternalServerError, "Internal error",
		"The service failed. What was asked for may have been done or not.",
		askAdmin + " The log has more, under the answer's X-Request-Id."},
	domain.CodeUnavailable: {http.StatusServiceUnavailable, "The service is unavailable",
		"It is starting, stopping, or has failed. A command that was on its way may have been done.",
		askAgain},
	domain.CodeBacklogFull: {http.StatusServiceUnavailable, "Too many contacts wait in the source",
		"As many contacts wait in the source as its backlog_limit lets wait. The contact was not taken.",
		askAgain + " Or tell the customer; or give the source more operators."},
	codeOverloaded: {http.StatusServiceUnavailable, "The service is overloaded",
		"As many commands are in flight as --max-in-flight allows, or as many bytes of long bodies are held as may be (256 MiB). Nothing was done.",
		askAgain},
	codeDiskLow: {http.StatusInsufficientStorage, "The disk is nearly full",
		"There is less room than --min-free-disk, so no commands are taken; reads go on. Nothing was done.",
		askAdmin + " Commands are taken again as soon as there is room."},
}

// explanation is a code on the page that explains it.
type explanation struct {
	Code     domain.Code
	Status   int
	Title    string
	Happened string
	Advice   string
}

// explained lists all codes, by status and name.
func explained() (all []explanation) {
	for code, k := range kinds {
		all = append(all, explanation{code, k.status, k.title, k.happened, k.advice})
	}
	slices.SortFunc(all, func(a, b explanation) int {
		return cmp.Or(cmp.Compare(a.Status, b.Status), cmp.Compare(a.Code, b.Code))
	})
	return all
}
