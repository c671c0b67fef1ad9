package moments_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

// tell makes the PSP send a notification about a reference.
func (b *bundle) tell(reference, body string) {
	b.t.Helper()
	b.control(http.MethodPost, "/sandbox/payments/"+reference+"/notify", body)
}

// redirected is an order whose shopper is at the PSP.
func (b *bundle) redirected() (*payment.Order, string) {
	b.t.Helper()
	o := b.order()
	_, err := b.pay(o, "wallet", "")
	require.NoError(b.t, err)
	return o, b.reference(o)
}

func TestNotifications(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		events []string
		status payment.Status
		state  payment.State
		review payment.CaseKind
	}{
		{"paid", []string{`{"event":"paid"}`}, payment.StatusPaid, payment.Approved, ""},
		{"failed", []string{`{"event":"failed"}`}, payment.StatusPending, payment.Declined, ""},
		{"cancelled by the shopper", []string{`{"event":"cancelled"}`}, payment.StatusPending, payment.Declined, ""},
		{"a late failure changes nothing", []string{`{"event":"paid"}`, `{"event":"failed"}`}, payment.StatusPaid, payment.Approved, ""},
		{"forged", []string{`{"event":"paid","signature":"bad"}`}, payment.StatusPending, payment.ActionRequired, ""},
		{"unsigned", []string{`{"event":"paid","signature":"none"}`}, payment.StatusPending, payment.ActionRequired, ""},
		{"old", []string{`{"event":"paid","signature":"old"}`}, payment.StatusPending, payment.ActionRequired, ""},
		{"another amount", []string{`{"event":"paid","amount":"1.00"}`}, payment.StatusPending, payment.ActionRequired, payment.CaseAmountMismatch},
		{"another currency", []string{`{"event":"paid","currency":"USD"}`}, payment.StatusPending, payment.ActionRequired, payment.CaseCurrencyMismatch},
		{"a refund at the PSP", []string{`{"event":"paid"}`, `{"event":"refunded","amount":"29.95"}`}, payment.StatusPartiallyRefunded, payment.Approved, ""},
		{"a chargeback", []string{`{"event":"paid"}`, `{"event":"chargeback"}`}, payment.StatusRefunded, payment.Approved, payment.CaseChargeback},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			o, reference := b.redirected()
			for _, e := range tt.events {
				b.tell(reference, e)
			}
			o = b.read(o)
			require.Equal(t, tt.status, o.PaymentStatus())
			require.Equal(t, tt.state, o.LatestPayment().Initial().State)
			require.Equal(t, tt.review, o.Review)
		})
	}
}

func TestANotificationReplayedAHundredTimesIsAppliedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o, reference := b.redirected()
	b.tell(reference, `{"event":"paid","times":100,"event_id":"evt_same"}`)
	o = b.read(o)
	require.Equal(t, payment.StatusPaid, o.PaymentStatus())
	applied, _, err := b.store.ListNotifications(t.Context(), "demo", "", payment.Page{Limit: 200})
	require.NoError(t, err)
	require.Len(t, applied, 1)
	require.Equal(t, payment.EffectDue, o.Effects["deduct_stock"].State, "one effect, once")
	require.Equal(t, 1, b.told(o, "order.paid"))
}

// told counts the events of one type that an order has emitted.
func (b *bundle) told(o *payment.Order, eventType string) int {
	b.t.Helper()
	entries, err := b.store.Timeline(b.t.Context(), "demo", o.ID, 200)
	require.NoError(b.t, err)
	n := 0
	for _, entry := range entries {
		if entry.Event != nil && entry.Event.Type == eventType {
			n++
		}
	}
	return n
}

func TestANotificationBeforeOurOwnAnswerIsApplied(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order()
	var once sync.Once
	b.setCall(func(r *http.Request) {
		// The PSP has booked the charge, and says so, before it answers us.
		if r.Method == http.MethodPost {
			once.Do(func() { b.tell(b.reference(o), `{"event":"paid"}`) })
		}
	})
	state, err := b.pay(o, "card", "approve")
	require.NoError(t, err)
	require.Equal(t, payment.Approved, state)
	require.Len(t, b.charges(o), 1)
	require.Len(t, b.read(o).LatestPayment().Transactions, 1)
}

func TestANotificationForAnUnknownReferenceIsKeptAndAppliedOnceItFits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.tell("ZZZZZZZZZZZZZZZZZZZZ", `{"event":"paid","amount":"1.00","currency":"EUR"}`)
	parked, _, err := b.store.ListNotifications(t.Context(), "demo", "parked", payment.Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, parked, 1)
	for range 3 {
		require.NoError(t, b.Replay(t.Context(), b.due(parked[0])))
	}
	cases, _, err := b.store.ListCases(t.Context(), "demo", "open", "", payment.Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, cases, 1, "a person is called")
	require.Equal(t, payment.CaseOrphan, cases[0].Kind)
}

// due claims the kept notification once its time has come.
func (b *bundle) due(n *payment.Notification) *payment.Notification {
	b.t.Helper()
	b.clock.advance(24 * time.Hour)
	due, err := b.store.DueNotifications(b.t.Context(), b.clock.now(), b.clock.now().Add(time.Minute), 10)
	require.NoError(b.t, err)
	require.Len(b.t, due, 1)
	require.Equal(b.t, n.ID, due[0].ID)
	return due[0]
}

func TestMoneyForACancelledOrderIsACase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o, reference := b.redirected()
	_, err := b.CancelOrder(t.Context(), moments.CancelCommand{Store: "demo", Order: o.ID, Author: "test", Reason: "changed my mind"})
	require.NoError(t, err)
	require.Equal(t, payment.OrderCancelled, b.read(o).Saved.Status)
	b.tell(reference, `{"event":"paid"}`)
	o = b.read(o)
	require.Equal(t, payment.OrderCancelled, o.Saved.Status)
	require.Equal(t, payment.CasePaidAfterCancel, o.Review)
	require.Equal(t, "129.95", o.Sums().Captured.String(), "the money is in the books")
}

func TestTheSameEventWithAnotherContentIsKeptAndAppliedToNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o, reference := b.redirected()
	b.tell(reference, `{"event":"failed","event_id":"evt_twice"}`)
	b.tell(reference, `{"event":"refunded","amount":"1.00","event_id":"evt_twice"}`)
	require.Equal(t, "0.00", b.read(o).Sums().Refunded.String())
	rejected, _, err := b.store.ListNotifications(t.Context(), "demo", "rejected", payment.Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, rejected, 1)
}

func TestUnknownAccountsAreNotFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, d := range []moments.Delivery{{Gateway: "sandbox", Account: "nobody"}, {Gateway: "offline", Account: "offline"}} {
		_, err := b.Confirm(t.Context(), d)
		require.Equal(t, payment.KindNotFound, payment.KindOf(err), fmt.Sprint(d))
	}
}
