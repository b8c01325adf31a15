package httpapi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"strconv"
	"strings"
	"sync"
	"time"

	"minicrm/domain"
)

// Rocket.Chat can leave it to an "External Service" who gets a new chat: with its routing method of that name it asks a
// URL and gives the chat to the user that the answer names. Its chats are not contacts of ours: a source's ledger is
// charged for them, and nobody's seat is taken.
//
// What it does was read in its source, apps/meteor/app/livechat/server/lib/routing/External.ts and what that was before:
//   - It appends ?departmentId=…&ignoreAgentId=… to the URL as it is, also to one that has a query already.
//   - It looks at username alone. An answer without one, like a problem, is nobody: "no agent online". That is final; an
//     older version takes an empty answer with status 200 for a reason to ask again, up to ten times.
//   - For one chat, a newer version asks ten times at once and takes the answer to the first request. An older one asks
//     again, up to ten times, only when the user that was named is not online.
//
// So requests that come while one waits for its answer are for the same chat, up to ten of them, and are answered by one
// decision. The first waits a moment for the others; one that comes when the answer was given is about another chat, or
// wants somebody else.

const (
	rocketChatAsks   = 10
	rocketChatGather = 30 * time.Millisecond
	headerRocketChat = "X-RocketChat-Secret-Token"
)

// rocketChat gathers the requests that are for one chat.
type rocketChat struct {
	token [sha256.Size]byte
	mu    sync.Mutex
	open  map[rocketChatAsk]*rocketChatDraw
}

// rocketChatAsk is what Rocket.Chat says about the chat.
type rocketChatAsk struct {
	source              domain.SourceID
	department, ignored string
}

// rocketChatDraw is one decision.
type rocketChatDraw struct {
	asked    int
	full     chan struct{} // closed when nobody else can join
	done     chan struct{} // closed when there is an operator or an error
	operator domain.Operator
	err      error
}

// newRocketChat is nil when there is no token: then there is no such route.
func newRocketChat(token string) *rocketChat {
	if token == "" {
		return nil
	}
	return &rocketChat{token: sha256.Sum256([]byte(token)), open: map[rocketChatAsk]*rocketChatDraw{}}
}

// nextForRocketChat says who gets a chat. It is a command: the ledger is charged.
func (a *api) nextForRocketChat(r *request) (answer, error) {
	token := sha256.Sum256([]byte(r.c.GetHeader(headerRocketChat)))
	if subtle.ConstantTimeCompare(token[:], a.rocketChat.token[:]) != 1 {
		return answer{}, domain.Refuse(codeUnauthorized, "the header %s has another token", headerRocketChat)
	}
	ask := r.rocketChatAsk()
	if err := r.check(nil); err != nil {
		return answer{}, err
	}
	o, err := a.rocketChat.share(ask, func() (domain.Operator, error) {
		return a.dispatcher.DrawOperator(r.context(), ask.source, a.stamp(r))
	})
	if err != nil {
		return answer{}, err
	}
	v := RocketChatAgent{ID: o.ExternalID, Username: o.Username}
	if v.ID == "" {
		v.ID = strconv.FormatInt(int64(o.ID), 10)
	}
	return ok(v)
}

// rocketChatAsk reads the query, in which a second question mark may stand for an ampersand.
func (r *request) rocketChatAsk() (ask rocketChatAsk) {
	text, given := r.parameter("source_id")
	if !given {
		r.note("source_id", "is required")
	}
	text, more, appended := strings.Cut(text, "?")
	if name, value, _ := strings.Cut(more, "="); appended {
		r.query.Add(name, value)
	}
	id, valid := parseID(text)
	if given && !valid {
		r.note("source_id", notAnID)
	}
	ask.source = domain.SourceID(id)
	ask.department, _ = r.parameter("departmentId")
	ask.ignored, _ = r.parameter("ignoreAgentId")
	return ask
}

// share gives the requests that are for one chat the same operator. The first draws for all of them.
func (c *rocketChat) share(ask rocketChatAsk, draw func() (domain.Operator, error)) (domain.Operator, error) {
	d, first := c.join(ask)
	if !first {
		<-d.done
		return d.operator, d.err
	}
	defer close(d.done)
	d.err = context.Canceled // unless draw returns
	wait := time.NewTimer(rocketChatGather)
	defer wait.Stop()
	select {
	case <-d.full:
	case <-wait.C:
		c.leave(ask, d)
	}
	d.operator, d.err = draw()
	return d.operator, d.err
}

func (c *rocketChat) join(ask rocketChatAsk) (d *rocketChatDraw, first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d = c.open[ask]
	if first = d == nil; first {
		d = &rocketChatDraw{full: make(chan struct{}), done: make(chan struct{})}
		c.open[ask] = d
	}
	if d.asked++; d.asked == rocketChatAsks {
		delete(c.open, ask)
		close(d.full)
	}
	return d, first
}

// leave ends the joining.
func (c *rocketChat) leave(ask rocketChatAsk, d *rocketChatDraw) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[ask] == d {
		delete(c.open, ask)
	}
}
