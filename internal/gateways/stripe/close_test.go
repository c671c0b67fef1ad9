package stripe_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

func TestCloseEndsWhatWaitsForTheShopper(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"checkout", "checkout-manual", "card", "card-manual"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, method)
			s.pay(t)
			facts, err := s.close(t)
			require.NoError(t, err)
			require.Equal(t, payment.Declined, facts[0].State)
			require.NotEmpty(t, facts[0].Reason.Code)
			require.Equal(t, payment.Declined, s.state())
			s.deliver(t)
			require.Equal(t, payment.Declined, s.state())
			again, err := s.close(t)
			require.NoError(t, err)
			require.Equal(t, facts, again)
		})
	}
}

func TestCloseAfterTheShopperPaid(t *testing.T) {
	t.Parallel()
	for method, paid := range map[string]func(*shop, string){
		"checkout":        func(s *shop, id string) { s.stripe.pay(id, "approved") },
		"checkout-manual": func(s *shop, id string) { s.stripe.pay(id, "approved") },
		"card":            func(s *shop, id string) { s.stripe.confirm(id, "approved") },
		"card-manual":     func(s *shop, id string) { s.stripe.confirm(id, "approved") },
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, method)
			paid(s, s.pay(t).GatewayReference)
			facts, err := s.close(t)
			require.NoError(t, err)
			require.Equal(t, payment.Approved, facts[0].State)
			require.Equal(t, payment.Approved, s.state())
			require.Equal(t, "0.00", s.payment.Sums.Voided.String(), "what is reserved stays so")
		})
	}
}

func TestCloseWhileTheBankDecides(t *testing.T) {
	t.Parallel()
	s := newShop(t, "checkout")
	s.stripe.pay(s.pay(t).GatewayReference, "bank")
	facts, err := s.close(t)
	require.NoError(t, err)
	require.Equal(t, payment.Pending, facts[0].State)
}

// The shopper pays between our question and our order to end it.
func TestCloseAgainstAFasterShopper(t *testing.T) {
	t.Parallel()
	for method, faster := range map[string]func(*shop, string){
		"checkout": func(s *shop, id string) { s.stripe.pay(id, "approved") },
		"card":     func(s *shop, id string) { s.stripe.confirm(id, "approved") },
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, method)
			id := s.pay(t).GatewayReference
			s.gateway = open(t, &overtaken{s.stripe, func() { faster(s, id) }}, nil)
			facts, err := s.close(t)
			require.NoError(t, err)
			require.Equal(t, payment.Approved, facts[0].State)
		})
	}
}

// The shopper's bank reserves between our question and our order to cancel, which
// then lets go of the money: that is what happened, and no decline.
func TestCloseLetsGoOfWhatWasJustReserved(t *testing.T) {
	t.Parallel()
	s := newShop(t, "card-manual")
	id := s.pay(t).GatewayReference
	s.gateway = open(t, &overtaken{s.stripe, func() { s.stripe.confirm(id, "approved") }}, nil)
	_, err := s.close(t)
	require.NoError(t, err)
	s.requireBooks(t, "100.00", "0.00", "0.00", "100.00")
	s.deliver(t)
	s.requireBooks(t, "100.00", "0.00", "0.00", "100.00")
}

func TestCloseFromThePageOfAnIntent(t *testing.T) {
	t.Parallel()
	s := newShop(t, "checkout")
	session := s.pay(t).GatewayReference
	s.stripe.pay(session, "declined")
	s.payment.Initial().GatewayReference = s.intent() // an event told of it first
	facts, err := s.close(t)
	require.NoError(t, err)
	require.Equal(t, payment.Declined, facts[0].State)
	require.Equal(t, "expired", s.stripe.sessions[session]["status"], "the intent of a page ends with its page")
}

func TestCloseOfWhichTheAnswerGotLost(t *testing.T) {
	t.Parallel()
	s := newShop(t, "card")
	id := s.pay(t).GatewayReference
	s.stripe.lost["POST /v1/payment_intents/"+id+"/cancel"] = true
	_, err := s.close(t)
	require.Equal(t, payment.KindUnavailable, payment.KindOf(err))
	require.Equal(t, payment.ActionRequired, s.state(), "nothing was learnt")
	facts, err := s.close(t)
	require.NoError(t, err)
	require.Equal(t, payment.Declined, facts[0].State)
}

// overtaken is a Stripe at which something happens just before it is told to
// change anything.
type overtaken struct {
	*fake
	before func()
}

// RoundTrip implements http.RoundTripper.
func (o *overtaken) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost {
		o.before()
	}
	return o.fake.RoundTrip(r)
}
