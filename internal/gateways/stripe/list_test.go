package stripe_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// listed reads the account's list of the day to its end.
func (s *shop) listed(t *testing.T) (facts []payment.Fact, pages int) {
	t.Helper()
	cursor := ""
	for {
		page, next, err := s.gateway.List(t.Context(), today().Add(-time.Hour), today().Add(time.Hour), cursor)
		require.NoError(t, err)
		for _, f := range page {
			require.Contains(t, []payment.State{payment.Approved, payment.Reversed}, f.State)
			require.NotEmpty(t, f.Type)
			require.NotEmpty(t, f.GatewayReference)
			require.NotNil(t, f.Amount)
			require.Equal(t, ourAccount, f.Account)
			require.Equal(t, payment.ModeTest, f.Mode)
		}
		facts, pages, cursor = append(facts, page...), pages+1, next
		if next == "" {
			return facts, pages
		}
		require.Less(t, pages, 50, "it ends")
	}
}

// Every webhook got lost: the list tells the same.
func TestTheListTellsWhatWebhooksTell(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method string
		act    func(t *testing.T, s *shop, intent string)
		types  []payment.Type
		books  [4]string
	}{
		"a sale, refunded in parts": {"card", func(t *testing.T, s *shop, id string) {
			t.Helper()
			s.stripe.refund(id, 10_00, "succeeded")
			s.ask(t, s.plan(t, payment.Refund, "20.00"))
			s.stripe.refund(id, 30_00, "pending")
		}, []payment.Type{payment.Refund, payment.Refund, payment.AuthorizeAndCapture}, [4]string{"100.00", "100.00", "30.00", "0.00"}},
		"a refund that fails": {"card", func(_ *testing.T, s *shop, id string) {
			s.stripe.refund(id, 10_00, "succeeded")
			s.stripe.settle(id, "failed")
		}, []payment.Type{payment.Refund, payment.AuthorizeAndCapture}, [4]string{"100.00", "100.00", "0.00", "0.00"}},
		"taken in part by us": {"card-manual", func(t *testing.T, s *shop, _ string) {
			t.Helper()
			s.ask(t, s.plan(t, payment.Capture, "60.00"))
		}, []payment.Type{payment.Capture, payment.Void, payment.Authorize}, [4]string{"100.00", "60.00", "0.00", "40.00"}},
		"let go by us": {"card-manual", func(t *testing.T, s *shop, _ string) {
			t.Helper()
			s.ask(t, s.plan(t, payment.Void, "100.00"))
		}, []payment.Type{payment.Void, payment.Authorize}, [4]string{"100.00", "0.00", "0.00", "100.00"}},
		"let go at the dashboard": {"card-manual", func(_ *testing.T, s *shop, id string) {
			s.stripe.cancelAtDashboard(id)
		}, []payment.Type{payment.Void, payment.Authorize}, [4]string{"100.00", "0.00", "0.00", "100.00"}},
		"reserved more": {"card-manual", func(t *testing.T, s *shop, _ string) {
			t.Helper()
			s.record(t, s.inquired(t)...)
			s.ask(t, s.plan(t, payment.Authorize, "20.00"))
		}, []payment.Type{payment.Authorize, payment.Authorize}, [4]string{"120.00", "0.00", "0.00", "0.00"}},
		"disputed": {"card", func(_ *testing.T, s *shop, id string) {
			s.stripe.dispute(id, 100_00, "needs_response")
			s.stripe.disputed("funds_withdrawn", "needs_response")
		}, []payment.Type{payment.Chargeback, payment.AuthorizeAndCapture}, [4]string{"100.00", "100.00", "100.00", "0.00"}},
		"disputed and won": {"card", func(_ *testing.T, s *shop, id string) {
			s.stripe.dispute(id, 100_00, "needs_response")
			s.stripe.disputed("funds_withdrawn", "needs_response")
			s.stripe.disputed("closed", "won")
		}, []payment.Type{payment.Chargeback, payment.AuthorizeAndCapture}, [4]string{"100.00", "100.00", "0.00", "0.00"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, c.method)
			s.stripe.confirm(s.pay(t).GatewayReference, "approved")
			c.act(t, s, s.intent())
			facts, pages := s.listed(t)
			require.Equal(t, 1, pages)
			var types []payment.Type
			for _, f := range facts {
				types = append(types, f.Type)
			}
			require.ElementsMatch(t, c.types, types, "each operation once")
			s.record(t, facts...)
			s.requireSums(t, c.books[0], c.books[1], c.books[2], c.books[3])
			for _, tx := range s.payment.Transactions {
				require.True(t, tx.Reference == "" || tx.State == payment.Approved, "what is ours has our name")
			}
			before := len(s.payment.Transactions)
			s.deliver(t)
			s.requireSums(t, c.books[0], c.books[1], c.books[2], c.books[3])
			require.LessOrEqual(t, len(s.payment.Transactions), before+1, "a refund under way is no money that moved")
		})
	}
}

// inquired asks about the payment, without recording what it learns.
func (s *shop) inquired(t *testing.T) []payment.Fact {
	t.Helper()
	facts, err := s.gateway.Inquire(t.Context(), s.inquiry())
	require.NoError(t, err)
	return facts
}

func TestTheListTellsOfMoneyThatNobodyHereAskedFor(t *testing.T) {
	t.Parallel()
	s := newShop(t, "card")
	s.stripe.checked = func(map[string]any) {}
	for id, c := range map[string]struct {
		currency string
		metadata object
	}{
		"pi_a": {"eur", object{}}, "pi_b": {"eur", object{"reference": "ORDER-1"}}, "pi_c": {"iqd", object{}},
	} {
		s.stripe.intents[id] = object{
			"id": id, "object": "payment_intent", "amount": 5_00, "amount_received": 5_00, "currency": c.currency, "livemode": false,
			"status": "succeeded", "capture_method": "automatic", "metadata": c.metadata, "latest_charge": nil,
		}
		s.stripe.emit("payment_intent.succeeded", s.stripe.intents[id])
	}
	refund := object{
		"id": "re_a", "object": "refund", "amount": 2_00, "currency": "eur", "status": "succeeded", "payment_intent": "pi_a", "balance_transaction": "txn_1",
	}
	s.stripe.emit("refund.created", refund)
	refund["id"], refund["payment_intent"] = "re_b", nil // of a charge that was made without an intent
	s.stripe.emit("refund.created", refund)
	facts, _ := s.listed(t)
	told := map[string]payment.Type{}
	for _, f := range facts {
		require.Empty(t, f.Reference)
		told[f.GatewayReference] = f.Type
	}
	require.Equal(t, map[string]payment.Type{
		"pi_a": payment.AuthorizeAndCapture, "pi_b": payment.AuthorizeAndCapture, "re_a": payment.Refund, "re_b": payment.Refund,
	}, told, "what is in a currency of which nobody here has an amount is not ours")
}

func TestTheListHasPages(t *testing.T) {
	t.Parallel()
	s := newShop(t, "card")
	s.stripe.confirm(s.pay(t).GatewayReference, "approved")
	for range 50 {
		s.stripe.refund(s.intent(), 1_00, "succeeded")
	}
	facts, pages := s.listed(t)
	require.Greater(t, pages, 2)
	s.record(t, facts...)
	s.requireSums(t, "100.00", "100.00", "50.00", "0.00")
}

func TestTheListIsOfItsTimeOnly(t *testing.T) {
	t.Parallel()
	s := newShop(t, "card")
	s.stripe.confirm(s.pay(t).GatewayReference, "approved")
	s.stripe.refund(s.intent(), 10_00, "succeeded")
	for _, e := range s.stripe.log {
		if e["type"] == "payment_intent.succeeded" {
			e["created"] = today().Add(-2 * time.Hour).Unix()
		}
	}
	facts, _ := s.listed(t)
	require.Len(t, facts, 1)
	require.Equal(t, payment.Refund, facts[0].Type)
	require.Equal(t, s.reference, facts[0].Reference)
	none, _, err := s.gateway.List(t.Context(), today().Add(-time.Hour), today(), "")
	require.NoError(t, err)
	require.Empty(t, none, "its end is the next one's begin")
}

// What was reserved another day is not told again because it is taken today.
func TestTheListTellsOfACaptureOnItsDay(t *testing.T) {
	t.Parallel()
	s := reserved(t, "card-manual", nil)
	for _, e := range s.stripe.log {
		e["created"] = today().Add(-72 * time.Hour).Unix()
	}
	r := s.plan(t, payment.Capture, "60.00")
	s.ask(t, r)
	facts, _ := s.listed(t)
	require.Len(t, facts, 2)
	for _, f := range facts {
		require.Equal(t, r.Reference, f.Reference)
		require.Contains(t, []payment.Type{payment.Capture, payment.Void}, f.Type)
	}
}

// An event of old API versions shows all refunds of a charge.
func TestTheListTellsOfARefundOnItsDay(t *testing.T) {
	t.Parallel()
	s := newShop(t, "card")
	s.stripe.confirm(s.pay(t).GatewayReference, "approved")
	before := s.stripe.refund(s.intent(), 10_00, "succeeded")
	s.stripe.refunds[before]["created"] = today().Add(-72 * time.Hour).Unix()
	s.stripe.log = nil
	now := s.stripe.refund(s.intent(), 20_00, "succeeded")
	facts, _ := s.listed(t)
	require.Len(t, facts, 1)
	require.Equal(t, now, facts[0].GatewayReference)
}

func TestTheListSaysNothingWhileStripeDoesNotAnswer(t *testing.T) {
	t.Parallel()
	for _, silent := range []string{"GET /v1/events", "GET /v1/payment_intents/"} {
		s := newShop(t, "card-manual")
		s.stripe.confirm(s.pay(t).GatewayReference, "approved")
		s.stripe.cancelAtDashboard(s.intent())
		if silent != "GET /v1/events" {
			silent += s.intent()
		}
		s.stripe.lost[silent] = true
		facts, next, err := s.gateway.List(t.Context(), today().Add(-time.Hour), today().Add(time.Hour), "")
		require.Equal(t, payment.KindUnavailable, payment.KindOf(err), silent)
		require.Empty(t, facts)
		require.Empty(t, next)
	}
}
