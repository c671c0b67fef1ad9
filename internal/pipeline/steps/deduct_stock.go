package steps

import (
	"slices"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// deductStock lowers the stock by the lines of the order, once per order.
type deductStock struct {
	tracked func(store string) bool
}

func (deductStock) Name() string { return "deduct-stock" }

func (s deductStock) Do(run *pipeline.Run) error {
	articles := slices.ContainsFunc(run.Order.Lines, func(l payment.Line) bool { return l.SKU != "" })
	if articles && s.tracked(run.Order.Store) {
		run.Order.Do(payment.DeductStock, "", run.At)
	}
	return nil
}
