package stripe_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/gateways/stripe"
	"github.com/paysvc/paysvc/internal/payment"
)

// reserved is a shop of which 100 euros are reserved.
func reserved(t *testing.T, method string, change func(*stripe.Config)) *shop {
	t.Helper()
	s := newShop(t, method)
	s.gateway = open(t, s.stripe, change)
	f := s.pay(t)
	if method == "checkout-manual" || method == "checkout" {
		s.stripe.pay(f.GatewayReference, "approved")
	} else {
		s.stripe.confirm(f.GatewayReference, "approved")
	}
	s.deliver(t)
	return s
}

// plan announces an operation.
func (s *shop) plan(t *testing.T, typ payment.Type, amount string) payment.OperationRequest {
	t.Helper()
	r := payment.OperationRequest{
		Type: typ, Reference: s.ids.Reference(), Amount: money(t, amount, "EUR"), Method: s.payment.Method, Order: s.order, Payment: s.payment,
	}
	s.order.Announce(s.payment, typ, r.Reference, r.Amount, today(), today())
	return r
}

// ask has the gateway do it, without recording what comes of it.
func (s *shop) ask(t *testing.T, r payment.OperationRequest) []payment.Fact {
	t.Helper()
	call := map[payment.Type]func(context.Context, payment.OperationRequest) []payment.Fact{
		payment.Capture: s.gateway.Capture, payment.Refund: s.gateway.Refund,
		payment.Void: s.gateway.Void, payment.Authorize: s.gateway.Increase,
	}[r.Type]
	facts := call(t.Context(), r)
	require.Equal(t, r.Reference, facts[0].Reference)
	return facts
}

// do announces an operation, has it done, and records what came of it.
func (s *shop) do(t *testing.T, typ payment.Type, amount string) payment.Fact {
	t.Helper()
	facts := s.ask(t, s.plan(t, typ, amount))
	s.record(t, facts...)
	return facts[0]
}

// became asks what became of an operation.
func (s *shop) became(t *testing.T, r payment.OperationRequest) ([]payment.Fact, error) {
	t.Helper()
	_, tx := s.order.TransactionByReference(r.Reference)
	return s.gateway.Inquire(t.Context(), payment.Inquiry{
		Reference: r.Reference, GatewayReference: tx.GatewayReference, Type: r.Type, Amount: r.Amount,
		Initial: *s.payment.Initial(), CreatedAt: today(),
	})
}

func TestCapture(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"card-manual", "checkout-manual"} {
		for amount, released := range map[string]string{"100.00": "0.00", "60.00": "40.00"} {
			t.Run(method+" "+amount, func(t *testing.T) {
				t.Parallel()
				s := reserved(t, method, nil)
				r := s.plan(t, payment.Capture, amount)
				facts := s.ask(t, r)
				require.Equal(t, payment.Approved, facts[0].State)
				require.Equal(t, s.intent(), facts[0].GatewayReference)
				require.Equal(t, r.Reference, s.stripe.intents[s.intent()]["metadata"].(object)["capture"])
				require.Contains(t, s.stripe.keys, r.Reference, "our reference is the key of the request")
				s.record(t, facts...)
				s.requireBooks(t, "100.00", amount, "0.00", released)
				s.deliver(t)
				_, err := s.inquire(t)
				require.NoError(t, err)
				s.requireBooks(t, "100.00", amount, "0.00", released)
				require.Len(t, s.payment.Transactions, len(facts)+1, "each is there once")
			})
		}
	}
}

// Stripe's webhooks are often faster than its answers.
func TestWebhooksBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	for typ, c := range map[payment.Type]struct {
		method, amount string
		books          [4]string
	}{
		payment.Capture:   {"card-manual", "60.00", [4]string{"100.00", "60.00", "0.00", "40.00"}},
		payment.Void:      {"checkout-manual", "100.00", [4]string{"100.00", "0.00", "0.00", "100.00"}},
		payment.Refund:    {"card", "30.00", [4]string{"100.00", "100.00", "30.00", "0.00"}},
		payment.Authorize: {"card-manual", "20.00", [4]string{"120.00", "0.00", "0.00", "0.00"}},
	} {
		t.Run(string(typ), func(t *testing.T) {
			t.Parallel()
			s := reserved(t, c.method, nil)
			r := s.plan(t, typ, c.amount)
			facts := s.ask(t, r)
			s.deliver(t)
			_, tx := s.order.TransactionByReference(r.Reference)
			require.Equal(t, payment.Approved, tx.State, "the webhook names it")
			s.requireBooks(t, c.books[0], c.books[1], c.books[2], c.books[3])
			before := len(s.payment.Transactions)
			s.record(t, facts...)
			s.requireBooks(t, c.books[0], c.books[1], c.books[2], c.books[3])
			require.Len(t, s.payment.Transactions, before, "the answer is no news")
			again, err := s.became(t, r)
			require.NoError(t, err)
			s.record(t, again...)
			s.requireBooks(t, c.books[0], c.books[1], c.books[2], c.books[3])
			require.Len(t, s.payment.Transactions, before)
		})
	}
}

func TestAnswerToAnOperationThatGotLost(t *testing.T) {
	t.Parallel()
	for typ, c := range map[payment.Type]struct{ method, path, amount string }{
		payment.Capture:   {"card-manual", "/capture", "60.00"},
		payment.Void:      {"card-manual", "/cancel", "100.00"},
		payment.Authorize: {"card-manual", "/increment_authorization", "20.00"},
		payment.Refund:    {"card", "", "30.00"},
	} {
		for name, arrived := range map[string]bool{"after it was done": true, "before": false} {
			t.Run(string(typ)+" "+name, func(t *testing.T) {
				t.Parallel()
				s := reserved(t, c.method, nil)
				path := "/v1/payment_intents/" + s.intent() + c.path
				if typ == payment.Refund {
					path = "/v1/refunds"
				}
				carrier := s.stripe
				if !arrived {
					carrier = newFake(today) // what is sent there never gets to Stripe
				}
				carrier.lost["POST "+path] = true
				s.gateway = open(t, carrier, nil)
				r := s.plan(t, typ, c.amount)
				facts := s.ask(t, r)
				require.Equal(t, payment.Unknown, facts[0].State)
				s.record(t, facts...)
				s.gateway = open(t, s.stripe, nil)
				found, err := s.became(t, r)
				if !arrived {
					require.ErrorIs(t, err, gateways.ErrNotFound)
					return
				}
				require.NoError(t, err)
				s.record(t, found...)
				_, tx := s.order.TransactionByReference(r.Reference)
				require.Equal(t, payment.Approved, tx.State)
				require.Empty(t, s.order.Review)
			})
		}
	}
}

func TestVoid(t *testing.T) {
	t.Parallel()
	s := reserved(t, "card-manual", nil)
	r := s.plan(t, payment.Void, "100.00")
	r.Reason = "requested_by_customer"
	facts := s.ask(t, r)
	s.record(t, facts...)
	require.Len(t, facts, 1)
	require.Contains(t, s.stripe.keys, r.Reference)
	require.Equal(t, "requested_by_customer", s.stripe.intents[s.intent()]["cancellation_reason"])
	require.Equal(t, "requested_by_customer", facts[0].Reason.Code)
	s.requireBooks(t, "100.00", "0.00", "0.00", "100.00")
	require.Equal(t, payment.StatusVoided, s.payment.Status)
	s.deliver(t)
	s.requireBooks(t, "100.00", "0.00", "0.00", "100.00")
	require.Len(t, s.payment.Transactions, 2)
}

func TestNobodyTakesTheMoneyInTime(t *testing.T) {
	t.Parallel()
	s := reserved(t, "card-manual", nil)
	s.stripe.mu.Lock()
	s.stripe.cancel(s.stripe.intents[s.intent()], "automatic")
	s.stripe.mu.Unlock()
	s.deliver(t)
	s.requireBooks(t, "100.00", "0.00", "0.00", "100.00")
	void := s.payment.Transactions[1]
	require.Empty(t, void.Reference, "Stripe did it by itself")
	require.Equal(t, "authorization_expired", void.Reason.Code)

	late := s.do(t, payment.Capture, "100.00")
	require.Equal(t, payment.Declined, late.State)
	require.Equal(t, "payment_intent_unexpected_state", late.Reason.Code)
	s.requireBooks(t, "100.00", "0.00", "0.00", "100.00")
	require.Equal(t, payment.Approved, s.do(t, payment.Void, "100.00").State, "what was to happen has happened")
	s.requireBooks(t, "100.00", "0.00", "0.00", "100.00")
}

func TestUntilWhenTheMoneyIsReserved(t *testing.T) {
	t.Parallel()
	s := reserved(t, "card-manual", nil)
	facts, err := s.inquire(t)
	require.NoError(t, err)
	require.Equal(t, today().Add(5*24*time.Hour), facts[0].CaptureBefore, "the charge tells")
	require.Equal(t, 7*24*time.Hour, s.gateway.Describe().Methods["card-manual"].AuthorizationLife)
}

func TestAmountsThatStripeCannotExpressAreNotAskedFor(t *testing.T) {
	t.Parallel()
	s := reserved(t, "card-manual", nil)
	s.stripe.requests = nil
	r := s.plan(t, payment.Capture, "0.00")
	require.Equal(t, payment.NotSent, s.ask(t, r)[0].State)
	r.Type, r.Amount = payment.Void, money(t, "0.00", "EUR")
	require.Equal(t, payment.NotSent, s.ask(t, r)[0].State)
	require.Empty(t, s.stripe.requests)
}
