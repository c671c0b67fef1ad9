package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// manage is what a shop does with a payment later: it captures, gives back and
// releases, at times twice at once.
func (s *shopper) manage(ctx context.Context, p *purchase) {
	if !p.paid || p.payment == "" {
		return
	}
	if p.method != "card-manual" {
		if s.dice.chance(35) {
			s.refund(ctx, p)
		}
		return
	}
	switch s.dice.draw([]share{{"capture", 40}, {"capture and refund", 20}, {"void", 25}, {"nothing", 15}}) {
	case "capture":
		s.capture(ctx, p)
	case "capture and refund":
		s.capture(ctx, p)
		s.refund(ctx, p)
	case "void":
		s.operate(ctx, p, "void", "", 0)
	}
}

// capture takes all that is reserved, or a part and then the rest.
func (s *shopper) capture(ctx context.Context, p *purchase) {
	if s.dice.chance(60) {
		s.operate(ctx, p, "capture", "", 0)
		return
	}
	part := 1 + int64(s.dice.below(int(p.cents)))
	s.operate(ctx, p, "capture", fmt.Sprintf(`, "final": %t`, s.dice.chance(50)), part)
}

// refund gives back all or parts, some of them at once: what they ask for
// together may be more than there is.
func (s *shopper) refund(ctx context.Context, p *purchase) {
	if s.dice.chance(40) {
		s.operate(ctx, p, "refund", "", 0)
		return
	}
	var together sync.WaitGroup
	for range 1 + s.dice.below(3) {
		part := 1 + int64(s.dice.below(int(p.cents)))
		together.Go(func() { s.operate(ctx, p, "refund", "", part) })
	}
	together.Wait()
}

// howOperationsEnd are the scenarios of operations, as those of payments.
func howOperationsEnd() []share {
	return []share{
		{"approve", 60}, {"decline", 6}, {"timeout_after_charge", 8}, {"timeout_no_charge", 8}, {"error_after_charge", 5},
		{"garbage", 3}, {"pending_then_approve", 6}, {"pending_then_decline", 4},
	}
}

// operate asks for an operation until that is decided. Part 0 is all that is left.
func (s *shopper) operate(ctx context.Context, p *purchase, operation, more string, part int64) {
	scenario := s.dice.draw(howOperationsEnd())
	data := ""
	if p.method != "split" { // a gift card plays no scenarios
		data = fmt.Sprintf(`"data": {"scenario": %q}`, scenario)
	}
	if part > 0 {
		more += fmt.Sprintf(`, "amount": %q`, euros(part))
	}
	r := request{
		path: "/v1/payments/" + p.payment + "/" + operation, key: fmt.Sprintf("%s-%s-%d", operation, p.number, s.operations.Add(1)),
		body: "{" + strings.TrimPrefix(data+more, ", ") + "}", instant: !strings.HasPrefix(scenario, "pending"),
		order: p.id,
	}
	if operation == "refund" {
		r.refund = part
	}
	s.shop.tally.add(operation + " requests")
	var twin sync.WaitGroup
	if s.dice.chance(15) {
		s.shop.tally.add("twins")
		twin.Go(func() { _, _ = s.shop.post(ctx, r) })
	}
	_, _ = s.insist(ctx, r) // what they were told is kept
	twin.Wait()
}

// cancel changes a shopper's mind. What was paid is given back or released.
func (s *shopper) cancel(ctx context.Context, p *purchase) {
	release := s.dice.draw([]share{{"refund", 50}, {"void", 20}, {"none", 10}, {"", 20}})
	body := `{"reason": "changed my mind"`
	if release != "" {
		body += fmt.Sprintf(`, "release": %q`, release)
	}
	s.shop.tally.add("cancellations")
	for range 3 {
		a, _, err := s.shop.do(ctx, http.MethodPost, "/v1/orders/"+p.id+"/cancel", "", body+"}")
		if err == nil && !passing(a) {
			return
		}
		if pause(ctx, s.dice.between(50*time.Millisecond, 500*time.Millisecond)) != nil {
			return
		}
	}
}
