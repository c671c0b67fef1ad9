package steps

import (
	"cmp"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// redirectToSuccessPage tells the caller where the shopper goes now that the
// order is placed without a PSP: to the store's page, or to ours where the order
// names none, which says how to pay.
type redirectToSuccessPage struct {
	ours func(o *payment.Order) string
}

func (redirectToSuccessPage) Name() string { return "redirect-to-success-page" }

func (s redirectToSuccessPage) Do(run *pipeline.Run) error {
	run.Redirect = cmp.Or(run.Order.SuccessURL(), s.ours(run.Order))
	return nil
}
