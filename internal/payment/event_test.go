package payment_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// alone is a case without an order.
func alone(t *testing.T) payment.Case {
	amount := euros(t, "12.00")
	return payment.Case{
		ID: payment.CaseID{15: 7}, Store: "demo", Kind: payment.CaseReconciliation, State: payment.CaseOpen, OpenedAt: noon(),
		Amount: &amount,
	}
}

func TestACaseWithoutAnOrderTellsThatItIsOpenAndThatItIsResolved(t *testing.T) {
	t.Parallel()
	c := alone(t)
	opened := c.Told(payment.AuditEntry{})
	require.Equal(t, payment.Event{
		N: 1, Type: "case.opened", Case: c.ID, CaseKind: c.Kind, Status: "open", Amount: c.Amount, At: noon(),
	}, opened)
	c.State, c.Resolution = payment.CaseResolved, payment.Resolution{By: "till", At: noon().Add(time.Hour)}
	resolved := c.Told(payment.ByActor("key_1", noon()))
	require.Equal(t, payment.Event{
		N: 2, Type: "case.resolved", Case: c.ID, CaseKind: c.Kind, Status: "resolved", Amount: c.Amount, At: noon().Add(time.Hour),
		Actor: "key_1", Source: "api",
	}, resolved)
	require.NotEqual(t, opened.ID(), resolved.ID())
	read, err := payment.ParseEventID(resolved.ID().String())
	require.NoError(t, err)
	require.Equal(t, resolved.ID(), read)
}

func TestTheEventsOfTwoCasesHaveTwoIDs(t *testing.T) {
	t.Parallel()
	one, two := alone(t), alone(t)
	two.ID[0] = 1
	require.NotEqual(t, one.Told(payment.AuditEntry{}).ID(), two.Told(payment.AuditEntry{}).ID())
	o, _ := sale(t)
	o.Emit(payment.Event{Type: "case.opened", Case: one.ID}, noon())
	event := o.Staged.Events[len(o.Staged.Events)-1]
	require.Equal(t, payment.EventID{Order: o.ID, N: event.N}, event.ID(), "one about a case of an order is the order's")
}

func TestTheAuditOfACaseWithoutAnOrderIsAboutNoOrder(t *testing.T) {
	t.Parallel()
	c := alone(t)
	e := payment.AuditOf("demo", c.Told(payment.AuditEntry{}), []byte("d"))
	require.Equal(t, payment.AuditEntry{
		Store: "demo", At: noon(), Actor: "system", Source: "system", Action: "case.opened", Subject: c.ID.String(),
		Order: payment.OrderID(c.ID), Amount: "12.00", Currency: "EUR", Status: "open", Detail: "reconciliation_difference",
		Event: 1, Digest: []byte("d"),
	}, e)
	require.Zero(t, e.AboutOrder())
	order := payment.OrderID{15: 9}
	e = payment.AuditOf("demo", payment.Event{Type: "case.opened", Case: c.ID, Order: order, N: 3}, nil)
	require.Equal(t, order, e.AboutOrder())
	require.Equal(t, order, e.Order)
}
