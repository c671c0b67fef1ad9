package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The ways in which shoppers pay.
func ways() []share {
	return []share{
		{"card approve", 26}, {"card decline", 6}, {"card insufficient_funds", 3}, {"card-manual approve", 16}, {"wallet pay", 14},
		{"wallet decline", 4}, {"wallet cancel", 4}, {"wallet abandon", 3}, {"card timeout_after_charge", 4},
		{"card timeout_no_charge", 4}, {"card error_after_charge", 3}, {"card html_502_after_charge", 2}, {"card garbage", 2},
		{"card no_echo", 3}, {"card slow", 3}, {"card pending_then_approve", 5}, {"card pending_then_decline", 3},
		{"card refuse_before_send", 3}, {"card wrong_amount", 1}, {"card-manual timeout_after_charge", 2}, {"split approve", 6},
		{"split decline", 2}, {"split timeout_after_charge", 2},
	}
}

const (
	triesMax    = 12 // of one request, before a shopper gives up on it
	attemptsMax = 4  // to pay, each under a key of its own
	// abandonedAfter is when an order expires that waits for its shopper.
	abandonedAfter = 40 * time.Second
)

// shopper is somebody who buys one thing after the other.
type shopper struct {
	shop       *shop
	dice       *dice
	name       string
	operations atomic.Int64 // makes keys of their own
}

// shopAll buys until the time is over. What was begun is finished.
func (s *shopper) shopAll(ctx context.Context, over <-chan struct{}) {
	for n := 0; ctx.Err() == nil; n++ {
		select {
		case <-over:
			return
		default:
		}
		s.buy(ctx, fmt.Sprintf("%s-%d", s.name, n))
		if pause(ctx, s.dice.between(10*time.Millisecond, 150*time.Millisecond)) != nil {
			return
		}
	}
}

// purchase is one order, as far as its shopper has come.
type purchase struct {
	number, id, payment string
	method, scenario    string
	cents               int64
	card                string // the code of a gift card, for a split payment
	paid                bool
}

// buy orders something, pays it one way or another, and comes back.
func (s *shopper) buy(ctx context.Context, number string) {
	method, scenario, _ := strings.Cut(s.dice.draw(ways()), " ")
	p := &purchase{number: number, method: method, scenario: scenario, cents: 100 + int64(s.dice.below(50_000)), card: s.shop.giftCard}
	atOnce := method == "card" && s.dice.chance(30)
	create := request{path: "/v1/orders", key: "create-" + number, body: orderJSON(p, atOnce), instant: p.instant()}
	a, ok := s.insist(ctx, create)
	if !ok || a.order() == "" {
		return
	}
	p.id = a.order()
	s.shop.tally.add("orders")
	if atOnce && a.status == http.StatusOK {
		p.paid, p.payment = a.Moved == "yes", a.Payment.ID
	} else {
		s.pay(ctx, p)
	}
	if s.dice.chance(40) {
		s.back(ctx, p.id, "submit")
	}
	s.manage(ctx, p)
	if s.dice.chance(8) {
		s.cancel(ctx, p)
	}
}

// instant tells whether a charge is made while the request is carried out.
func (p *purchase) instant() bool {
	return p.method != "wallet" && !strings.HasPrefix(p.scenario, "pending")
}

// pay tries to pay until that is decided, each time under another key.
func (s *shopper) pay(ctx context.Context, p *purchase) {
	for attempt := range attemptsMax {
		r := request{
			path: "/v1/orders/" + p.id + "/pay", key: fmt.Sprintf("pay-%s-%d", p.number, attempt),
			body: "{" + p.payJSON() + "}", instant: p.instant(), order: p.id,
		}
		a, ok := s.among(ctx, r)
		switch {
		case !ok:
			s.back(ctx, p.id, "failed")
		case a.status == http.StatusOK && a.NextAction != nil:
			if s.act(ctx, p, a.NextAction.URL); s.dice.chance(70) {
				return
			}
		case a.status == http.StatusOK:
			p.paid, p.payment = a.Moved == "yes", a.Payment.ID
			return
		case a.status == http.StatusPaymentRequired:
			p.scenario = "approve"
		case a.Code == "order_already_paid", a.Code == "order_not_open":
			return
		default:
			s.back(ctx, p.id, "submit")
		}
	}
}

// among sends a request together with others that must not do it again: a twin
// under the same key, and a rival who pays the same order under another one.
func (s *shopper) among(ctx context.Context, r request) (answer, bool) {
	var others sync.WaitGroup
	if s.dice.chance(15) {
		s.shop.tally.add("twins")
		others.Go(func() { _, _ = s.shop.post(ctx, r) }) // what it was told is kept
	}
	if s.dice.chance(15) {
		s.shop.tally.add("rivals")
		rival := request{path: r.path, key: r.key + "-rival", body: `{"method": "card"}`, instant: true, order: r.order}
		others.Go(func() { _, _ = s.insist(ctx, rival) })
	}
	a, ok := s.insist(ctx, r)
	others.Wait()
	return a, ok
}

// act does what a wallet asks for. Some do it in their own time, some never.
func (s *shopper) act(ctx context.Context, p *purchase, page string) {
	if p.scenario == "abandon" || page == "" {
		return
	}
	if pause(ctx, s.dice.between(0, time.Second)) != nil {
		return
	}
	button := p.scenario
	if p.method != "wallet" {
		button = "pay"
	}
	s.shop.press(ctx, page, button)
}

// insist repeats a request under its key until the answer is final.
func (s *shopper) insist(ctx context.Context, r request) (answer, bool) {
	for try := range triesMax {
		if try > 0 {
			s.shop.tally.add("repeats")
		}
		a, ok := s.shop.post(ctx, r)
		if ok && !passing(a) {
			return a, true
		}
		if r.order != "" && s.dice.chance(40) {
			s.back(ctx, r.order, "submit") // the PSP is asked
		}
		if pause(ctx, s.dice.between(50*time.Millisecond, time.Duration(try+1)*200*time.Millisecond)) != nil {
			return a, false
		}
	}
	return answer{}, false
}

// passing tells an answer that the same request may get another one than.
func passing(a answer) bool {
	switch a.status {
	case http.StatusAccepted, http.StatusInternalServerError:
		return true
	case http.StatusServiceUnavailable:
		return a.Code != "gateway_unavailable"
	case http.StatusConflict:
		return a.Code == "idempotency_in_progress" || a.Code == "payment_in_progress"
	}
	return false
}

// back is the shopper's return, to either page.
func (s *shopper) back(ctx context.Context, id, page string) {
	_, _, _ = s.shop.do(ctx, http.MethodPost, "/v1/orders/"+id+"/"+page, "", "") // the books say what it did
}
