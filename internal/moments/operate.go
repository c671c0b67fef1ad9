package moments

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
)

// OperateCommand asks for something to be done with money that payments hold: a
// capture, a refund, a void, an increase, or what an operator says of a payment.
type OperateCommand struct {
	Store string
	Order payment.OrderID
	// Payment is the number of the payment; 0 spreads a refund over all of the order.
	Payment int
	Action  payment.Action
	// Claim is the idempotency key; nil where the service itself operates.
	Claim *payment.Claim
	// Amount reads how much in the order's currency; nil, or a nil amount, for all
	// that is left.
	Amount func(payment.Currency) (*payment.Money, error)
	// Final, Offline, Reason and StoreReference are those of pipeline.Operation.
	Final          bool
	Offline        bool
	Reason         string
	StoreReference string
	// Author is who asks, for the timeline, and Actor for the audit.
	Author string
	Actor  string
	// Data is for simulators; handed to the gateway and kept nowhere.
	Data json.RawMessage
	From netip.Addr
	// Render makes the answer from the outcome, as for PayCommand.
	Render func(Outcome) payment.Reply

	releasing bool // a release that was decided before is carried out
}

// pipelineOf names the pipeline of each operation.
var pipelineOf = map[payment.Action]string{
	payment.ActCapture: pipeline.Capture, payment.ActRefund: pipeline.Refund, payment.ActVoid: pipeline.Void,
	payment.ActIncrease: pipeline.Increase, payment.ActMarkPaid: pipeline.MarkPaid,
	payment.ActMarkAuthorized: pipeline.MarkAuthorized, payment.ActComplete: pipeline.Complete,
}

// Operate does something with money that payments hold, in two commits around the
// call of the PSP. Where an earlier operation stands in the way because nobody
// knows what became of it, the PSP is asked first. The error of what is not allowed
// says why, and changed nothing.
func (s *Service) Operate(ctx context.Context, c OperateCommand) (Answer, error) {
	answer, err := s.operate(ctx, &c)
	if whyNot(err) == outcomeUnknown {
		o, unread := s.Orders.ReadOrder(ctx, c.Store, c.Order)
		if unread != nil {
			return answer, err
		}
		if _, unasked := s.inquireOpen(ctx, o, returnInquiryMax); unasked == nil {
			return s.operate(ctx, &c)
		}
	}
	return answer, err
}

// outcomeUnknown is why nothing is done while nobody knows what became of an earlier
// operation.
const outcomeUnknown = "outcome_unknown"

// whyNot is the code of why an action is not allowed, "" for any other error.
func whyNot(err error) string {
	if refused, ok := errors.AsType[*payment.Error](err); ok {
		return refused.Why.Code
	}
	return ""
}

func (s *Service) operate(ctx context.Context, c *OperateCommand) (Answer, error) {
	reply := payment.Reply{}
	var answered *pipeline.Run // what reply is about
	run, err := s.execute(ctx, pipeline.Request{
		Open: payment.Opening{Store: c.Store, Order: c.Order, Claim: c.Claim},
		Prepare: func(run *pipeline.Run) error {
			if err := s.prepare(run, c); err != nil {
				return err
			}
			return s.checkData(run, c.Data)
		},
		Pick:    s.pick(pipelineOf[c.Action]),
		Confirm: s.pick(pipeline.Confirm),
		Data:    c.Data,
		From:    c.From,
		Actor:   c.Actor,
		Reply: func(run *pipeline.Run) *payment.Reply {
			if c.Render == nil || !run.Begun() && run.Refusal == nil && !c.decidesAtOnce() {
				return nil // a step failed before anything was sent
			}
			outcome := outcomeOf(run)
			if !run.Begun() {
				outcome.Refusal = run.Refusal
			}
			reply, answered = c.Render(outcome), run
			return &reply
		},
	})
	if err == nil && c.Final && run != nil {
		_, err = s.releaseNow(ctx, run.Order) // what the last capture left
		if err != nil {
			s.Log.Warn().Err(err).Stringer("order", c.Order).Msg("what a last capture left is not released yet")
		}
	}
	if run != nil && run == answered && reply.Superseded {
		return s.instead(ctx, c.repetition())
	}
	if run != nil && run == answered {
		return Answer{Reply: reply}, nil // it is kept, also where a step failed after the first commit
	}
	if claimed, ok := errors.AsType[*payment.Claimed](err); ok {
		return s.repeat(ctx, c.repetition(), claimed)
	}
	return Answer{Reply: reply}, err
}

func (c *OperateCommand) repetition() repetition {
	return repetition{Store: c.Store, Order: c.Order, Claim: c.Claim, Known: c.known}
}

// decidesAtOnce tells of what is done in one commit, without a transaction of its
// own perhaps.
func (c *OperateCommand) decidesAtOnce() bool {
	return c.Action == payment.ActMarkPaid || c.Action == payment.ActMarkAuthorized || c.Action == payment.ActComplete
}

func outcomeOf(run *pipeline.Run) Outcome {
	return Outcome{Order: run.Order, Payment: run.Payment, Redirect: run.Redirect, Transactions: run.Announced()}
}

// known renders what the books say about a request of this key. While what it
// announced may still be on its way to the PSP, they say nothing.
func (c *OperateCommand) known(o *payment.Order, claimed *payment.Claimed) (Answer, bool, error) {
	outcome := Outcome{Order: o, Payment: o.Payment(claimed.Payment)}
	for _, p := range o.Payments {
		for _, t := range p.Transactions {
			if claimed.Run != 0 && t.Run == claimed.Run {
				outcome.Transactions = append(outcome.Transactions, t)
				if t.State == payment.Sending && !claimed.Finished {
					return Answer{}, false, nil
				}
			}
		}
	}
	if len(outcome.Transactions) == 0 && claimed.Ended {
		return Answer{}, true, steps.ErrInterruptedOperation
	}
	if len(outcome.Transactions) == 0 {
		return Answer{}, false, nil
	}
	return Answer{Reply: c.Render(outcome)}, true, nil
}

// prepare judges, on the locked order, what is wanted, and says what is to be done.
func (s *Service) prepare(run *pipeline.Run, c *OperateCommand) error {
	op := &pipeline.Operation{
		Action: c.Action, Final: c.Final, Offline: c.Offline, Releasing: c.releasing,
		Author: c.Author, Reason: c.Reason, StoreReference: c.StoreReference,
	}
	run.Operation = op
	if c.Action == payment.ActComplete {
		return run.Order.AllowComplete()
	}
	if c.Payment == 0 {
		return s.spread(run, c)
	}
	p := run.Order.Payment(c.Payment)
	if p == nil {
		return payment.NotFound("a payment of this id")
	}
	run.Payment = p
	terms, err := s.terms(run.Order, p, op)
	if err != nil {
		return err
	}
	op.Offline = terms.Offline
	if c.decidesAtOnce() {
		return s.mayMark(run.Order, p, op)
	}
	most, err := run.Order.Allow(c.Action, p, terms, run.At)
	if err != nil {
		return upToNothing(err, run.Order.Currency)
	}
	amount, err := c.amount(run.Order.Currency, most, partial(c.Action, terms))
	if err != nil {
		return err
	}
	part := pipeline.Part{Payment: p.N, Amount: amount}
	if op.Final {
		part.Rest = terms.Can.Rest()
	}
	op.Parts = []pipeline.Part{part}
	return nil
}

// upToNothing says of what is not allowed that nothing would have been accepted.
func upToNothing(err error, currency payment.Currency) error {
	refused, ok := errors.AsType[*payment.Error](err)
	if !ok || refused.Why.Code == "" || refused.Max != nil {
		return err
	}
	said, nothing := *refused, payment.Zero(currency)
	said.Max = &nothing
	return &said
}

// amount makes the amount of the operation from what is wanted, and the most that
// there is.
func (c *OperateCommand) amount(currency payment.Currency, most payment.Money, partial bool) (payment.Money, error) {
	var wanted *payment.Money
	if c.Amount != nil {
		var err error
		if wanted, err = c.Amount(currency); err != nil {
			return payment.Money{}, err
		}
	}
	if wanted == nil && c.Action == payment.ActIncrease {
		return payment.Money{}, payment.Invalid("amount", "required", "must say by how much")
	}
	return payment.CheckAmount(wanted, most, partial)
}

// partial tells whether less than all may be asked for.
func partial(a payment.Action, terms payment.Terms) bool {
	switch a {
	case payment.ActCapture:
		return terms.Can.PartialCapture
	case payment.ActRefund:
		return terms.Can.PartialRefund || terms.Offline
	case payment.ActIncrease:
		return true
	case payment.ActVoid, payment.ActPay, payment.ActRepay, payment.ActCancel, payment.ActMarkPaid, payment.ActMarkAuthorized, payment.ActComplete:
	}
	return false
}

// spread divides a refund among the payments of an order: what was paid last is
// given back first.
func (s *Service) spread(run *pipeline.Run, c *OperateCommand) error {
	o, op := run.Order, run.Operation
	parts, most, err := s.refundable(o, op, run.At)
	if err != nil {
		return err
	}
	amount, err := c.amount(o.Currency, most, true)
	if err != nil {
		return err
	}
	for _, part := range parts {
		if part.Amount = part.Amount.Min(amount); part.Amount.IsPositive() {
			op.Parts = append(op.Parts, part)
			amount = amount.Sub(part.Amount)
		}
	}
	run.Payment = o.Payment(op.Parts[0].Payment)
	return nil
}

// refundable returns the payments that something can be given back of, what was
// paid last first, and how much that is together; or why there is nothing.
func (s *Service) refundable(o *payment.Order, op *pipeline.Operation, at time.Time) (parts []pipeline.Part, most payment.Money, why error) {
	most, why = payment.Zero(o.Currency), payment.NotAllowed("nothing_captured", "nothing was taken that could be given back")
	for _, p := range slices.Backward(o.Payments) {
		if !p.Sums.Captured.IsPositive() { // whose gateway may be gone by now
			continue
		}
		terms, err := s.terms(o, p, op)
		if err != nil {
			return nil, most, err
		}
		left, err := o.Allow(op.Action, p, terms, at)
		switch reason := whyNot(err); {
		case err == nil:
			parts, most = append(parts, pipeline.Part{Payment: p.N, Amount: left, Offline: terms.Offline}), most.Add(left)
		case reason == outcomeUnknown: // how much is left of the order is not known either
			return nil, most, err
		case reason != "refunded_already" || whyNot(why) == "nothing_captured":
			why = err
		}
	}
	if len(parts) == 0 {
		return nil, most, why
	}
	return parts, most, nil
}
