package steps

import (
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// Returns says what a store gives back by itself.
type Returns struct {
	// Surplus is money on an order that is covered already, Late what comes for one
	// that is cancelled.
	Surplus bool
	Late    bool
}

// releaseUnwantedMoney has money given back that came on top of an order's price,
// or too late, where the store's settings say so; otherwise a person decides. It
// looks only at what was just learnt, so a fact that comes again gives back nothing
// more.
type releaseUnwantedMoney struct {
	returns func(store string) Returns
}

func (releaseUnwantedMoney) Name() string { return "release-unwanted-money" }

func (s releaseUnwantedMoney) Do(run *pipeline.Run) error {
	o, returns := run.Order, s.returns(run.Order.Store)
	for _, f := range run.Findings {
		t, p := f.Transaction, f.Payment
		if !f.Changed || t.State != payment.Approved || p.Release != nil && p.Release.Refund || outsideAnyPSP(f.Source) {
			continue
		}
		switch brings := t.Type.Initial() || t.Type == payment.Capture; {
		case returns.Late && brings && o.Saved.Status == payment.OrderCancelled:
			o.ReleaseLater(p, payment.Release{Reason: payment.ReleaseLate, Refund: true}, run.At)
		case returns.Surplus && t.Type.Initial() && t.Parent == 0 && surplus(o, p):
			o.ReleaseLater(p, payment.Release{Reason: payment.ReleaseSurplus, Refund: true}, run.At)
		}
	}
	return nil
}

// surplus tells of a payment that the order is covered without it. What covers the
// order only in part by itself is for a person to sort out.
func surplus(o *payment.Order, p *payment.Payment) bool {
	held := o.Held()
	return held.Cmp(o.Total) > 0 && held.Sub(o.HeldBy(p)).Cmp(o.Total) >= 0
}

// outsideAnyPSP tells of money that somebody vouched for: it goes back as it came,
// by a person, and the books must not say so before.
func outsideAnyPSP(s payment.Source) bool {
	return s == payment.SourceOperator || s == payment.SourceGateway
}
