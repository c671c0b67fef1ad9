package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// AppendAudit adds an entry to the audit of its store: its position and hash are
// filled in.
func (s *Store) AppendAudit(ctx context.Context, e payment.AuditEntry) error {
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error { return appendAudit(ctx, tx, e) })
	if err != nil {
		return fmt.Errorf("audit of %s: %w", e.Action, err)
	}
	return nil
}

// auditAppend adds an entry that takes over no event. It locks the end of the chain
// of its store, so it comes late in its transaction.
const auditAppend = `audit_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`

func auditArgs(e *payment.AuditEntry) []any {
	return []any{e.Store, e.At, e.Actor, e.Source, e.Action, e.Subject, nullOrder(e.Order), e.Amount, e.Currency, e.Status, e.Detail}
}

// appendAudit adds an entry in the transaction of what it is about.
func appendAudit(ctx context.Context, tx pgx.Tx, e payment.AuditEntry) error {
	_, err := tx.Exec(ctx, `select `+auditAppend, auditArgs(&e)...)
	return err
}

// queueAudit is appendAudit in a batch.
func queueAudit(batch *pgx.Batch, e payment.AuditEntry) {
	batch.Queue(`select `+auditAppend, auditArgs(&e)...)
}

func nullOrder(id payment.OrderID) *[16]byte {
	if id == (payment.OrderID{}) {
		return nil
	}
	return (*[16]byte)(&id)
}
