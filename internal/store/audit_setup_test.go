package store_test

import (
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// sealed takes over the events of a store until its audit has n entries.
func (b *bundle) sealed(storeName string, n int) []payment.AuditEntry {
	b.t.Helper()
	var entries []payment.AuditEntry
	require.Eventually(b.t, func() bool {
		_, _, err := b.AuditEvents(b.t.Context(), storeName, 1000)
		require.NoError(b.t, err)
		entries = b.entries(storeName)
		return len(entries) >= n
	}, visibleWithin, lookEvery)
	require.Len(b.t, entries, n)
	return entries
}

func (b *bundle) entries(storeName string) []payment.AuditEntry {
	b.t.Helper()
	entries, err := b.ListAudit(b.t.Context(), storeName, payment.OrderID{}, 0, 1000)
	require.NoError(b.t, err)
	return entries
}

// verified is what verifying the audit of store demo says.
func (b *bundle) verified(noted ...payment.AuditHead) payment.AuditReport {
	b.t.Helper()
	report, err := b.VerifyAudit(b.t.Context(), "demo", append(noted, payment.AuditHead{})[0])
	require.NoError(b.t, err)
	return report
}

// asOwner runs statements as the owner of the database, who can disable triggers and
// everything else that the schema refuses.
func (b *bundle) asOwner(statements ...string) {
	b.t.Helper()
	require.NoError(b.t, pgx.BeginFunc(b.t.Context(), b.raw, func(tx pgx.Tx) error {
		for _, s := range append([]string{"set local session_replication_role = replica"}, statements...) {
			if _, err := tx.Exec(b.t.Context(), s); err != nil {
				return err
			}
		}
		return nil
	}))
}

// keep copies the tables that a test tampers with, and returns what puts them back.
func (b *bundle) keep() (restore func()) {
	b.t.Helper()
	tables := []string{"audit", "audit_heads", "events"}
	var back []string
	for _, table := range tables {
		b.exec("create table kept_" + table + " as table " + table)
		back = append(back, "delete from "+table, "insert into "+table+" select * from kept_"+table)
	}
	return func() {
		b.t.Helper()
		b.asOwner(back...)
	}
}

// history makes a store with two orders that were paid, a key and a note between
// their entries, and its audit.
func (b *bundle) history() []payment.AuditEntry {
	b.t.Helper()
	one, two := b.order("demo", nil), b.order("demo", nil)
	b.pay(one.ID, "card", payment.Approved)
	b.sealed("demo", 2)
	_, err := b.AddNote(b.t.Context(), "demo", one.ID, payment.Note{Author: "till", Text: "called", At: b.now()}, b.by())
	require.NoError(b.t, err)
	b.endpoint("demo")
	b.pay(two.ID, "card", payment.Declined)
	b.stage(two.ID, func(o *payment.Order) { o.Do(payment.DeductStock, "", b.now()) })
	b.pay(two.ID, "card", payment.Approved)
	return b.sealed("demo", 8)
}
