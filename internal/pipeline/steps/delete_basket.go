package steps

import (
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// deleteBasket deletes the basket that the order was made from, once. A shopper
// whose payment failed keeps it.
type deleteBasket struct{}

func (deleteBasket) Name() string { return "delete-basket" }

func (deleteBasket) Do(run *pipeline.Run) error {
	o := run.Order
	if o.BasketID != "" && (o.Covered() || len(o.OpenTransactions()) > 0) {
		o.Do(payment.DeleteBasket, o.BasketID, run.At)
	}
	return nil
}
