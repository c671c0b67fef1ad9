package steps

import (
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// sendOrderMail mails the customer a confirmation of the order, once.
type sendOrderMail struct{}

func (sendOrderMail) Name() string { return "send-order-mail" }

func (sendOrderMail) Do(run *pipeline.Run) error {
	if run.Order.Customer.Email != "" {
		run.Order.Do(payment.SendOrderMail, "", run.At)
	}
	return nil
}
