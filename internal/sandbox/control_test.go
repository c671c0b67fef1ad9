package sandbox_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func states(lines []line) []string {
	out := []string{}
	for _, l := range lines {
		out = append(out, l.Operation+" "+l.Amount+" "+l.State)
	}
	return out
}

func TestTrueEventsAreBooked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, open, event string
		ledger            []string
		captured          string
	}{
		{"paid", redirectBody("r1", ""), `{"event":"paid"}`, []string{"charge 129.95 approved"}, "129.95"},
		{"paid, same amount", redirectBody("r1", ""), `{"event":"paid","amount":"129.950","currency":"EUR"}`, []string{"charge 129.95 approved"}, "129.95"},
		{"paid after a decline", payBody("r1", `,"scenario":"decline"`), `{"event":"paid"}`, []string{"charge 129.95 approved"}, "129.95"},
		{"authorized", `{"reference":"r1","amount":"5.00","currency":"EUR","capture":false` + redirect, `{"event":"authorized"}`, []string{"authorize 5.00 approved"}, "0.00"},
		{"authorization paid", `{"reference":"r1","amount":"5.00","currency":"EUR","capture":false}`, `{"event":"paid"}`, []string{"authorize 5.00 approved", "capture 5.00 approved"}, "5.00"},
		{"captured in part", `{"reference":"r1","amount":"5.00","currency":"EUR","capture":false}`, `{"event":"captured","amount":"2.00"}`, []string{"authorize 5.00 approved", "capture 2.00 approved"}, "2.00"},
		{"voided", `{"reference":"r1","amount":"5.00","currency":"EUR","capture":false}`, `{"event":"voided"}`, []string{"authorize 5.00 approved", "void 5.00 approved"}, "0.00"},
		{"failed", redirectBody("r1", ""), `{"event":"failed"}`, []string{"charge 129.95 declined"}, "0.00"},
		{"cancelled", redirectBody("r1", ""), `{"event":"cancelled"}`, []string{"charge 129.95 cancelled"}, "0.00"},
		{"expired", redirectBody("r1", ""), `{"event":"expired"}`, []string{"charge 129.95 expired"}, "0.00"},
		{"refunded", payBody("r1", ""), `{"event":"refunded"}`, []string{"charge 129.95 approved", "refund 129.95 approved"}, "129.95"},
		{"refunded in part", payBody("r1", ""), `{"event":"refunded","amount":"9.95"}`, []string{"charge 129.95 approved", "refund 9.95 approved"}, "129.95"},
		{"chargeback", payBody("r1", ""), `{"event":"chargeback"}`, []string{"charge 129.95 approved", "chargeback 129.95 approved"}, "129.95"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPSP(t)
			ok[object](t, p, "/v1/payments", c.open)
			got := p.notify(t, "r1", c.event)
			require.Equal(t, 200, got.Deliveries[0].Status)
			require.Equal(t, c.ledger, states(p.ledger(t, "r1")))
			told := p.shop.received()[0]
			now := p.inquire(t, "r1")
			require.Equal(t, now, told.Payment, "the notification says what the ledger says")
			require.Equal(t, c.captured, now.Captured)
			require.Equal(t, got.EventID, told.ID)
			require.Equal(t, now.Operations[len(now.Operations)-1], told.Operation)
		})
	}
}

func TestAPartialRefundHasItsOwnReference(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	p.pay(t, "r1", "")
	p.notify(t, "r1", `{"event":"refunded","amount":"1.00"}`)
	p.notify(t, "r1", `{"event":"refunded","amount":"2.00"}`)
	got := p.shop.received()
	require.NotEqual(t, got[0].Operation.ID, got[1].Operation.ID)
	require.Equal(t, got[0].Operation.ID, got[0].Operation.Reference)
	require.Equal(t, "3.00", p.inquire(t, "r1").Refunded)
	require.Greater(t, got[1].Version, got[0].Version)
}

func TestLiesAreToldButNotBooked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, open, event, state, amount string }{
		{"too little", redirectBody("r1", ""), `{"event":"paid","amount":"1.00"}`, "approved", "1.00 EUR"},
		{"other currency", redirectBody("r1", ""), `{"event":"paid","currency":"USD"}`, "approved", "129.95 USD"},
		{"lower-case currency", redirectBody("r1", ""), `{"event":"paid","currency":"eur"}`, "approved", "129.95 eur"},
		{"fraction of a cent", redirectBody("r1", ""), `{"event":"paid","amount":"129.951"}`, "approved", "129.951 EUR"},
		{"negative", redirectBody("r1", ""), `{"event":"paid","amount":"-129.95"}`, "approved", "-129.95 EUR"},
		{"digits of the other currency", redirectBody("r1", ""), `{"event":"paid","currency":"JPY"}`, "approved", "129 JPY"},
		{"failed after success", payBody("r1", ""), `{"event":"failed"}`, "declined", "129.95 EUR"},
		{"expired after success", payBody("r1", ""), `{"event":"expired"}`, "expired", "129.95 EUR"},
		{"paid again", payBody("r1", ""), `{"event":"paid"}`, "approved", "129.95 EUR"},
		{"authorized charge", redirectBody("r1", ""), `{"event":"authorized"}`, "approved", "129.95 EUR"},
		{"refund of nothing", redirectBody("r1", ""), `{"event":"refunded"}`, "action_required", "129.95 EUR"},
		{"refund of too much", payBody("r1", ""), `{"event":"refunded","amount":"129.96"}`, "approved", "129.95 EUR"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPSP(t)
			ok[object](t, p, "/v1/payments", c.open)
			before := p.inquire(t, "r1")
			p.notify(t, "r1", c.event)
			told := p.shop.received()[0]
			require.True(t, told.authentic(shopSecret))
			require.Equal(t, []string{c.state, c.amount}, []string{told.Payment.State, told.Payment.Amount + " " + told.Payment.Currency})
			after := p.inquire(t, "r1")
			require.Equal(t, before.Version+1, told.Version)
			before.Version = after.Version
			require.Equal(t, before, after)
		})
	}
}

func TestAnUnknownReferenceIsTold(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	p.notify(t, "nobody", `{"event":"paid"}`)
	p.notify(t, "nobody", `{"event":"refunded","amount":"7","currency":"JPY"}`)
	got := p.shop.received()
	require.Equal(t, []string{"/confirm", "nobody", "shop", "1.00", "EUR", "approved"},
		[]string{got[0].Path, got[0].Payment.Reference, got[0].Payment.Account, got[0].Payment.Amount, got[0].Payment.Currency, got[0].Payment.State})
	require.Equal(t, []string{"refund", "7", "JPY"}, []string{got[1].Operation.Operation, got[1].Operation.Amount, got[1].Operation.Currency})
	require.Empty(t, ok[[]line](t, p, "/operations", ""))
}

func TestTheShoppersButtons(t *testing.T) {
	t.Parallel()
	for button, want := range map[string][3]string{
		"pay": {"approved", "paid", ""}, "decline": {"declined", "failed", "do_not_honor"}, "cancel": {"cancelled", "cancelled", "cancelled"},
	} {
		t.Run(button, func(t *testing.T) {
			t.Parallel()
			p := newPSP(t)
			ok[object](t, p, "/v1/payments", redirectBody("r1", ""))
			got := ok[object](t, p, "/payments/r1/"+button, "{}")
			require.Equal(t, want[0], got.State)
			require.Equal(t, got, ok[object](t, p, "/payments/r1/"+button, "{}"), "the same again changes nothing")
			require.Equal(t, []string{want[1]}, p.shop.events())
			if want[2] != "" {
				require.Equal(t, want[2], got.Reason.Code)
			}
			other := map[string]string{"pay": "cancel", "decline": "pay", "cancel": "decline"}[button]
			require.Equal(t, want[0], refused(t, p, http.StatusConflict, "/payments/r1/"+other, "{}").Payment.State)
		})
	}
}

func TestPayEndsAsTheScenarioSays(t *testing.T) {
	t.Parallel()
	for scenario, want := range map[string]string{
		"lost_card": "charge 129.95 declined", "wrong_amount": "charge 129.94 approved", "pending_then_approve": "charge 129.95 pending",
		"action_required": "charge 129.95 approved",
	} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			p := newPSP(t)
			require.Equal(t, "action_required", ok[object](t, p, "/v1/payments", redirectBody("r1", scenario)).State)
			ok[object](t, p, "/payments/r1/pay", "{}")
			require.Equal(t, []string{want}, states(p.ledger(t, "r1")))
		})
	}
}

func TestAPendingPaymentCanBeDecidedByHand(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPSP(t)
		p.pay(t, "r1", `,"scenario":"pending_then_approve"`)
		require.Equal(t, "declined", ok[object](t, p, "/payments/r1/decline", "{}").State)
		time.Sleep(time.Minute)
		require.Equal(t, []string{"failed"}, p.shop.events())
		require.Equal(t, "declined", p.inquire(t, "r1").State)
	})
}

func TestOperationsAreListedOldestFirst(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	require.Empty(t, ok[[]line](t, p, "/operations", ""))
	p.pay(t, "r1", "")
	p.pay(t, "r2", "")
	ok[operated](t, p, "/v1/payments/r1/refunds", opBody("f1", "1.00", ""))
	refs := []string{}
	for _, l := range ok[[]line](t, p, "/operations", "") {
		refs = append(refs, l.Reference)
	}
	require.Equal(t, []string{"r1", "r2", "f1"}, refs)
	require.Empty(t, p.ledger(t, "r3"))
	require.Empty(t, p.ledger(t, ""))
}

func TestBadControlRequests(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	for body, code := range map[string]string{
		`{}`: "invalid_event", `{"event":"bought"}`: "invalid_event", `{"event":"paid","amount":"1e3"}`: "invalid_amount",
		`{"event":"paid","amount":"--1"}`: "invalid_amount", `{"event":"paid","amount":"1.1234567"}`: "invalid_amount",
		`{"event":"paid","currency":"EURO"}`: "invalid_currency", `{"event":"paid","currency":"E1R"}`: "invalid_currency",
		`{"event":"paid","times":0}`: "invalid_times", `{"event":"paid","times":201}`: "invalid_times",
		`{"event":"paid","delay_ms":-1}`: "invalid_delay_ms", `{"event":"paid","delay_ms":3600001}`: "invalid_delay_ms",
		`{"event":"paid","signature":"forged"}`: "invalid_signature", `{"event":"paid","event_id":"a b"}`: "invalid_event_id",
	} {
		require.Equal(t, code, refused(t, p, http.StatusUnprocessableEntity, "/payments/r1/notify", body).Error.Code, body)
	}
	refused(t, p, http.StatusBadRequest, "/payments/r1/notify", `{"event":"paid","time":1}`)
	refused(t, p, http.StatusNotFound, "/payments/r1/pay", "{}")
	refused(t, p, http.StatusUnprocessableEntity, "/payments/a%2Fb/notify", `{"event":"paid"}`)
	require.Empty(t, p.shop.received())
}
