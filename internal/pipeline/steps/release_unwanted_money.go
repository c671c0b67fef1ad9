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
		t := f.Transaction
		if !f.Changed || t.State != payment.Approved || f.Payment.Release != nil {
			continue
		}
		switch brings := t.Type.Initial() || t.Type == payment.Capture; {
		case returns.Late && brings && o.Saved.Status == payment.OrderCancelled:
			o.ReleaseLater(f.Payment, payment.Release{Reason: payment.ReleaseLate, Refund: true}, run.At)
		case returns.Surplus && t.Type.Initial() && t.Parent == 0 && o.Held().Cmp(o.Total) > 0:
			o.ReleaseLater(f.Payment, payment.Release{Reason: payment.ReleaseSurplus, Refund: true}, run.At)
		}
	}
	return nil
}
