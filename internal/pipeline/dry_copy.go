package pipeline

import (
	"maps"
	"slices"

	"github.com/paysvc/paysvc/internal/payment"
)

// copied returns an order that shares nothing with o which a step may change.
func copied(o *payment.Order) *payment.Order {
	c := *o
	c.Lines, c.PromotionCodes, c.Metadata = slices.Clone(o.Lines), slices.Clone(o.PromotionCodes), maps.Clone(o.Metadata)
	c.Attributes = maps.Clone(o.Attributes)
	c.Payments = make([]*payment.Payment, len(o.Payments))
	for i, p := range o.Payments {
		c.Payments[i] = new(*p)
		c.Payments[i].Details = maps.Clone(p.Details)
		c.Payments[i].Transactions = make([]*payment.Transaction, len(p.Transactions))
		for j, t := range p.Transactions {
			c.Payments[i].Transactions[j] = new(*t)
		}
	}
	c.Effects = make(map[string]*payment.Effect, len(o.Effects))
	for key, e := range o.Effects {
		c.Effects[key] = new(*e)
	}
	c.Staged = payment.Staged{
		Notes: slices.Clone(o.Staged.Notes), Events: slices.Clone(o.Staged.Events), Cases: slices.Clone(o.Staged.Cases),
		Attributes: slices.Clone(o.Staged.Attributes), Reservations: slices.Clone(o.Staged.Reservations),
	}
	return &c
}
