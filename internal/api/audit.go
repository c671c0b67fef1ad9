package api

import (
	"context"

	"github.com/paysvc/paysvc/internal/payment"
)

// Audits keeps who did what, where no event of an order tells it.
type Audits interface {
	AppendAudit(ctx context.Context, e payment.AuditEntry) error
}

// by begins the audit's entry of what the caller does.
func (a *API) by(ctx context.Context) payment.AuditEntry {
	return payment.ByActor(callerOf(ctx).key.ID, a.Now())
}

// auditFirst writes down what the caller is about to do, so that nothing of it can
// happen without a trace. An entry may tell of what came to nothing afterwards.
func (a *API) auditFirst(ctx context.Context, action, subject string, order payment.OrderID) error {
	e := a.by(ctx)
	e.Store, e.Action, e.Subject, e.Order = storeOf(ctx), action, subject, order
	return a.Books.Audits.AppendAudit(ctx, e)
}
