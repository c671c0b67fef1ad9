package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/outbound"
	"github.com/paysvc/paysvc/internal/payment"
)

// timelineMax bounds a history; of a longer one the latest part is shown.
const timelineMax = 1000

// timelineView is one line of an order's history: what happened stands under
// the name that type says.
type timelineView struct {
	At           httpkit.Timestamp `json:"at"`
	Type         string            `json:"type" enum:"note,transaction,run,notification,event"`
	Note         *noteView         `json:"note,omitempty"`
	Transaction  *TransactionView  `json:"transaction,omitempty"`
	Run          *runView          `json:"run,omitempty"`
	Notification *notificationView `json:"notification,omitempty"`
	Event        *outbound.Event   `json:"event,omitempty"`
}

func (a *API) getTimeline(ctx context.Context, in *struct {
	OrderPath
	httpkit.Page
}) (*listOutput[timelineView], error) {
	id, err := payment.ParseOrderID(in.ID)
	if err != nil {
		return nil, err
	}
	entries, err := a.Books.Timeline.Timeline(ctx, storeOf(ctx), id, timelineMax)
	if err != nil {
		return nil, err
	}
	entries, next, err := pageOfTimeline(entries, in.Page)
	if err != nil {
		return nil, err
	}
	return listed(entries, next, func(e payment.TimelineEntry) timelineView { return viewEntry(id, e) }), nil
}

// pageOfTimeline turns the newest to the front. The cursor is the place of the
// last entry that was shown, counted from the oldest: what is added later does
// not move it.
func pageOfTimeline(entries []payment.TimelineEntry, p httpkit.Page) (page []payment.TimelineEntry, next string, err error) {
	end := len(entries)
	if p.Cursor != "" {
		if end, err = strconv.Atoi(string(p.Cursor)); err != nil || end < 1 || end > len(entries) {
			return nil, "", httpkit.NewFieldProblem(http.StatusBadRequest, httpkit.CodeCursorInvalid, "query.cursor", "")
		}
	}
	begin := max(0, end-p.Limit)
	page = slices.Clone(entries[begin:end])
	slices.Reverse(page)
	if begin > 0 {
		next = strconv.Itoa(begin)
	}
	return page, next, nil
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
		v.Type, v.Event = "event", shown(outbound.EventOf(*e.Event))
	}
	return v
}

func shown[V any](view V) *V { return &view }
