package api

import (
	"context"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

// orderQuery selects orders.
type orderQuery struct {
	httpkit.Page
	Period
	Number          string `query:"number" maxLength:"64"`
	Status          string `query:"status" enum:"pending,processing,complete,cancelled"`
	PaymentStatus   string `query:"payment_status" enum:"pending,authorized,partially_paid,paid,partially_refunded,refunded,voided"`
	Customer        string `query:"customer" maxLength:"100" doc:"The store's id of the customer."`
	Method          string `query:"method" maxLength:"64"`
	Gateway         string `query:"gateway" maxLength:"64"`
	Q               string `query:"q" maxLength:"254" doc:"The beginning of a number, an e-mail address, a customer's id or a transaction's reference."`
	NewNotification string `query:"new_notification" enum:"true,false" doc:"Whether a PSP told something that nobody has looked at."`
	NeedsReview     string `query:"needs_review" enum:"true,false" doc:"Whether a case holds the order."`
}

func (a *API) listOrders(ctx context.Context, in *orderQuery) (*listOutput[orderView], error) {
	rows, next, err := a.Orders.ListOrders(ctx, payment.OrderFilter{
		Store: storeOf(ctx), Number: in.Number, Status: in.Status, PaymentStatus: in.PaymentStatus, Customer: in.Customer,
		Method: in.Method, Gateway: in.Gateway, Q: in.Q, From: in.From.Time(), To: in.To.Time(),
		NewNotification: flag(in.NewNotification), NeedsReview: flag(in.NeedsReview),
	}, pageOf(in.Page))
	if err != nil {
		return nil, unlisted(err)
	}
	return listed(rows, next, viewOrder), nil
}

// markSeen is for operators who looked at what a PSP told.
func (a *API) markSeen(ctx context.Context, in *OrderPath) (*orderOutput, error) {
	id, err := payment.ParseOrderID(in.ID)
	if err != nil {
		return nil, err
	}
	if err := a.Books.News.MarkSeen(ctx, storeOf(ctx), id); err != nil {
		return nil, err
	}
	return a.getOrder(ctx, in)
}
