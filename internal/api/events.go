package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/outbound"
)

// listEvents reads on from a sequence. Its cursor is a sequence too, so that a
// reader may keep either.
func (a *API) listEvents(ctx context.Context, in *struct {
	httpkit.Page
	After int64  `query:"after" minimum:"0" doc:"Only events behind this sequence."`
	Type  string `query:"type" maxLength:"64" example:"order.paid"`
}) (*listOutput[outbound.Event], error) {
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
	return listed(events, next, outbound.EventOf), nil
}
