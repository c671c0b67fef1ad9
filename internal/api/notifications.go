package api

import (
	"context"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

// notificationView is a verified message of a PSP. Its content is not shown: it
// may hold personal data.
type notificationView struct {
	ID         string             `json:"id"`
	Gateway    string             `json:"gateway"`
	Account    string             `json:"account"`
	EventID    string             `json:"event_id" doc:"The PSP's name for the event."`
	Type       string             `json:"type" doc:"The PSP's word for what happened."`
	State      string             `json:"state" enum:"applied,parked,failed,rejected"`
	OrderID    *string            `json:"order_id" doc:"Null while it fits no order."`
	Reference  string             `json:"reference" doc:"Our reference that the PSP names."`
	Error      string             `json:"error,omitempty"`
	Tries      int                `json:"tries"`
	ReceivedAt httpkit.Timestamp  `json:"received_at"`
	NextTryAt  *httpkit.Timestamp `json:"next_try_at" nullable:"true"`
}

type notificationOutput struct{ Body notificationView }

func viewNotification(n *payment.Notification) notificationView {
	v := notificationView{
		ID: n.ID.String(), Gateway: n.Gateway, Account: n.Account, EventID: n.EventID, Type: n.Type, State: string(n.State),
		Reference: n.Reference, Error: n.Error, Tries: n.Tries,
		ReceivedAt: httpkit.NewTimestamp(n.ReceivedAt), NextTryAt: stamp(n.DueAt),
	}
	if n.Order != (payment.OrderID{}) {
		v.OrderID = shown(n.Order.String())
	}
	return v
}

func (a *API) listNotifications(ctx context.Context, in *struct {
	httpkit.Page
	State string `query:"state" enum:"applied,parked,failed,rejected"`
}) (*listOutput[notificationView], error) {
	rows, next, err := a.Books.Notifications.ListNotifications(ctx, storeOf(ctx), payment.NotificationState(in.State), pageOf(in.Page))
	if err != nil {
		return nil, unlisted(err)
	}
	return listed(rows, next, viewNotification), nil
}

// replayNotification applies a kept notification again and answers what became
// of it.
func (a *API) replayNotification(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"40" example:"ntf_…"`
}) (*notificationOutput, error) {
	id, err := payment.ParseNotificationID(in.ID)
	if err != nil {
		return nil, payment.NotFound("a notification of this id")
	}
	n, err := a.Books.Notifications.Notification(ctx, storeOf(ctx), id)
	if err != nil {
		return nil, err
	}
	if err := a.auditFirst(ctx, "notification.replayed", id.String(), n.Order); err != nil {
		return nil, err
	}
	if err := a.Books.Replays.Replay(ctx, n); err != nil {
		return nil, err
	}
	if n, err = a.Books.Notifications.Notification(ctx, storeOf(ctx), id); err != nil {
		return nil, err
	}
	return &notificationOutput{Body: viewNotification(n)}, nil
}
