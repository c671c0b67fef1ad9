package steps

import (
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// orderPathSelector lets the run go on with the pipeline for what is now known
// about the order's money.
type orderPathSelector struct{}

func (orderPathSelector) Name() string { return "order-path-selector" }

func (orderPathSelector) Branches() []string {
	return []string{pipeline.StatusOK, pipeline.StatusCancel, pipeline.StatusPending}
}

func (orderPathSelector) Do(run *pipeline.Run) error {
	run.Branch(path(run))
	return nil
}

// path is status-cancel only when nothing can still pay the order: a declined
// attempt on an order that is open to another is in progress. An order that is
// cancelled stays so, whatever arrives; its money is a case for a person.
func path(run *pipeline.Run) string {
	o := run.Order
	switch {
	case run.Cancel != nil, o.Progress.Status == payment.OrderCancelled:
		return pipeline.StatusCancel
	case o.Covered():
		return pipeline.StatusOK
	case o.Held().IsPositive(), len(o.OpenTransactions()) > 0, o.Payable(run.At):
		return pipeline.StatusPending
	}
	return pipeline.StatusCancel
}
