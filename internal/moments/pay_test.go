package moments_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

func TestPaying(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		method   string
		scenario string
		state    payment.State
		status   payment.Status
		order    payment.OrderStatus
		charges  int
	}{
		{"a card is charged at once", "card", "approve", payment.Approved, payment.StatusPaid, payment.OrderProcessing, 1},
		{"a card is authorized and captured later", "card-manual", "approve", payment.Approved, payment.StatusAuthorized, payment.OrderProcessing, 1},
		{"a declined card leaves the order open", "card", "decline", payment.Declined, payment.StatusPending, payment.OrderPending, 0},
		{"no money on the card", "card", "insufficient_funds", payment.Declined, payment.StatusPending, payment.OrderPending, 0},
		{"the bank wants to see the shopper", "card", "action_required", payment.ActionRequired, payment.StatusPending, payment.OrderPending, 0},
		{"a request that never left is not sent", "card", "refuse_before_send", payment.NotSent, payment.StatusPending, payment.OrderPending, 0},
		{"an answer that is lost after the charge is unknown, not failed", "card", "timeout_after_charge", payment.Unknown, payment.StatusPending, payment.OrderPending, 1},
		{"a lost answer without a charge is unknown too", "card", "timeout_no_charge", payment.Unknown, payment.StatusPending, payment.OrderPending, 0},
		{"a 500 after the charge is unknown", "card", "error_after_charge", payment.Unknown, payment.StatusPending, payment.OrderPending, 1},
		{"an HTML page after the charge is unknown", "card", "html_502_after_charge", payment.Unknown, payment.StatusPending, payment.OrderPending, 1},
		{"garbage is unknown", "card", "garbage", payment.Unknown, payment.StatusPending, payment.OrderPending, 1},
		{"another amount than asked is never paid", "card", "wrong_amount", payment.Unknown, payment.StatusPending, payment.OrderPending, 1},
		{"another currency than asked is never paid", "card", "wrong_currency", payment.Unknown, payment.StatusPending, payment.OrderPending, 1},
		{"an answer that does not say what it is about is asked about", "card", "no_echo", payment.Approved, payment.StatusPaid, payment.OrderProcessing, 1},
		{"a wallet sends the shopper to its own page", "wallet", "", payment.ActionRequired, payment.StatusPending, payment.OrderPending, 0},
		{"an invoice is pending until it is paid", "invoice", "", payment.Pending, payment.StatusPending, payment.OrderPending, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			o := b.order()
			state, err := b.pay(o, tt.method, tt.scenario)
			require.NoError(t, err)
			require.Equal(t, tt.state, state)
			o = b.read(o)
			require.Equal(t, tt.status, o.PaymentStatus())
			require.Equal(t, tt.order, o.Saved.Status)
			require.Len(t, b.charges(o), tt.charges)
			if tt.scenario == "wrong_amount" || tt.scenario == "wrong_currency" {
				require.NotEmpty(t, o.Review, "a person has to look")
			}
		})
	}
}

func TestNothingToPayIsPaidAtOnceWhateverMethodIsNamed(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"free", "card", ""} {
		b := setup(t)
		o := b.order(func(o *payment.Order) {
			o.Total = payment.Zero(o.Currency)
			o.Lines = nil
		})
		state, err := b.pay(o, method, "")
		require.NoError(t, err)
		require.Equal(t, payment.Approved, state)
		o = b.read(o)
		require.Equal(t, payment.StatusPaid, o.PaymentStatus())
		require.Equal(t, payment.OrderProcessing, o.Saved.Status)
		require.Equal(t, "zero", o.LatestPayment().Gateway)
	}
}

func TestAnotherAttemptAfterADecline(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order()
	_, err := b.pay(o, "card", "decline")
	require.NoError(t, err)
	state, err := b.pay(o, "card", "approve")
	require.NoError(t, err)
	require.Equal(t, payment.Approved, state)
	require.Len(t, b.read(o).Payments, 2, "the declined attempt stays on record")
	_, err = b.pay(o, "card", "approve")
	require.Equal(t, "order_already_paid", payment.CodeOf(err))
	require.Len(t, b.charges(o), 1)
}

func TestAnUnknownOutcomeBlocksASecondCharge(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order()
	_, err := b.pay(o, "card", "timeout_after_charge")
	require.NoError(t, err)
	_, err = b.pay(o, "card", "approve")
	require.Equal(t, "payment_in_progress", payment.CodeOf(err))
	require.Len(t, b.charges(o), 1)
}

func TestAnAbandonedRedirectIsClosedBeforeAnotherBegins(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order()
	_, err := b.pay(o, "wallet", "")
	require.NoError(t, err)
	first := b.reference(o)
	state, err := b.pay(o, "card", "approve")
	require.NoError(t, err)
	require.Equal(t, payment.Approved, state)
	_, tx := b.read(o).TransactionByReference(first)
	require.Equal(t, payment.Declined, tx.State)
	require.Len(t, b.charges(o), 1)
}

func TestAShopperWhoWasFasterIsNotChargedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	drop := func(r *http.Request) { r.Header.Del("Sandbox-Signature") } // the notification is lost
	b.notify.Store(&drop)
	o := b.order()
	_, err := b.pay(o, "wallet", "")
	require.NoError(t, err)
	b.control(http.MethodPost, "/sandbox/payments/"+b.reference(o)+"/pay", "")
	_, err = b.pay(o, "card", "approve")
	require.Equal(t, "order_already_paid", payment.CodeOf(err))
	require.Len(t, b.charges(o), 1)
	require.Equal(t, payment.StatusPaid, b.read(o).PaymentStatus())
}

func TestTwoTabsPayingOneOrderAtOnceChargeOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order()
	results := make([]string, 8)
	b.hold(len(results)) // all connections are there, so that the tabs really meet
	var group sync.WaitGroup
	for i := range results {
		group.Go(func() {
			state, err := b.pay(o, "card", "approve")
			results[i] = string(state) + payment.CodeOf(err)
		})
	}
	group.Wait()
	paid := 0
	for _, r := range results {
		require.Contains(t, []string{"approved", "order_already_paid", "payment_in_progress"}, r)
		if r == "approved" {
			paid++
		}
	}
	require.Equal(t, 1, paid)
	require.Len(t, b.charges(o), 1)
}

// hold opens connections by using so many at once.
func (b *bundle) hold(connections int) {
	b.t.Helper()
	var group sync.WaitGroup
	for range connections * 4 {
		group.Go(func() {
			for range 20 {
				_ = b.store.Ready(b.t.Context()) // only the connection counts
			}
		})
	}
	group.Wait()
}

func TestIdempotencyKeys(t *testing.T) {
	t.Parallel()

	t.Run("the same request gets the first answer again", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		c := b.command(b.order(), "card", "approve")
		first, err := b.Pay(t.Context(), c)
		require.NoError(t, err)
		require.False(t, first.Replayed)
		again, err := b.Pay(t.Context(), c)
		require.NoError(t, err)
		require.True(t, again.Replayed)
		require.Equal(t, first.Reply, again.Reply)
	})

	t.Run("in parallel, one is carried out and all get its answer", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		o := b.order()
		c := b.command(o, "card", "approve")
		var group sync.WaitGroup
		answers := make([]moments.Answer, 20)
		for i := range answers {
			group.Go(func() {
				var err error
				answers[i], err = b.Pay(t.Context(), c)
				if err != nil {
					require.Equal(t, "idempotency_in_progress", payment.CodeOf(err))
				}
			})
		}
		group.Wait()
		for _, a := range answers {
			if a.Body != nil {
				require.Equal(t, "approved", string(a.Body))
			}
		}
		require.Len(t, b.charges(o), 1)
		require.Len(t, b.read(o).Payments, 1)
	})

	t.Run("another request under the same key is refused", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		o := b.order()
		c := b.command(o, "card", "decline")
		_, err := b.Pay(t.Context(), c)
		require.NoError(t, err)
		other := c
		claim := *c.Claim
		claim.Fingerprint = []byte("another")
		other.Claim = &claim
		_, err = b.Pay(t.Context(), other)
		require.Equal(t, "idempotency_key_reused", payment.CodeOf(err))
		require.Len(t, b.read(o).Payments, 1)
	})

	t.Run("an unknown answer is not frozen, and nothing is sent again", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		o := b.order()
		c := b.command(o, "card", "timeout_after_charge")
		first, err := b.Pay(t.Context(), c)
		require.NoError(t, err)
		require.Equal(t, "unknown", string(first.Body))
		b.askAll(o)
		again, err := b.Pay(t.Context(), c)
		require.NoError(t, err)
		require.Equal(t, "approved", string(again.Body))
		require.Len(t, b.charges(o), 1)
	})

	t.Run("nobody who may not use the order gets the answer", func(t *testing.T) {
		t.Parallel()
		for _, scenario := range []string{"approve", "timeout_after_charge"} { // one answer is kept, the other is not
			b := setup(t)
			c := b.command(b.order(), "card", scenario)
			_, err := b.Pay(t.Context(), c)
			require.NoError(t, err)
			c.Guard = func(*payment.Order) error { return payment.ErrOrderNotFound }
			answer, err := b.Pay(t.Context(), c)
			require.ErrorIs(t, err, payment.ErrOrderNotFound)
			require.Empty(t, answer.Body)
		}
	})

	t.Run("a refused request leaves its key free", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		o := b.order()
		c := b.command(o, "no-such-method", "")
		_, err := b.Pay(t.Context(), c)
		require.Equal(t, "method_unavailable", payment.CodeOf(err))
		c.Method, c.Data = "card", nil
		answer, err := b.Pay(t.Context(), c)
		require.NoError(t, err)
		require.Equal(t, "approved", string(answer.Body))
	})
}

// askAll asks the PSP about everything that is open on an order.
func (b *bundle) askAll(o *payment.Order) {
	b.t.Helper()
	for _, tx := range b.read(o).OpenTransactions() {
		require.NoError(b.t, b.Inquire(b.t.Context(), "demo", payment.TransactionID{Order: o.ID, N: tx.N}))
	}
}

func TestInquiries(t *testing.T) {
	t.Parallel()

	t.Run("a charge whose answer was lost is found", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		o := b.order()
		_, err := b.pay(o, "card", "timeout_after_charge")
		require.NoError(t, err)
		b.askAll(o)
		require.Equal(t, payment.StatusPaid, b.read(o).PaymentStatus())
		require.Equal(t, payment.OrderProcessing, b.read(o).Saved.Status)
	})

	t.Run("no such payment means nothing until the PSP is sure", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		o := b.order()
		_, err := b.pay(o, "card", "timeout_no_charge")
		require.NoError(t, err)
		b.askAll(o)
		tx := b.read(o).LatestPayment().Initial()
		require.Equal(t, payment.Unknown, tx.State)
		require.Equal(t, 1, tx.Inquiries)
		require.True(t, tx.DueAt.After(b.clock.now().Add(23*time.Second)), "it is asked again later")
		b.clock.advance(time.Minute)
		b.askAll(o)
		require.Equal(t, payment.NotSent, b.read(o).LatestPayment().Initial().State)
		state, err := b.pay(o, "card", "approve")
		require.NoError(t, err, "another attempt is allowed now")
		require.Equal(t, payment.Approved, state)
	})

	t.Run("another amount stays unknown however often the PSP is asked", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		o := b.order()
		_, err := b.pay(o, "card", "wrong_amount")
		require.NoError(t, err)
		for range 3 {
			b.askAll(o)
			b.clock.advance(time.Hour)
		}
		require.Equal(t, payment.Unknown, b.read(o).LatestPayment().Initial().State)
		require.Equal(t, payment.StatusPending, b.read(o).PaymentStatus())
	})
}
