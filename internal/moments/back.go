package moments

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/netip"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
)

// returnInquiryMax is how long a shopper who comes back waits for the PSP.
const returnInquiryMax = 3 * time.Second

// OrderOfSlug finds the order of a return URL.
func (s *Service) OrderOfSlug(ctx context.Context, slug string) (*payment.Order, error) {
	id, token, err := payment.ParseReturnSlug(slug)
	if err != nil {
		return nil, payment.ErrOrderNotFound
	}
	o, err := s.Orders.ReadOrder(ctx, "", id)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(o.ReturnToken), []byte(token)) != 1 {
		return nil, payment.ErrOrderNotFound
	}
	return o, nil
}

// Submit is order submit: the shopper comes back from paying. The PSP is asked if
// nothing is known yet, and post-process runs. It decides nothing by itself. From is
// the shopper's address.
func (s *Service) Submit(ctx context.Context, o *payment.Order, from netip.Addr) (*payment.Order, error) {
	o, err := s.inquireOpen(ctx, o, returnInquiryMax)
	if err != nil {
		return nil, err
	}
	return s.page(ctx, o, pipeline.PostProcess, from)
}

// Fail is order failed: the shopper comes back from not paying. The PSP is asked
// too: an order that turns out to be paid stays paid, and cancel does not run.
func (s *Service) Fail(ctx context.Context, o *payment.Order, from netip.Addr) (*payment.Order, error) {
	o, err := s.inquireOpen(ctx, o, returnInquiryMax)
	if err != nil || o.Covered() {
		return o, err
	}
	return s.page(ctx, o, pipeline.Cancel, from)
}

// page runs the pipeline of a page that anyone may request.
func (s *Service) page(ctx context.Context, o *payment.Order, name string, from netip.Addr) (*payment.Order, error) {
	run, err := s.execute(ctx, pipeline.Request{
		Open: payment.Opening{Store: o.Store, Order: o.ID}, Pick: s.pick(name), Confirm: s.pick(pipeline.Confirm), From: from,
	})
	if err != nil {
		return o, err
	}
	return run.Order, nil
}

// CancelCommand asks to cancel an order.
type CancelCommand struct {
	Store   string
	Order   payment.OrderID
	Author  string // name of the key
	Reason  string
	Release string // what happens to money that is held: void, refund or none
	Actor   string // for the audit
	From    netip.Addr
	// Claim is the idempotency key, nil for none, and Render makes the answer that it
	// keeps; Cancel only.
	Claim  *payment.Claim
	Render func(o *payment.Order) payment.Reply
}

// Cancel is CancelOrder under an idempotency key: its answer, after money was given
// back, is kept.
func (s *Service) Cancel(ctx context.Context, c CancelCommand) (Answer, error) {
	r := repetition{Store: c.Store, Order: c.Order, Claim: c.Claim, Known: c.known}
	o, err := s.CancelOrder(ctx, c)
	if claimed, ok := errors.AsType[*payment.Claimed](err); ok {
		return s.repeat(ctx, r, claimed)
	}
	if err != nil {
		return Answer{}, err
	}
	reply := c.Render(o)
	if c.Claim == nil {
		return Answer{Reply: reply}, nil
	}
	mine, err := s.Claims.KeepReply(ctx, c.Claim, reply)
	if err != nil || !mine {
		return s.instead(ctx, r)
	}
	return Answer{Reply: reply}, nil
}

// known renders what the books say of a cancellation under a key.
func (c CancelCommand) known(o *payment.Order, _ *payment.Claimed) (Answer, bool, error) {
	if o.Saved.Status != payment.OrderCancelled {
		return Answer{}, false, nil
	}
	return Answer{Reply: c.Render(o)}, true, nil
}

// CancelOrder cancels an order on somebody's word. Attempts that wait for the
// shopper are closed at their PSP first; money that may still come stops it. What
// happens to money that is held is decided with it, in the same commit, and carried
// out right after; what cannot be given back at once stays with a job.
func (s *Service) CancelOrder(ctx context.Context, c CancelCommand) (*payment.Order, error) {
	if _, err := s.closeAbandoned(ctx, c.Store, c.Order); err != nil {
		return nil, err
	}
	run, err := s.execute(ctx, pipeline.Request{
		Open:    payment.Opening{Store: c.Store, Order: c.Order, Claim: c.Claim},
		Prepare: func(run *pipeline.Run) error { return s.mayCancel(run, c) },
		Pick:    s.pick(pipeline.Confirm), Confirm: s.pick(pipeline.Confirm), From: c.From, Actor: c.Actor,
	})
	if errors.Is(err, steps.ErrMayBePaid) {
		return nil, payment.Errorf(payment.KindConflict, codeInProgress, "the order was paid meanwhile, or a payment of it is under way")
	}
	if err != nil {
		return nil, err
	}
	return s.releaseNow(ctx, run.Order)
}

// releaseNowMax bounds how long a caller waits for money to be given back.
const releaseNowMax = 20 * time.Second

// releaseNow gives back what is due of an order while the caller waits, and returns
// the order as it is then. What does not succeed is a job's.
func (s *Service) releaseNow(ctx context.Context, o *payment.Order) (*payment.Order, error) {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseNowMax)
	defer cancel()
	due := false
	for _, p := range o.Payments {
		if !p.Release.Open() {
			continue
		}
		due = true
		id := payment.PaymentID{Order: o.ID, N: p.N}
		if err := s.Release(bounded, o.Store, id); err != nil {
			s.Log.Warn().Err(err).Stringer("payment", id).Msg("money could not be given back yet")
		}
	}
	if !due {
		return o, nil
	}
	return s.Orders.ReadOrder(ctx, o.Store, o.ID)
}

// mayCancel judges a cancellation on the locked order, and decides about money that
// the order holds.
func (s *Service) mayCancel(run *pipeline.Run, c CancelCommand) error {
	o := run.Order
	if err := o.AllowCancel(); err != nil {
		return err
	}
	run.Cancel = &pipeline.Cancellation{Author: c.Author, Reason: c.Reason, Sums: o.Sums()}
	for _, p := range o.Payments {
		if err := s.releaseOnCancel(run, p, c); err != nil {
			return err
		}
	}
	return nil
}

// releaseOnCancel decides about what one payment of a cancelled order holds.
func (s *Service) releaseOnCancel(run *pipeline.Run, p *payment.Payment, c CancelCommand) error {
	taken := p.Sums.Captured.Cmp(p.Sums.Refunded) > 0
	if !taken && !p.Sums.Reserved().IsPositive() || p.Release.Open() && (p.Release.Refund || !taken) {
		return nil // there is none, or it is on its way back
	}
	switch {
	case c.Release == "":
		return payment.Errorf(payment.KindConflict, "release_required", "the order holds money: say what happens to it in release")
	case c.Release == releaseNone:
		return nil
	case taken && c.Release == releaseVoid:
		return payment.NotAllowed("captured_already", "money was taken, which can only be refunded")
	}
	terms, err := s.terms(run.Order, p, &pipeline.Operation{})
	if err != nil {
		return err
	}
	if p.Sums.Reserved().IsPositive() && !terms.Can.Void || taken && !terms.Can.Refund {
		return payment.NotAllowed("gateway_cannot", "the payment's PSP cannot give the money back: cancel with release none")
	}
	release := payment.Release{Reason: payment.ReleaseCancelled, Refund: c.Release == releaseRefund}
	run.Cancel.GiveBack = append(run.Cancel.GiveBack, pipeline.GiveBack{Payment: p.N, Release: release})
	return nil
}

// What happens to money of an order that is cancelled.
const (
	releaseVoid   = "void"
	releaseRefund = "refund"
	releaseNone   = "none"
)

// forgo ends what waits for a transfer outside any PSP: nobody will make it now.
// One that arrives all the same is recorded as late truth, and a case.
func forgo(run *pipeline.Run) error {
	for _, t := range run.Order.IncomingTransactions() {
		if _, err := run.Order.Record(payment.Forgone(t), run.At); err != nil {
			return err
		}
	}
	return nil
}

// pendingMoney tells whether a PSP may still bring money. What waits for a
// transfer outside any PSP (an invoice) does not stop a cancellation.
func pendingMoney(o *payment.Order) bool {
	for _, t := range o.IncomingTransactions() {
		if !t.AwaitsTransfer() {
			return true
		}
	}
	return false
}
