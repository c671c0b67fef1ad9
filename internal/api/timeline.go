package api

import (
	"context"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

// timelineView is one line of an order's history: what happened stands under
// the name that type says.
type timelineView struct {
	At           httpkit.Timestamp `json:"at"`
	Type         string            `json:"type" enum:"note,transaction,run,notification,event"`
	Note         *noteView         `json:"note,omitempty"`
	Transaction  *transactionView  `json:"transaction,omitempty"`
	Run          *runView          `json:"run,omitempty"`
	Notification *notificationView `json:"notification,omitempty"`
	Event        *eventView        `json:"event,omitempty"`
}

func (a *API) getTimeline(ctx context.Context, in *struct {
	OrderPath
	httpkit.Page
}) (*listOutput[timelineView], error) {
	id, err := payment.ParseOrderID(in.ID)
	if err != nil {
		return nil, payment.ErrOrderNotFound
	}
	entries, next, err := a.Books.Timeline.Timeline(ctx, storeOf(ctx), id, pageOf(in.Page))
	if err != nil {
		return unlisted[timelineView](err)
	}
	return listed(entries, next, func(e payment.TimelineEntry) timelineView { return viewEntry(id, e) }), nil
}

func viewEntry(order payment.OrderID, e payment.TimelineEntry) timelineView {
	v := timelineView{At: httpkit.NewTimestamp(e.At)}
	switch {
	case e.Note != nil:
		v.Type, v.Note = "note", shown(viewNote(order, *e.Note))
	case e.Transaction != nil:
		v.Type, v.Transaction = "transaction", shown(viewTransaction(order, e.Transaction))
	case e.Run != nil:
		v.Type, v.Run = "run", shown(viewRun(order, e.Run))
	case e.Notification != nil:
		v.Type, v.Notification = "notification", shown(viewNotification(e.Notification))
	case e.Event != nil:
		v.Type, v.Event = "event", shown(viewEvent(*e.Event))
	}
	return v
}

func shown[V any](view V) *V { return &view }
