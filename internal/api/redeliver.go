package api

import (
	"context"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

// Deliveries lists what was posted, and posts again.
type Deliveries interface {
	ListDeliveries(ctx context.Context, t payment.Target, state payment.DeliveryState, p payment.Page) ([]payment.Delivery, string, error)
	Redeliver(ctx context.Context, store string, id payment.EventID, to payment.EndpointID, by payment.AuditEntry) ([]payment.Delivery, error)
}

// deliveryView is an event on its way to an endpoint.
type deliveryView struct {
	Event      string             `json:"event" example:"evt_…"`
	Type       string             `json:"type" example:"order.paid"`
	Sequence   int64              `json:"sequence"`
	OrderID    *string            `json:"order_id" doc:"Null for what happens to a case that fits no order."`
	Endpoint   *string            `json:"endpoint" doc:"Null for the store's own system, which carries out effects."`
	State      string             `json:"state" enum:"pending,delivered,parked" doc:"Parked is given up: only a redelivery posts it again."`
	Tries      int                `json:"tries"`
	LastStatus *int               `json:"last_status" doc:"The HTTP status that the last try was answered with; null for none."`
	LastError  *string            `json:"last_error" example:"timeout"`
	NextTryAt  *httpkit.Timestamp `json:"next_try_at" nullable:"true"`
	CreatedAt  httpkit.Timestamp  `json:"created_at"`
	EndedAt    *httpkit.Timestamp `json:"ended_at" nullable:"true" doc:"When it was delivered or parked."`
}

func viewDelivery(d payment.Delivery) deliveryView {
	v := deliveryView{
		Event: d.Event.ID().String(), Type: d.Event.Type, Sequence: d.Event.Sequence, State: string(d.State), Tries: d.Tries,
		NextTryAt: stamp(d.NextAt), CreatedAt: httpkit.NewTimestamp(d.CreatedAt), EndedAt: stamp(d.EndedAt),
	}
	if d.Event.Order != (payment.OrderID{}) {
		v.OrderID = shown(d.Event.Order.String())
	}
	if d.Endpoint != payment.Storefront {
		v.Endpoint = shown(d.Endpoint.String())
	}
	if d.Status != 0 {
		v.LastStatus = shown(d.Status)
	}
	if d.Error != "" {
		v.LastError = shown(d.Error)
	}
	return v
}

func (a *API) listDeliveries(ctx context.Context, in *struct {
	EndpointPath
	httpkit.Page
	State string `query:"state" enum:"pending,delivered,parked"`
}) (*listOutput[deliveryView], error) {
	id, err := payment.ParseEndpointID(in.ID)
	if err != nil {
		return nil, err
	}
	if _, err := a.Books.Endpoints.Endpoint(ctx, storeOf(ctx), id); err != nil {
		return nil, err
	}
	rows, next, err := a.Books.Deliveries.ListDeliveries(ctx, payment.Target{Store: storeOf(ctx), Endpoint: id},
		payment.DeliveryState(in.State), pageOf(in.Page))
	if err != nil {
		return nil, unlisted(err)
	}
	return listed(rows, next, viewDelivery), nil
}

// redeliver begins the deliveries of an event anew.
func (a *API) redeliver(ctx context.Context, in *struct {
	ID       string `path:"id" maxLength:"40" example:"evt_…"`
	Endpoint string `query:"endpoint" maxLength:"40" doc:"Only to this endpoint, whatever its types; without it to all that get the event's type."`
}) (*listOutput[deliveryView], error) {
	id, err := payment.ParseEventID(in.ID)
	if err != nil {
		return nil, err
	}
	var to payment.EndpointID // zero: to all
	if in.Endpoint != "" {
		if to, err = payment.ParseEndpointID(in.Endpoint); err != nil {
			return nil, err
		}
	}
	rows, err := a.Books.Deliveries.Redeliver(ctx, storeOf(ctx), id, to, a.by(ctx))
	if err != nil {
		return nil, err
	}
	if a.Webhooks.Kick != nil {
		a.Webhooks.Kick()
	}
	return listed(rows, "", viewDelivery), nil
}
