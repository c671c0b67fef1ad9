package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

// eventView is a message about a change. The objects that it names are read
// anew: it tells that they changed, not how they are.
type eventView struct {
	ID            string            `json:"id"`
	Type          string            `json:"type" example:"order.paid"`
	Sequence      int64             `json:"sequence" doc:"Orders the events of the store, with gaps: goes into after."`
	OrderSequence int               `json:"order_sequence" doc:"Numbers the events of the order from 1, without gaps."`
	OrderID       string            `json:"order_id"`
	Number        string            `json:"number" doc:"The store's number of the order."`
	CreatedAt     httpkit.Timestamp `json:"created_at"`
	Data          eventDataView     `json:"data"`
}

type eventDataView struct {
	Payment     string `json:"payment,omitempty"`
	Transaction string `json:"transaction,omitempty"`
	Effect      string `json:"effect,omitempty"`
	Status      string `json:"status,omitempty" doc:"The new status or state of what the event is about."`
	Amount      string `json:"amount,omitempty"`
	Currency    string `json:"currency,omitempty"`
}

func viewEvent(e payment.Event) eventView {
	v := eventView{
		ID: payment.EventID{Order: e.Order, N: e.N}.String(), Type: e.Type, Sequence: e.Sequence, OrderSequence: e.N,
		OrderID: e.Order.String(), Number: e.Number, CreatedAt: httpkit.NewTimestamp(e.At),
		Data: eventDataView{Effect: e.Effect, Status: e.Status},
	}
	if e.Payment != 0 {
		v.Data.Payment = payment.PaymentID{Order: e.Order, N: e.Payment}.String()
	}
	if e.Transaction != 0 {
		v.Data.Transaction = payment.TransactionID{Order: e.Order, N: e.Transaction}.String()
	}
	if e.Amount != nil {
		v.Data.Amount, v.Data.Currency = e.Amount.String(), e.Amount.Currency().String()
	}
	return v
}

// listEvents reads on from a sequence. Its cursor is a sequence too, so that a
// reader may keep either.
func (a *API) listEvents(ctx context.Context, in *struct {
	httpkit.Page
	After int64  `query:"after" minimum:"0" doc:"Only events behind this sequence."`
	Type  string `query:"type" maxLength:"64" example:"order.paid"`
}) (*listOutput[eventView], error) {
	after := in.After
	if in.Cursor != "" {
		var err error
		if after, err = strconv.ParseInt(string(in.Cursor), 10, 64); err != nil {
			return nil, httpkit.NewFieldProblem(http.StatusBadRequest, httpkit.CodeCursorInvalid, "query.cursor", "")
		}
	}
	events, err := a.Books.Events.ListEvents(ctx, storeOf(ctx), after, in.Type, in.Limit+1)
	if err != nil {
		return nil, err
	}
	next := ""
	if len(events) > in.Limit {
		events = events[:in.Limit]
		next = strconv.FormatInt(events[in.Limit-1].Sequence, 10)
	}
	return listed(events, next, viewEvent), nil
}
