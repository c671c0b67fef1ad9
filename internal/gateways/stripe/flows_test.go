package stripe_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

func TestCheckoutIsPaid(t *testing.T) {
	t.Parallel()
	s := newShop(t, "checkout")
	f := s.pay(t)
	require.Equal(t, payment.ActionRequired, f.State)
	require.Equal(t, "redirect", f.NextAction.Type)
	require.Equal(t, "https://checkout.stripe.com/c/pay/"+f.GatewayReference, f.NextAction.URL)
	session := s.stripe.sessions[f.GatewayReference]
	require.Equal(t, s.reference, session["client_reference_id"])
	require.Equal(t, "https://shop.example/ok?a=1", session["success_url"])
	require.Equal(t, "https://shop.example/no", session["cancel_url"])
	require.Equal(t, map[string]any{"reference": s.reference, "method": "checkout"}, session["metadata"])

	s.stripe.pay(f.GatewayReference, "approved")
	require.Equal(t, s.reference, s.stripe.intents[s.intent()]["metadata"].(object)["reference"], "the intent knows it too")
	s.deliver(t)
	require.Equal(t, payment.Approved, s.state())
	s.requireBooks(t, "100.00", "100.00", "0.00", "0.00")

	facts, err := s.inquire(t)
	require.NoError(t, err)
	require.Equal(t, payment.Approved, facts[0].State)
	require.Equal(t, f.GatewayReference, facts[0].GatewayReference)
}

func TestCheckoutTriedAgainAfterADecline(t *testing.T) {
	t.Parallel()
	s := newShop(t, "checkout")
	f := s.pay(t)
	s.stripe.pay(f.GatewayReference, "declined")
	s.deliver(t)
	require.Equal(t, payment.ActionRequired, s.state(), "the page is still open")
	facts, err := s.inquire(t)
	require.NoError(t, err)
	require.Equal(t, payment.ActionRequired, facts[0].State)
	require.Equal(t, f.NextAction, facts[0].NextAction)
	s.stripe.pay(f.GatewayReference, "approved")
	s.deliver(t)
	s.requireBooks(t, "100.00", "100.00", "0.00", "0.00")
}

func TestCheckoutReservesAndTheDashboardTakesAPart(t *testing.T) {
	t.Parallel()
	s := newShop(t, "checkout-manual")
	f := s.pay(t)
	s.stripe.pay(f.GatewayReference, "approved")
	s.deliver(t)
	s.requireBooks(t, "100.00", "0.00", "0.00", "0.00")
	require.Equal(t, payment.StatusAuthorized, s.payment.Status)
	s.stripe.capture(s.intent(), 60_00)
	s.deliver(t)
	s.requireBooks(t, "100.00", "60.00", "0.00", "40.00")
	_, err := s.inquire(t)
	require.NoError(t, err)
	s.requireBooks(t, "100.00", "60.00", "0.00", "40.00")
	s.stripe.refund(s.intent(), 10_00, "succeeded")
	s.deliver(t)
	s.requireBooks(t, "100.00", "60.00", "10.00", "40.00")
}

func TestCheckoutByBank(t *testing.T) {
	t.Parallel()
	for name, paid := range map[string]bool{"paid": true, "failed": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, "checkout")
			f := s.pay(t)
			s.stripe.pay(f.GatewayReference, "bank")
			s.deliver(t)
			require.Equal(t, payment.Pending, s.state())
			s.stripe.bank(f.GatewayReference, paid)
			s.deliver(t)
			want := map[bool]payment.State{true: payment.Approved, false: payment.Declined}[paid]
			require.Equal(t, want, s.state())
			facts, err := s.inquire(t)
			require.NoError(t, err)
			require.Equal(t, want, facts[0].State)
		})
	}
}

func TestCardOnTheShopsPage(t *testing.T) {
	t.Parallel()
	s := newShop(t, "card")
	f := s.pay(t)
	require.Equal(t, payment.ActionRequired, f.State)
	require.Equal(t, "client", f.NextAction.Type)
	var data map[string]string
	require.NoError(t, json.Unmarshal(f.NextAction.Data, &data))
	require.Equal(t, map[string]string{
		"kind": "stripe", "publishable_key": publishableKey, "client_secret": f.GatewayReference + "_secret_1",
	}, data)

	s.stripe.confirm(f.GatewayReference, "declined")
	failed := s.deliver(t)[0].Facts[0]
	require.Equal(t, payment.ActionRequired, failed.State, "the page may try another card")
	require.Equal(t, payment.Reason{Code: "lost_card", Message: "Your card was declined.", Decline: "hard"}, failed.Reason)
	require.Equal(t, f.NextAction, failed.NextAction)
	s.stripe.confirm(f.GatewayReference, "3ds")
	s.deliver(t)
	require.Equal(t, payment.ActionRequired, s.state())
	s.stripe.confirm(f.GatewayReference, "approved")
	s.deliver(t)
	s.requireBooks(t, "100.00", "100.00", "0.00", "0.00")
}

func TestReservedMoneyIsLetGo(t *testing.T) {
	t.Parallel()
	s := newShop(t, "card-manual")
	f := s.pay(t)
	s.stripe.confirm(f.GatewayReference, "approved")
	s.stripe.cancelAtDashboard(f.GatewayReference)
	s.deliver(t)
	s.requireBooks(t, "100.00", "0.00", "0.00", "100.00")
	require.Equal(t, payment.StatusVoided, s.payment.Status)
	require.Empty(t, s.order.Review, "what Stripe calls a refund of it is none")
	_, err := s.inquire(t)
	require.NoError(t, err)
	s.requireBooks(t, "100.00", "0.00", "0.00", "100.00")
}

func TestIntentCanceledBeforeAnythingWasReserved(t *testing.T) {
	t.Parallel()
	s := newShop(t, "card-manual")
	f := s.pay(t)
	s.stripe.confirm(f.GatewayReference, "declined")
	s.stripe.cancelAtDashboard(f.GatewayReference)
	s.deliver(t)
	require.Equal(t, payment.Declined, s.state())
	s.requireBooks(t, "0.00", "0.00", "0.00", "0.00")
	require.Equal(t, "requested_by_customer", s.payment.Initial().Reason.Code)
}

func TestRefundsFromTheDashboard(t *testing.T) {
	t.Parallel()
	s := newShop(t, "card")
	f := s.pay(t)
	s.stripe.confirm(f.GatewayReference, "approved")
	first := s.stripe.refund(f.GatewayReference, 30_00, "succeeded")
	notices := s.deliver(t)
	require.Equal(t, s.reference, notices[1].Reference, "Stripe was asked whose refund it is")
	s.requireBooks(t, "100.00", "100.00", "30.00", "0.00")
	s.stripe.refund(f.GatewayReference, 20_00, "pending")
	s.deliver(t)
	s.requireBooks(t, "100.00", "100.00", "30.00", "0.00")
	s.stripe.settle(f.GatewayReference, "succeeded")
	s.deliver(t)
	s.requireBooks(t, "100.00", "100.00", "50.00", "0.00")
	s.stripe.settle(f.GatewayReference, "failed")
	s.deliver(t)
	s.requireSums(t, "100.00", "100.00", "30.00", "0.00")
	require.Equal(t, payment.CaseReversed, s.order.Review)
	facts, err := s.inquire(t)
	require.NoError(t, err)
	require.Len(t, facts, 3)
	require.Equal(t, first, facts[1].GatewayReference)
	require.Equal(t, payment.Reversed, facts[2].State)
	require.Equal(t, "expired_or_canceled_card", facts[2].Reason.Code)
}

func TestOldRefundThatStripeNoLongerShowsWithThePayment(t *testing.T) {
	t.Parallel()
	s := newShop(t, "card")
	f := s.pay(t)
	s.stripe.confirm(f.GatewayReference, "approved")
	s.stripe.refund(f.GatewayReference, 30_00, "succeeded")
	for _, c := range s.stripe.charges {
		c["refunds"].(object)["data"] = []object{}
	}
	s.deliver(t)
	s.requireBooks(t, "100.00", "100.00", "30.00", "0.00")
}

func TestDispute(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		events          [][2]string
		state           payment.State
		pending, closed string // refunded
	}{
		"lost":    {[][2]string{{"funds_withdrawn", "needs_response"}, {"closed", "lost"}}, payment.Approved, "0.00", "100.00"},
		"won":     {[][2]string{{"funds_withdrawn", "under_review"}, {"closed", "won"}, {"funds_reinstated", "won"}}, payment.Reversed, "0.00", "0.00"},
		"updated": {[][2]string{{"updated", "under_review"}}, payment.Pending, "0.00", "0.00"},
		"taken":   {[][2]string{{"funds_withdrawn", "needs_response"}}, payment.Approved, "0.00", "100.00"},
		"a part of a lost one comes back": {[][2]string{
			{"funds_withdrawn", "needs_response"}, {"closed", "lost"}, {"funds_reinstated", "lost"},
		}, payment.Approved, "0.00", "100.00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, "checkout")
			s.stripe.pay(s.pay(t).GatewayReference, "approved")
			s.stripe.dispute(s.intent(), 100_00, "needs_response")
			s.deliver(t)
			s.requireBooks(t, "100.00", "100.00", c.pending, "0.00")
			for _, e := range c.events {
				s.stripe.disputed(e[0], e[1])
			}
			s.deliver(t)
			s.requireSums(t, "100.00", "100.00", c.closed, "0.00")
			require.Equal(t, c.state, s.payment.Transactions[1].State)
			require.Equal(t, payment.Chargeback, s.payment.Transactions[1].Type)
			require.Len(t, s.payment.Transactions, 2)
			_, err := s.inquire(t)
			require.NoError(t, err)
			require.Len(t, s.payment.Transactions, 2, "an inquiry knows the same dispute")
			s.requireSums(t, "100.00", "100.00", c.closed, "0.00")
		})
	}
}

func TestABankThatOnlyAsksMovesNoMoney(t *testing.T) {
	t.Parallel()
	s := newShop(t, "card")
	f := s.pay(t)
	s.stripe.confirm(f.GatewayReference, "approved")
	s.stripe.dispute(f.GatewayReference, 100_00, "warning_needs_response")
	s.stripe.disputed("closed", "warning_closed")
	s.deliver(t)
	require.Len(t, s.payment.Transactions, 2)
	require.Equal(t, payment.Declined, s.payment.Transactions[1].State)
	s.requireBooks(t, "100.00", "100.00", "0.00", "0.00")
}

func TestDisputeLearntByInquiryAlone(t *testing.T) {
	t.Parallel()
	s := newShop(t, "card")
	f := s.pay(t)
	s.stripe.confirm(f.GatewayReference, "approved")
	s.stripe.dispute(f.GatewayReference, 40_00, "under_review")
	s.stripe.disputes[0]["balance_transactions"] = []any{}
	s.stripe.events = nil
	_, err := s.inquire(t)
	require.NoError(t, err)
	s.requireBooks(t, "100.00", "100.00", "0.00", "0.00")
	s.stripe.checked = func(map[string]any) {}
	s.stripe.disputes[0]["balance_transactions"] = []any{object{"id": "txn_1"}}
	_, err = s.inquire(t)
	require.NoError(t, err)
	s.requireSums(t, "100.00", "100.00", "40.00", "0.00")
	require.Equal(t, payment.CaseChargeback, s.order.Review)
}

func TestEventsInAnyOrderAndTwiceEndTheSame(t *testing.T) {
	t.Parallel()
	s := newShop(t, "checkout-manual")
	first := s.pay(t)
	s.stripe.pay(first.GatewayReference, "declined")
	s.stripe.pay(first.GatewayReference, "approved")
	s.stripe.capture(s.intent(), 70_00)
	s.stripe.refund(s.intent(), 20_00, "succeeded")
	s.stripe.refund(s.intent(), 5_00, "pending")
	s.stripe.settle(s.intent(), "failed")
	s.stripe.dispute(s.intent(), 10_00, "needs_response")
	s.stripe.disputed("funds_withdrawn", "needs_response")
	s.stripe.disputed("closed", "won")
	var notices []gateways.Notice
	for _, body := range s.stripe.events {
		n, err := s.gateway.ReadNotification(t.Context(), signed(body, webhookSecret, today()))
		require.NoError(t, err)
		notices = append(notices, n)
	}
	rapid.Check(t, func(rt *rapid.T) {
		again := newShop(t, "checkout-manual")
		again.record(t, first)
		for _, n := range append(rapid.Permutation(notices).Draw(rt, "order"), rapid.SliceOf(rapid.SampledFrom(notices)).Draw(rt, "repeated")...) {
			again.record(t, n.Facts...)
		}
		again.requireSums(t, "100.00", "70.00", "20.00", "30.00")
	})
}

func TestAnswerThatGotLost(t *testing.T) {
	t.Parallel()
	for method, path := range map[string]string{"checkout": "/v1/checkout/sessions", "card": "/v1/payment_intents"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, method)
			s.stripe.lost["POST "+path] = true
			require.Equal(t, payment.Unknown, s.pay(t).State)
			require.Equal(t, []string{"POST " + path}, s.stripe.requests, "it is not sent again")
			facts, err := s.inquire(t)
			require.NoError(t, err, "the lists know it, though the search does not yet")
			require.Equal(t, payment.ActionRequired, facts[0].State)
			require.NotNil(t, facts[0].NextAction)
			require.Equal(t, payment.ActionRequired, s.state())
			require.NotEmpty(t, s.payment.Initial().GatewayReference)
			require.Len(t, s.stripe.sessions, map[string]int{"checkout": 1}[method])
		})
	}
}

func TestInquiryByOurReferenceAlone(t *testing.T) {
	t.Parallel()
	lost := func(t *testing.T, method string) *shop {
		s := newShop(t, method)
		s.gateway.Pay(t.Context(), s.request) // and nobody kept the answer
		return s
	}
	t.Run("found by the search", func(t *testing.T) {
		t.Parallel()
		s := lost(t, "card")
		s.stripe.indexed[s.intent()] = true
		s.stripe.requests = nil
		_, err := s.inquire(t)
		require.NoError(t, err)
		require.Equal(t, []string{"GET " + searchPath, "GET /v1/payment_intents/" + s.intent()}, s.stripe.requests)
	})
	t.Run("an intent of a page leads to the page", func(t *testing.T) {
		t.Parallel()
		s := lost(t, "checkout")
		var session string
		for session = range s.stripe.sessions {
		}
		s.stripe.pay(session, "declined")
		s.stripe.indexed[s.intent()] = true
		facts, err := s.inquire(t)
		require.NoError(t, err)
		require.Equal(t, "redirect", facts[0].NextAction.Type)
	})
	t.Run("without the search", func(t *testing.T) {
		t.Parallel()
		s := lost(t, "card")
		s.stripe.noSearch = true
		_, err := s.inquire(t)
		require.NoError(t, err)
	})
	t.Run("never made", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, "card")
		_, err := s.inquire(t)
		require.ErrorIs(t, err, gateways.ErrNotFound)
		require.Equal(t, []string{"GET " + searchPath, "GET /v1/checkout/sessions", "GET /v1/payment_intents"}, s.stripe.requests)
	})
	t.Run("on the last page", func(t *testing.T) {
		t.Parallel()
		s := lost(t, "card")
		s.others(t, 450)
		_, err := s.inquire(t)
		require.NoError(t, err)
	})
	t.Run("among too many", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, "card")
		s.others(t, 600)
		_, err := s.inquire(t)
		require.Equal(t, payment.KindUnavailable, payment.KindOf(err), "nothing is known: not even that there is none")
	})
	t.Run("of another day", func(t *testing.T) {
		t.Parallel()
		s := lost(t, "card")
		s.stripe.intents[s.intent()]["created"] = today().Add(-time.Hour).Unix()
		_, err := s.inquire(t)
		require.ErrorIs(t, err, gateways.ErrNotFound, "only payments of that time are looked through")
	})
}

// others makes intents of other orders, newer than what is there.
func (s *shop) others(t *testing.T, n int) {
	t.Helper()
	s.stripe.checked = func(map[string]any) {}
	ids := payment.NewIDs(today, bytes.NewReader(bytes.Repeat([]byte{7}, n*13)))
	for range n {
		other := s.request
		other.Reference = ids.Reference()
		s.stripe.keys = map[string]kept{}
		s.gateway.Pay(t.Context(), other)
	}
	s.stripe.requests = nil
}

func TestFinalityIsLongerThanTheSearchedTime(t *testing.T) {
	t.Parallel()
	require.GreaterOrEqual(t, open(t, nil, nil).Describe().Finality, 6*time.Minute)
}

func TestStripeNoLongerKnowsWhatItNamed(t *testing.T) {
	t.Parallel()
	s := newShop(t, "card")
	s.pay(t)
	s.stripe.intents = map[string]object{}
	_, err := s.inquire(t)
	require.Error(t, err)
	require.NotErrorIs(t, err, gateways.ErrNotFound, "it was there")
}

func TestTheSameReferenceWithOtherWords(t *testing.T) {
	t.Parallel()
	s := newShop(t, "card")
	s.pay(t)
	s.request.Amount = money(t, "99.00", "EUR")
	f := s.gateway.Pay(t.Context(), s.request)
	require.Equal(t, payment.Unknown, f.State, "there is a payment under this key")
	require.Equal(t, "idempotency_error", f.Reason.Code)
	require.Len(t, s.stripe.intents, 1)
}

func TestOnlyPaymentsCanBeClosed(t *testing.T) {
	t.Parallel()
	s := newShop(t, "card")
	_, err := s.gateway.Close(t.Context(), payment.Inquiry{Reference: s.reference, Type: payment.Refund})
	require.Error(t, err)
	require.NotErrorIs(t, err, gateways.ErrNotFound)
	require.Empty(t, s.stripe.requests)
}

// A voucher is printed, or a transfer promised: the page is done, the intent still
// requires an action, and the money may come for days.
func TestAVoucherThatIsNotPaidYetIsPending(t *testing.T) {
	t.Parallel()
	for paid, want := range map[bool]payment.State{true: payment.Approved, false: payment.Declined} {
		s := newShop(t, "checkout")
		f := s.pay(t)
		s.record(t, f)
		s.stripe.pay(f.GatewayReference, "voucher")
		facts, err := s.inquire(t)
		require.NoError(t, err)
		require.Equal(t, payment.Pending, facts[0].State)
		s.record(t, facts...)
		s.deliver(t)
		facts, err = s.close(t)
		require.NoError(t, err)
		s.record(t, facts...)
		require.Equal(t, payment.Pending, s.state())
		require.Nil(t, s.payment.NextAction)

		s.stripe.bank(f.GatewayReference, paid)
		s.deliver(t)
		require.Equal(t, want, s.state())
	}
}
