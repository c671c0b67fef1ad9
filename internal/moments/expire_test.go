package moments_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

// expiring makes an order that can be paid for an hour.
func (b *bundle) expiring(change ...func(*payment.Order)) *payment.Order {
	return b.order(append(change, func(o *payment.Order) { o.ExpiresAt = b.clock.now().Add(time.Hour) })...)
}

// expire asks for the end of an order and tells when to look again.
func (b *bundle) expire(o *payment.Order) time.Time {
	b.t.Helper()
	again, err := b.Expire(b.t.Context(), "demo", o.ID)
	require.NoError(b.t, err)
	return again
}

// eventTypes are what the store hears of an order, up to its last event.
func (b *bundle) eventTypes(o *payment.Order) (types []string) {
	b.t.Helper()
	o = b.read(o)
	require.Eventually(b.t, func() bool { // readers wait for every transaction of the server
		events, err := b.store.ListEvents(b.t.Context(), "demo", 0, "", 100)
		require.NoError(b.t, err)
		types = nil
		for _, e := range events {
			if e.Order == o.ID {
				types = append(types, e.Type)
			}
		}
		return len(types) == o.Sequence
	}, 10*time.Second, 10*time.Millisecond)
	return types
}

func TestAnOrderThatNobodyPaidExpires(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.expiring(func(o *payment.Order) { o.PromotionCodes = []string{"SUMMER"} })
	_, err := b.pay(o, "card", "decline")
	require.NoError(t, err)
	require.Equal(t, o.ExpiresAt, b.expire(o), "not before its time")
	require.Equal(t, payment.OrderPending, b.read(o).Saved.Status)

	b.clock.advance(time.Hour)
	require.Zero(t, b.expire(o))
	o = b.read(o)
	require.Equal(t, payment.OrderCancelled, o.Saved.Status)
	require.Equal(t, "expired", o.Saved.CancelReason)
	require.NotContains(t, []payment.EffectState{payment.EffectDue, payment.EffectDone}, o.Effects["track_promotion_code:SUMMER"].State,
		"what was done for it is undone")
	types := b.eventTypes(o)
	require.Contains(t, types, "order.expired")
	require.Contains(t, types, "order.cancelled")

	require.Zero(t, b.expire(o), "again changes nothing")
	require.Equal(t, types, b.eventTypes(o))
}

func TestAShopperWhoIsStillAtThePSPIsClosedThereFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.expiring()
	_, err := b.pay(o, "wallet", "")
	require.NoError(t, err)
	b.clock.advance(time.Hour)
	require.Zero(t, b.expire(o))
	o = b.read(o)
	require.Equal(t, payment.OrderCancelled, o.Saved.Status)
	require.Empty(t, o.OpenTransactions())
	require.Empty(t, b.charges(o))
}

func TestAnOrderThatThePSPKnowsPaidStaysPaid(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.expiring()
	state, err := b.pay(o, "card", "timeout_after_charge")
	require.NoError(t, err)
	require.Equal(t, payment.Unknown, state)
	b.clock.advance(time.Hour)
	require.Zero(t, b.expire(o))
	o = b.read(o)
	require.Equal(t, payment.OrderProcessing, o.Saved.Status)
	require.NotContains(t, b.eventTypes(o), "order.expired")
}

func TestAnUnknownOutcomeHoldsTheExpiryUp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.expiring()
	_, err := b.pay(o, "card", "timeout_no_charge")
	require.NoError(t, err)
	b.clock.advance(time.Hour)
	b.psp = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	for _, late := range []time.Duration{time.Minute, time.Minute, 2 * time.Minute, 4 * time.Minute} {
		again := b.expire(o)
		require.Equal(t, late, again.Sub(b.clock.now()), "ever more rarely")
		require.Equal(t, payment.OrderPending, b.read(o).Saved.Status, "what nobody knows may still be paid")
		b.clock.advance(again.Sub(b.clock.now()))
	}
}

func TestATransferThatNobodyMadeEndsWithTheOrder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.expiring()
	_, err := b.pay(o, "invoice", "")
	require.NoError(t, err)
	b.clock.advance(time.Hour)
	require.Zero(t, b.expire(o))
	o = b.read(o)
	require.Equal(t, payment.OrderCancelled, o.Saved.Status)
	require.Empty(t, o.OpenTransactions())
}

// interrupted reads orders, and does something before it tells what it read.
type interrupted struct {
	moments.Orders
	meanwhile func()
}

func (i interrupted) ReadOrder(ctx context.Context, store string, id payment.OrderID) (*payment.Order, error) {
	o, err := i.Orders.ReadOrder(ctx, store, id)
	i.meanwhile()
	return o, err
}

func TestAnOrderThatIsGivenMoreTimeMeanwhileDoesNotExpire(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.expiring()
	b.clock.advance(time.Hour)
	b.Orders = interrupted{b.store, func() {
		_, err := b.Amend(t.Context(), moments.AmendCommand{Store: "demo", Order: o.ID, Change: func(o *payment.Order) error {
			o.ExpiresAt = b.clock.now().Add(time.Hour)
			return nil
		}})
		require.NoError(t, err)
	}}
	require.NotZero(t, b.expire(o))
	require.Equal(t, payment.OrderPending, b.read(o).Saved.Status)
}

func TestAChargeThatIsOnItsWayHoldsTheExpiryUp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.expiring()
	b.clock.advance(time.Hour - time.Millisecond)
	var again time.Time
	psp := b.psp
	b.setCall(func(*http.Request) { // the PSP has charged, and not answered yet
		b.setCall(func(*http.Request) {})
		b.clock.advance(time.Millisecond)
		b.psp = http.NotFoundHandler() // nor does it say anything when it is asked
		again = b.expire(o)
	})
	state, err := b.pay(o, "card", "approve")
	b.psp = psp
	require.NoError(t, err)
	require.Equal(t, payment.Approved, state)
	require.NotZero(t, again)
	o = b.read(o)
	require.Equal(t, payment.OrderProcessing, o.Saved.Status)
	require.Empty(t, o.Review)
	require.Zero(t, b.expire(o))
}

// A payment and the end of the order's time race each other. Whatever comes
// first, the PSP's money and the order agree.
func TestPaidAtTheSameMomentStaysPaid(t *testing.T) {
	t.Parallel()
	b := setup(t)
	paid := map[string]int{}
	for round := range 40 {
		o := b.expiring()
		method := []string{"card", "wallet"}[round%2]
		if method == "wallet" {
			_, err := b.pay(o, method, "")
			require.NoError(t, err)
		}
		b.clock.advance(time.Hour - time.Millisecond)
		var group sync.WaitGroup
		group.Go(func() {
			b.clock.advance(time.Millisecond)
			_, _ = b.Expire(t.Context(), "demo", o.ID) // it may hold back
		})
		group.Go(func() {
			if method == "card" {
				_, _ = b.Pay(t.Context(), b.command(o, method, "approve")) // it may come too late
				return
			}
			request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/sandbox/payments/"+b.reference(o)+"/pay", http.NoBody)
			b.psp.ServeHTTP(httptest.NewRecorder(), request) // which the PSP refuses once it is closed
		})
		group.Wait()
		want := payment.OrderCancelled
		if len(b.charges(o)) > 0 {
			paid[method]++
			want = payment.OrderProcessing
		}
		require.Eventually(t, func() bool {
			again, err := b.Expire(t.Context(), "demo", o.ID)
			return err == nil && again.IsZero() && b.read(o).Saved.Status == want
		}, 10*time.Second, time.Millisecond, "%s: %s", method, want)
		require.Empty(t, b.read(o).Review)
	}
	t.Logf("paid, of 20 rounds each: %v", paid)
}

func TestAnOrderThatOnlyPeopleCanDecideIsNotLookedAtForEver(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.expiring()
	_, err := b.pay(o, "card", "timeout_no_charge")
	require.NoError(t, err)
	psp := b.psp
	b.down()
	b.askOnSchedule(o)
	require.Zero(t, b.expire(o))
	require.Equal(t, payment.OrderPending, b.read(o).Saved.Status)
	require.Equal(t, []payment.CaseKind{payment.CaseUnknownOutcome}, b.openCases(o))

	b.psp = psp
	require.NoError(t, b.Inquire(t.Context(), "demo", b.id(o)))
	require.Equal(t, payment.OrderCancelled, b.read(o).Saved.Status, "what decides the case ends the order")
	require.Contains(t, b.eventTypes(o), "order.expired")
}

func TestAPartOfAnExpiredOrderIsGivenBack(t *testing.T) {
	t.Parallel()
	for name, tender := range map[string]bool{"paid together with others": true, "paid alone": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			o := b.newOrder(func(o *payment.Order) { o.ExpiresAt = b.clock.now().Add(time.Hour) })
			part, err := payment.ParseMoney("29.95", o.Currency)
			require.NoError(t, err)
			err = b.store.Stretch(t.Context(), payment.Opening{New: o, Token: b.ids.New()}, func(o *payment.Order) (payment.Closing, error) {
				p := o.OpenPayment("card", "sandbox", "sandbox", payment.ModeTest, part, b.clock.now())
				if tender {
					p.Tender = p.N
				}
				tx := o.Announce(p, payment.AuthorizeAndCapture, b.ids.Reference(), part, b.clock.now(), b.clock.now())
				_, err := o.Record(payment.Fact{Source: payment.SourceAnswer, Reference: tx.Reference, State: payment.Approved}, b.clock.now())
				return payment.Closing{}, err
			})
			require.NoError(t, err)
			b.clock.advance(time.Hour)
			require.Zero(t, b.expire(o))
			read := b.read(o)
			if !tender {
				require.Equal(t, payment.OrderPending, read.Saved.Status)
				require.Equal(t, []payment.CaseKind{payment.CaseExpiredHeld}, b.openCases(o), "nobody agreed to that")
				return
			}
			require.Equal(t, payment.OrderCancelled, read.Saved.Status)
			require.Equal(t, "expired", read.Saved.CancelReason)
			require.True(t, read.LatestPayment().Release.Open(), "a job gives it back")
			require.Equal(t, payment.ReleaseTender, read.LatestPayment().Release.Reason)
			require.Empty(t, b.openCases(o))
		})
	}
}
