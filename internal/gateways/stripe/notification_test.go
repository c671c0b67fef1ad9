package stripe_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/gateways/stripe"
	"github.com/paysvc/paysvc/internal/payment"
)

func TestSignatureOfTheVector(t *testing.T) {
	t.Parallel()
	folder := vectors(t)
	meta := struct{ Header, Secret string }{}
	raw, err := os.ReadFile(filepath.Join(folder, "event_test_signature.meta.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &meta, json.MatchCaseInsensitiveNames(true)))
	body, err := os.ReadFile(filepath.Join(folder, "event_test_signature.json"))
	require.NoError(t, err)
	read := func(at time.Time, secret gateways.Secret, body []byte) (gateways.Notice, error) {
		d := deps(nil)
		d.Now = func() time.Time { return at }
		g, err := stripe.New(stripe.Config{
			SecretKey: "sk_test_1", PublishableKey: publishableKey, WebhookSecrets: []gateways.Secret{"another", secret},
		}, d)
		require.NoError(t, err)
		return g.ReadNotification(t.Context(), payment.RawNotification{
			Body: body, Headers: map[string][]string{"Stripe-Signature": {meta.Header}},
		})
	}
	at := time.Unix(1533204620, 0)
	n, err := read(at.Add(299*time.Second), gateways.Secret(meta.Secret), body)
	require.NoError(t, err)
	require.Equal(t, gateways.Notice{EventID: "evt_123", Type: "customer.created"}, n)
	for name, bad := range map[string]func() error{
		"too late":       func() error { _, err := read(at.Add(301*time.Second), gateways.Secret(meta.Secret), body); return err },
		"too early":      func() error { _, err := read(at.Add(-301*time.Second), gateways.Secret(meta.Secret), body); return err },
		"another secret": func() error { _, err := read(at, "webhook_secre", body); return err },
		"another body":   func() error { _, err := read(at, gateways.Secret(meta.Secret), body[:len(body)-1]); return err },
	} {
		require.Equal(t, payment.KindUnauthenticated, payment.KindOf(bad()), name)
	}
}

func TestSignatureHeaders(t *testing.T) {
	t.Parallel()
	body := eventBody("evt_1", "customer.created", false, object{"id": "cus_1", "object": "customer"})
	raw := signed(body, webhookSecret, today())
	stamp, v1, _ := strings.Cut(raw.Headers["Stripe-Signature"][0], ",")
	zeros := "v1=" + strings.Repeat("0", 64)
	g := open(t, nil, nil)
	for header, good := range map[string]bool{
		stamp + "," + v1: true,
		v1 + "," + stamp: true,
		stamp + "," + zeros + "," + v1 + ",v0=abc,v9=abc": true, // a secret is being rolled
		stamp + ",v0=" + v1[3:]:                           false,
		stamp + "," + strings.ToUpper(v1):                 false,
		stamp:                                             false,
		v1:                                                false,
		"t=," + v1:                                        false,
		stamp + "," + stamp + "," + v1:                    false,
		stamp + "x," + v1:                                 false,
		"t=-1," + v1:                                      false,
		"t=9999999999999999999999," + v1:                  false,
		stamp + ",v1," + v1:                               false,
		stamp + strings.Repeat(","+zeros, 8) + "," + v1: false, // more than any rotation has
	} {
		raw.Headers["Stripe-Signature"] = []string{header}
		_, err := g.ReadNotification(t.Context(), raw)
		require.Equal(t, good, err == nil, header)
	}
}

// Every event of the table says what Stripe documents, of a payment that we know.
func TestEveryEventOfTheTable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	play := func(method string, act func(s *shop, id string)) {
		s := newShop(t, method)
		act(s, s.pay(t).GatewayReference)
		for _, n := range s.deliver(t) {
			seen[n.Type] = true
			require.NotEmpty(t, n.Facts, n.Type)
			require.Equal(t, s.reference, n.Reference, n.Type)
			for _, f := range n.Facts {
				require.Equal(t, payment.SourceNotification, f.Source)
				require.Equal(t, ourAccount, f.Account)
				require.Equal(t, payment.ModeTest, f.Mode)
				require.NotNil(t, f.Amount)
				require.True(t, f.State.Known() && f.State != payment.Unknown, n.Type)
			}
		}
	}
	play("checkout", func(s *shop, id string) { s.stripe.pay(id, "bank"); s.stripe.bank(id, true) })
	play("checkout", func(s *shop, id string) { s.stripe.pay(id, "bank"); s.stripe.bank(id, false) })
	play("checkout", func(s *shop, id string) { s.stripe.expireSession(id) })
	play("card", func(s *shop, id string) {
		s.stripe.confirm(id, "3ds")
		s.stripe.confirm(id, "approved")
		s.stripe.refund(id, 10_00, "pending")
		s.stripe.settle(id, "succeeded")
		s.stripe.settle(id, "failed")
		s.stripe.emit("charge.refund.updated", s.stripe.charges[s.stripe.intents[id]["latest_charge"].(string)]["refunds"].(object)["data"].([]object)[0])
		s.stripe.dispute(id, 100_00, "needs_response")
		for _, e := range []string{"updated", "funds_withdrawn", "funds_reinstated", "closed"} {
			s.stripe.disputed(e, "won")
		}
	})
	play("card-manual", func(s *shop, id string) { s.stripe.confirm(id, "approved"); s.stripe.capture(id, 100_00) })
	play("card-manual", func(s *shop, id string) {
		s.stripe.confirm(id, "approved")
		s.stripe.cancelAtDashboard(id)
		s.stripe.emit("charge.expired", s.stripe.charges[s.stripe.intents[id]["latest_charge"].(string)])
	})
	for _, typ := range stripe.Events() {
		require.True(t, seen[typ], "%s was never played", typ)
	}
}

func TestEventsThatAreNotOurs(t *testing.T) {
	t.Parallel()
	intent := object{
		"id": "pi_9", "object": "payment_intent", "amount": 1, "currency": "eur", "livemode": false, "status": "succeeded",
		"metadata": object{"order": "of another program"},
	}
	s := newShop(t, "card")
	s.stripe.checked = func(map[string]any) {}
	s.stripe.intents["pi_9"] = intent
	for name, body := range map[string][]byte{
		"of an API version with other objects": eventBody("evt_1", "account.updated", true, []int{1}),
		"thin":                                 []byte(`{"id":"evt_1","object":"v2.core.event","type":"v1.billing.meter.error","livemode":false}`),
		"another program's":                    eventBody("evt_1", "payment_intent.succeeded", false, intent),
		"another program's page":               eventBody("evt_1", "checkout.session.completed", false, object{"object": "checkout.session", "id": "cs_9"}),
		"another program's refund":             eventBody("evt_1", "refund.created", false, object{"object": "refund", "id": "re_9", "payment_intent": "pi_9"}),
		"a charge without an intent":           eventBody("evt_1", "charge.refunded", false, object{"object": "charge", "id": "ch_9", "payment_intent": nil}),
	} {
		n, err := s.gateway.ReadNotification(t.Context(), signed(body, webhookSecret, today()))
		require.NoError(t, err, name)
		require.Equal(t, "evt_1", n.EventID, name)
		require.Empty(t, n.Facts, name)
	}
}

func TestEventOfAConnectedAccount(t *testing.T) {
	t.Parallel()
	s := newShop(t, "card")
	id := s.pay(t).GatewayReference
	s.stripe.confirm(id, "approved")
	body := strings.Replace(string(s.stripe.events[0]), `"id":"evt`, `"account":"acct_7","id":"evt`, 1)
	n, err := s.gateway.ReadNotification(t.Context(), signed([]byte(body), webhookSecret, today()))
	require.NoError(t, err)
	s.record(t, n.Facts...)
	require.NotEqual(t, payment.Approved, s.state())
	require.NotEmpty(t, s.order.Review)
}

func TestEventsThatContradictThemselves(t *testing.T) {
	t.Parallel()
	s := newShop(t, "checkout")
	id := s.pay(t).GatewayReference
	s.stripe.pay(id, "approved")
	s.stripe.checked = func(map[string]any) {}
	events := map[string]func() []byte{
		"a failure that is paid": func() []byte {
			return eventBody("evt_1", "checkout.session.async_payment_failed", false, s.stripe.sessions[id])
		},
		"another object than its type's": func() []byte { return eventBody("evt_1", "payment_intent.succeeded", false, s.stripe.sessions[id]) },
		"another mode than its object's": func() []byte { return eventBody("evt_1", "checkout.session.completed", true, s.stripe.sessions[id]) },
		"a refund of another mode": func() []byte {
			return eventBody("evt_1", "refund.created", true, object{"object": "refund", "id": "re_1", "payment_intent": s.intent()})
		},
		"a payment that our key does not know": func() []byte {
			return eventBody("evt_1", "refund.created", false, object{"object": "refund", "id": "re_1", "payment_intent": "pi_other"})
		},
		"no id for what it is about": func() []byte {
			return eventBody("evt_1", "refund.created", false, object{"object": "refund", "payment_intent": "pi\x00"})
		},
		"no amount": func() []byte {
			return eventBody("evt_1", "checkout.session.completed", false, without(s.stripe.sessions[id], "amount_total"))
		},
		"no mode": func() []byte {
			return eventBody("evt_1", "checkout.session.completed", false, without(s.stripe.sessions[id], "livemode"))
		},
		"no currency": func() []byte {
			return eventBody("evt_1", "checkout.session.completed", false, without(s.stripe.sessions[id], "currency"))
		},
		"no object": func() []byte { return eventBody("evt_1", "checkout.session.completed", false, nil) },
		"a fraction of a cent": func() []byte {
			other := without(s.stripe.sessions[id], "amount_total")
			other["amount_total"] = 100.5
			return eventBody("evt_1", "checkout.session.completed", false, other)
		},
	}
	for name, body := range events {
		n, err := s.gateway.ReadNotification(t.Context(), signed(body(), webhookSecret, today()))
		require.Equal(t, payment.KindInvalid, payment.KindOf(err), name)
		require.Equal(t, "evt_1", n.EventID, "%s: it is kept under its id", name)
		require.Empty(t, n.Facts, name)
	}
}

func TestEventThatSaysAnAmountTwice(t *testing.T) {
	t.Parallel()
	s := newShop(t, "card")
	s.stripe.confirm(s.pay(t).GatewayReference, "approved")
	body := strings.Replace(string(s.stripe.events[0]), `"amount":`, `"amount":1,"amount":`, 1)
	n, err := s.gateway.ReadNotification(t.Context(), signed([]byte(body), webhookSecret, today()))
	require.Equal(t, payment.KindInvalid, payment.KindOf(err))
	require.Empty(t, n.Facts)
}

func without(o object, field string) object {
	other := object{}
	for k, v := range o {
		if k != field {
			other[k] = v
		}
	}
	return other
}

func TestEventWithAWordThatNobodyKnows(t *testing.T) {
	t.Parallel()
	s := newShop(t, "card")
	id := s.pay(t).GatewayReference
	s.stripe.checked = func(map[string]any) {}
	s.stripe.intents[id]["status"] = "requires_magic"
	s.stripe.emit("payment_intent.succeeded", s.stripe.intents[id])
	f := s.deliver(t)[0].Facts[0]
	require.Equal(t, payment.Unknown, f.State)
	require.Equal(t, payment.ActionRequired, s.state(), "and it moves nothing")
}

func TestHugeEvent(t *testing.T) {
	t.Parallel()
	g := open(t, nil, nil)
	body := []byte(`{"id":"evt_1","object":"event","type":"payment_intent.succeeded","livemode":false,"data":{"object":` +
		strings.Repeat(`{"a":`, 200_000) + "1" + strings.Repeat("}", 200_001) + "}")
	_, err := g.ReadNotification(t.Context(), signed(body, webhookSecret, today()))
	require.Equal(t, payment.KindInvalid, payment.KindOf(err))
}

// Stripe repeats what it got no 2xx for, so an event that cannot be understood
// without asking is not taken in while Stripe does not answer.
func TestRefundEventWhileStripeDoesNotAnswer(t *testing.T) {
	t.Parallel()
	s := newShop(t, "card")
	id := s.pay(t).GatewayReference
	s.stripe.confirm(id, "approved")
	s.stripe.refund(id, 10_00, "succeeded")
	s.stripe.lost["GET /v1/payment_intents/"+id] = true
	_, err := s.gateway.ReadNotification(t.Context(), signed(s.stripe.events[1], webhookSecret, today()))
	require.Equal(t, payment.KindUnavailable, payment.KindOf(err))
}
