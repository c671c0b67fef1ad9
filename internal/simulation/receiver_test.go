package simulation

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/paysvc/paysvc/internal/outbound"
)

// postOffice is an instance's way to those who get events.
type postOffice struct{ i *instance }

// post is an event that came to its receiver, whatever that answered.
type post struct {
	id, url string
	body    []byte
	signed  http.Header
	// took tells that it is the receiver's now, and lost that it did not say so.
	took, lost bool
}

const (
	// patience is how long we wait for a receiver.
	patience = 10 * time.Second
	// troubles is the share of posts with which something goes wrong where
	// receivers do wrong.
	troubles = 0.3
)

// Post implements jobs.Poster.
func (p postOffice) Post(ctx context.Context, m outbound.Message) (outbound.Answer, error) {
	who, h := whoIn(ctx)+" "+m.ID, p.i.h
	f := h.sched.pass(&gate{
		who: who, what: "post to " + m.URL, at: p.i, rate: troubles,
		faults: []fault{closed, tooMany, tooMany, broken, broken, silence, tookIt, tookIt, tookIt, goneAway},
	}, ctx.Done())
	if f == died || f == closed {
		return outbound.Answer{}, &outbound.Failure{Why: outbound.ConnectFailed}
	}
	a, err := h.receive(who, m, f)
	if f == silence || f == tookIt {
		time.Sleep(patience)
		err = &outbound.Failure{Why: outbound.TimedOut}
	}
	if h.sched.pass(&gate{who: who, what: fmt.Sprint("posted ", a.Status), at: p.i}, nil) == died {
		return outbound.Answer{}, &outbound.Failure{Why: outbound.Unreadable}
	}
	return a, err
}

// receive is the receiver, which answers, or does not.
func (h *history) receive(who string, m outbound.Message, f fault) (outbound.Answer, error) {
	signed, err := signature(m)
	if err != nil {
		h.violate("E4", "%s is posted unsigned: %v", m.ID, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.posts = append(h.posts, post{m.ID, m.URL, m.Body, signed, f == none || f == tookIt, f == tookIt})
	rng := h.rng(fmt.Sprint("receiver of ", who, len(h.posts)))
	switch f {
	case tooMany:
		return outbound.Answer{Status: http.StatusTooManyRequests, RetryAfter: time.Duration(rng.IntN(90)) * time.Second}, nil
	case broken:
		return outbound.Answer{Status: []int{400, 404, 500, 500, 503}[rng.IntN(5)]}, nil
	case goneAway:
		return outbound.Answer{Status: []int{http.StatusGone, http.StatusMovedPermanently}[rng.IntN(2)]}, nil
	case silence, tookIt:
		return outbound.Answer{}, nil
	default:
		return outbound.Answer{Status: http.StatusOK + rng.IntN(5)}, nil
	}
}

// signature is what goes with a message, as Standard Webhooks says.
func signature(m outbound.Message) (http.Header, error) {
	head := http.Header{}
	now := time.Now()
	head.Set(standardwebhooks.HeaderWebhookID, m.ID)
	head.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	var all string
	for _, secret := range m.Secrets {
		hook, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			return nil, err
		}
		one, err := hook.Sign(m.ID, now, m.Body)
		if err != nil {
			return nil, err
		}
		all += " " + one
	}
	head.Set(standardwebhooks.HeaderWebhookSignature, all[min(1, len(all)):])
	return head, nil
}
