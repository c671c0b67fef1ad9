package moments

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
	"github.com/paysvc/paysvc/internal/settings"
)

// PartCommand is one of several payments that pay an order together.
type PartCommand struct {
	Method string
	// Amount reads how much in the order's currency; nil, or a nil amount, takes what
	// the others leave.
	Amount func(payment.Currency) (*payment.Money, error)
	// Data is what the shopper entered for it; kept nowhere.
	Data json.RawMessage
}

// tenderMax is how long the payments of a tender may take to be sent, one after
// the other: what was not sent by then is given up.
const tenderMax = 5 * time.Minute

// part is a payment of a tender while it is being opened.
type part struct {
	index  int // as the caller wrote it
	method *settings.Method
	amount *payment.Money // nil takes the rest
	data   json.RawMessage
}

// openTender opens all payments of a tender on the locked order, in the order in
// which they are sent: the hardest to give back last. The sum must be what is due.
func (s *Service) openTender(run *pipeline.Run, c *PayCommand) error {
	parts, err := s.parts(run.Order, c.Parts)
	if err != nil {
		return err
	}
	if err := settleAmounts(parts, run.Order.Due()); err != nil {
		return err
	}
	if err := checkDiscounts(parts); err != nil {
		return err
	}
	slices.SortStableFunc(parts, func(a, b part) int { return cmp.Compare(rank(a.method), rank(b.method)) })
	c.data = make(map[int]json.RawMessage, len(parts))
	first := 0
	for i, part := range parts {
		p := s.openPayment(run, part.method, *part.amount, part.data)
		if first == 0 {
			first = p.N
		}
		p.Tender, c.data[p.N] = first, part.data
		if i > 0 {
			p.AbandonAt = run.At.Add(tenderMax)
		}
	}
	run.Payment, run.Data = run.Order.Payment(first), c.data[first]
	return nil
}

// parts finds the methods of a tender and reads its amounts.
func (s *Service) parts(o *payment.Order, commands []PartCommand) ([]part, error) {
	parts := make([]part, len(commands))
	last := 0 // how many can only come last
	for i, c := range commands {
		field := "payments[" + strconv.Itoa(i) + "]"
		m, err := s.choose(o, c.Method)
		if err != nil {
			return nil, within(field, err)
		}
		if _, err := validateData(m, c.Data); err != nil {
			return nil, within(field, err)
		}
		if rank(m) == rankLast {
			if last++; last > 1 {
				return nil, within(field, unavailable("it needs the shopper or decides later, and another one of these payments does so too"))
			}
		}
		parts[i] = part{index: i, method: m, data: c.Data}
		if c.Amount == nil {
			continue
		}
		if parts[i].amount, err = c.Amount(o.Currency); err != nil {
			return nil, within(field, err)
		}
		if parts[i].amount != nil && !parts[i].amount.IsPositive() {
			return nil, payment.Invalid(field+".amount", "amount_invalid", "must be above zero")
		}
	}
	return parts, nil
}

// settleAmounts lets the one part without an amount take the rest of what is due.
func settleAmounts(parts []part, due payment.Money) error {
	rest, open := due, -1
	for i, part := range parts {
		switch {
		case part.amount != nil:
			rest = rest.Sub(*part.amount)
		case open >= 0:
			return payment.Invalid("payments["+strconv.Itoa(i)+"].amount", "required", "only one payment may leave its amount out")
		default:
			open = i
		}
	}
	nothing := payment.Zero(due.Currency())
	switch {
	case rest.Cmp(nothing) < 0, open >= 0 && rest.IsZero():
		return payment.Invalid("payments", "payments_exceed_total", "add up to more than is due")
	case open >= 0:
		parts[open].amount = &rest
	case rest.IsPositive():
		return payment.Invalid("payments", "payments_do_not_cover_total", "add up to less than is due")
	}
	return nil
}

// checkDiscounts sees to it that every part leaves something to charge, and that
// nobody makes more of a fixed discount by splitting a payment.
func checkDiscounts(parts []part) error {
	granted := map[string]bool{}
	for _, part := range parts {
		m, field := part.method, "payments["+strconv.Itoa(part.index)+"]"
		_, decides := m.Account.Gateway.(gateways.Decider)
		if !decides && !part.amount.Add(m.Fee.Of(*part.amount)).IsPositive() {
			return within(field, unavailable("its discount leaves nothing to charge"))
		}
		fixed, ok := m.Fee.Fixed[part.amount.Currency().String()]
		if !ok || fixed.IsPositive() || fixed.IsZero() {
			continue
		}
		if granted[m.Name] {
			return within(field, unavailable("its discount is granted once"))
		}
		granted[m.Name] = true
	}
	return nil
}

// rankLast is the rank of methods that only the last payment of a tender may have:
// whoever comes next would have to wait for the shopper, or for a transfer.
const rankLast = int(gateways.ReversalRefund) + 2

// rank says how late a method comes in a tender.
func rank(m *settings.Method) int {
	_, decides := m.Account.Gateway.(gateways.Decider)
	switch {
	case m.Spec.RequiresInteraction && m.Spec.Type != gateways.Standard, m.Spec.Type == gateways.Redirection, decides:
		return rankLast
	case m.Spec.Reversal == gateways.ReversalUnknown:
		return int(gateways.ReversalRefund) + 1
	}
	return int(m.Spec.Reversal)
}

// within names the part that a refusal is about.
func within(field string, err error) error {
	refused, ok := err.(*payment.Error) //nolint:errorlint // made here, never wrapped
	if !ok {
		return err
	}
	inside := *refused
	inside.Fields = slices.Clone(refused.Fields)
	for i := range inside.Fields {
		inside.Fields[i].Field = field + "." + inside.Fields[i].Field
	}
	return &inside
}

// goesOn tells whether the payments of a tender that are still to be sent follow
// the one that was decided: it brought money, and nothing stands in the way.
func goesOn(run *pipeline.Run) *payment.Payment {
	p := run.Payment
	if p == nil || p.Tender == 0 || p.Dropped() {
		return nil
	}
	if initial := p.Initial(); initial == nil || initial.State != payment.Approved {
		return nil
	}
	for _, next := range run.Order.TenderOf(p) {
		if next.Unsent() {
			return next
		}
	}
	return nil
}

// tender pays the rest of a tender, one payment after the other, and returns the
// answer of the one that ends it.
func (s *Service) tender(ctx context.Context, c *PayCommand, run *pipeline.Run) (Answer, error) {
	ctx = context.WithoutCancel(ctx) // the shopper may be gone, money is not
	next := *c
	next.Order, next.New = run.Order.ID, nil
	for p := goesOn(run); p != nil; p = goesOn(run) {
		next.part = p.N
		paid, answer, err := s.payOnce(ctx, &next)
		if answer != nil {
			if paid != nil {
				s.compensate(ctx, paid.Order)
			}
			return *answer, err
		}
		if err != nil || goesOn(paid) == nil {
			return s.giveUp(ctx, &next, err)
		}
		run = paid
	}
	return Answer{}, steps.ErrInterrupted
}

// giveUp ends a tender of which a payment was refused before anything was sent for
// it, and answers the request: what the others took is given back.
func (s *Service) giveUp(ctx context.Context, c *PayCommand, cause error) (Answer, error) {
	if cause == nil {
		cause = steps.ErrInterrupted
	}
	refusal, ok := errors.AsType[*payment.Error](cause)
	if !ok || refusal.Kind == payment.KindInternal || errors.Is(cause, payment.ErrUnrecorded) {
		return Answer{}, errors.Join(payment.ErrUnrecorded, cause) // a job gives it up
	}
	var reply payment.Reply
	var given *payment.Order
	open := payment.Opening{Store: c.Store, Order: c.Order, Token: s.IDs.New()}
	err := s.Book.Stretch(ctx, open, func(o *payment.Order) (payment.Closing, error) {
		o.UpdatedAt, o.Actor = s.Now(), c.Actor
		p := o.Payment(c.part)
		o.Abandon(p, o.UpdatedAt)
		given = o
		reply = c.Render(Outcome{Order: o, Payment: p, Refusal: refusal, Created: c.created})
		return payment.Closing{Claim: c.Claim, Reply: &reply, Payment: p.N}, nil
	})
	if err != nil {
		return Answer{}, errors.Join(payment.ErrUnrecorded, err)
	}
	s.compensate(ctx, given)
	if reply.Superseded {
		return s.instead(ctx, c.repetition())
	}
	return Answer{Reply: reply}, nil
}

// compensate gives back what a tender took that came to nothing, while the shopper
// waits: what does not succeed is a job's.
func (s *Service) compensate(ctx context.Context, o *payment.Order) {
	if _, err := s.releaseNow(ctx, o); err != nil {
		s.Log.Warn().Err(err).Stringer("order", o.ID).Msg("money could not be given back yet")
	}
}

// decisive returns the payment of a tender that says how it ended, or nil while it
// has not: the one that failed or waits, or else the last.
func decisive(o *payment.Order, p *payment.Payment) *payment.Payment {
	all := o.TenderOf(p)
	for _, q := range all {
		if initial := q.Initial(); initial != nil && initial.State != payment.Approved {
			return q
		}
	}
	last := all[len(all)-1]
	if last.Initial() == nil && last.Status == payment.StatusPending {
		return nil
	}
	return last
}
