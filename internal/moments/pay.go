package moments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
	"github.com/paysvc/paysvc/internal/settings"
)

// PayCommand asks for a payment of an order that exists, or of a new one.
type PayCommand struct {
	Store string
	Order payment.OrderID
	New   *payment.Order
	// Claim is the idempotency key; nil only where the caller cannot repeat.
	Claim  *payment.Claim
	Method string
	// Data is what the shopper entered. It is handed to the gateway and kept nowhere.
	Data json.RawMessage
	// Parts are the payments that pay the order together; empty for one on Method.
	Parts []PartCommand
	// From is the address of the caller, behind trusted proxies, and Actor who it is,
	// for the audit.
	From  netip.Addr
	Actor string
	// Shopper is From where the shopper's browser calls; the zero value where a server
	// of the shop does.
	Shopper netip.Addr
	// Guard refuses callers who may not use the order; nil lets all pass.
	Guard func(o *payment.Order) error
	// Render makes the answer from the outcome. It is called before the commit
	// that keeps the answer, perhaps more than once.
	Render func(Outcome) payment.Reply

	part    int                     // the payment of a tender that is to be sent now, 0 for the first
	data    map[int]json.RawMessage // what the shopper entered for each payment of a tender
	created bool                    // the order was made by the same request
}

// Outcome is what became of an attempt to pay.
type Outcome struct {
	Order    *payment.Order
	Payment  *payment.Payment
	Redirect string
	// Refusal is why a step refused the payment before anything was sent, or nil.
	Refusal *payment.Error
	// Transactions are those of the request, where it is not about a payment.
	Transactions []*payment.Transaction
	// Created tells that the order was made by the same request.
	Created bool
}

func (c *PayCommand) repetition() repetition {
	return repetition{Store: c.Store, Order: c.Order, Claim: c.Claim, Guard: c.Guard, Known: c.known}
}

// Transaction returns the transaction that began the payment.
func (o Outcome) Transaction() *payment.Transaction { return o.Payment.Initial() }

// Answer is a reply and whether it had been given before.
type Answer struct {
	payment.Reply
	Replayed bool
}

// Pay begins a payment: order overview → pay. It runs the internal pipeline for
// methods without a PSP and pre-process for the others, whose answer then runs
// confirm. A refusal is a *payment.Error and changed nothing.
func (s *Service) Pay(ctx context.Context, c PayCommand) (Answer, error) {
	answer, err := s.attempt(ctx, &c)
	if errors.Is(err, payment.ErrNumberTaken) {
		o, err := s.same(ctx, c.New)
		if err != nil {
			return Answer{}, err
		}
		c.Order, c.New = o.ID, nil // the order was made by an earlier request
		return s.Pay(ctx, c)
	}
	if payment.CodeOf(err) == codeInProgress && c.New == nil {
		replaced, closeErr := s.closeAbandoned(ctx, c.Store, c.Order)
		if closeErr != nil {
			s.Log.Warn().Err(closeErr).Stringer("order", c.Order).Msg("close an abandoned attempt")
		}
		if replaced {
			return s.attempt(ctx, &c)
		}
	}
	return answer, err
}

// attempt is Pay without replacing what is under way.
func (s *Service) attempt(ctx context.Context, c *PayCommand) (Answer, error) {
	c.created = c.New != nil
	run, answer, err := s.payOnce(ctx, c)
	if err != nil {
		return Answer{}, err
	}
	if answer == nil && goesOn(run) != nil {
		return s.tender(ctx, c, run)
	}
	if answer == nil { // no step of the pipeline began the payment
		return Answer{}, steps.ErrInterrupted
	}
	return *answer, nil
}

// payOnce sends one payment. There is no answer where it is not what the request
// ends with.
func (s *Service) payOnce(ctx context.Context, c *PayCommand) (*pipeline.Run, *Answer, error) {
	reply := payment.Reply{}
	var answered *pipeline.Run // what reply is about
	var wanted []payment.Reservation
	req := pipeline.Request{
		Open:  payment.Opening{Store: c.Store, Order: c.Order, New: c.New, Claim: c.Claim},
		Claim: c.Claim,
		Prepare: func(run *pipeline.Run) error {
			err := s.begin(run, c)
			wanted = run.Order.Staged.Reservations
			return err
		},
		Pick:    s.pickPay(),
		Confirm: s.pick(pipeline.Confirm),
		Data:    c.Data,
		From:    c.From,
		Shopper: c.Shopper,
		Actor:   c.Actor,
		Reply: func(run *pipeline.Run) *payment.Reply {
			outcome := Outcome{Order: run.Order, Payment: run.Payment, Redirect: run.Redirect, Created: c.created}
			if goesOn(run) != nil {
				return nil // the next payment answers
			}
			if !run.Begun() {
				if run.Refusal == nil {
					return nil // a step failed before anything was sent
				}
				outcome.Refusal = run.Refusal
			}
			reply, answered = c.Render(outcome), run
			return &reply
		},
	}
	if c.part != 0 {
		req.Open.Claim = nil // it was taken with the first
	}
	run, err := s.execute(ctx, req)
	if run != nil && run == answered && reply.Superseded {
		answer, err := s.instead(ctx, c.repetition())
		return run, &answer, err
	}
	if run != nil && run == answered {
		return run, &Answer{Reply: reply}, nil // it is kept, also where a step refused or failed after the first commit
	}
	if claimed, ok := errors.AsType[*payment.Claimed](err); ok {
		answer, err := s.repeat(ctx, c.repetition(), claimed)
		return nil, &answer, err
	}
	if errors.Is(err, payment.ErrReserved) {
		err = taken(wanted)
	}
	return run, nil, err
}

const codeInProgress = "payment_in_progress"

// begin checks, on the locked order, that a payment may begin, and opens it.
func (s *Service) begin(run *pipeline.Run, c *PayCommand) error {
	o := run.Order
	if c.part != 0 {
		run.Payment, run.Data = o.Payment(c.part), c.data[c.part]
		return nil // judged when the tender was opened; the last look is CheckSend's
	}
	if c.Guard != nil {
		if err := c.Guard(o); err != nil {
			return err
		}
	}
	if c.New != nil {
		o.Emit(payment.Event{Type: "order.created", Status: string(o.Saved.Status)}, run.At)
	}
	if err := o.CheckOpen(run.At); err != nil {
		return err
	}
	if err := o.CheckTries(max(1, len(c.Parts))); err != nil {
		return err
	}
	if len(c.Parts) > 0 {
		if err := o.CheckIdle(); err != nil {
			return err
		}
		return s.openTender(run, c)
	}
	m, err := s.choose(o, c.Method)
	if err != nil {
		return err
	}
	if _, err := validateData(m, c.Data); err != nil {
		return err
	}
	if err := o.CheckIdle(); err != nil {
		return err
	}
	run.Payment = s.openPayment(run, m, o.Due(), c.Data)
	return nil
}

// openPayment opens a payment of the order, and takes what only one order may use.
func (s *Service) openPayment(run *pipeline.Run, m *settings.Method, amount payment.Money, data json.RawMessage) *payment.Payment {
	o := run.Order
	p := o.OpenPayment(m.Name, m.Account.GatewayName, m.Account.Name, m.Account.Mode, amount, run.At)
	p.Kind, p.Fee = m.Kind, m.Fee.Of(amount)
	if reserver, ok := m.Account.Gateway.(gateways.Reserver); ok {
		for _, r := range reserver.Reserve(m.Kind, o, data) {
			o.Reserve(r)
		}
	}
	return p
}

// taken refuses data that another order uses.
func taken(wanted []payment.Reservation) error {
	refused := invalidData(nil)
	for _, r := range wanted {
		refused.Fields = append(refused.Fields, payment.FieldError{
			Field: r.Field, Code: "already_used", Message: "was used for another order",
		})
	}
	return refused
}

// Decide implements steps.Decider.
func (s *Service) Decide(
	o *payment.Order, p *payment.Payment, reference string, data json.RawMessage,
) (payment.Fact, payment.PayRequest, error) {
	m, err := s.method(o.Store, p.Method)
	if err != nil {
		return payment.Fact{}, payment.PayRequest{}, err
	}
	if !begunWith(p, m.Account) {
		return payment.Fact{}, payment.PayRequest{}, errMoved
	}
	decider, ok := m.Account.Gateway.(gateways.Decider)
	if !ok {
		return payment.Fact{}, payment.PayRequest{}, fmt.Errorf("gateway %q does not decide by itself", p.Gateway)
	}
	request := s.payRequest(m, o, p)
	request.Reference, request.Data = reference, data
	return decider.Decide(request), request, nil
}

// pickPay chooses internal for a payment that its gateway decides without a PSP.
func (s *Service) pickPay() func(*pipeline.Run) (*pipeline.Pipeline, error) {
	internal, preProcess := s.pick(pipeline.Internal), s.pick(pipeline.PreProcess)
	return func(run *pipeline.Run) (*pipeline.Pipeline, error) {
		m, err := s.method(run.Order.Store, run.Payment.Method)
		if err != nil {
			return nil, err
		}
		if _, ok := m.Account.Gateway.(gateways.Decider); ok {
			return internal(run)
		}
		return preProcess(run)
	}
}
