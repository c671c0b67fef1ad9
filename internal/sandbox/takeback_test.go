package sandbox_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatWasApprovedIsTakenBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, before, event string
		told                string // operation, amount, state and reason
		refunded            string
	}{
		{"refund", `{"event":"refunded","amount":"9.95"}`, `{"event":"refund_reversed"}`, "refund 9.95 reversed refund_reversed", "0.00"},
		{"refund that fails", `{"event":"refunded","amount":"9.95"}`, `{"event":"refund_failed","amount":"9.95"}`, "refund 9.95 reversed refund_failed", "0.00"},
		{"chargeback", `{"event":"chargeback"}`, `{"event":"chargeback_reversed"}`, "chargeback 129.95 reversed chargeback_reversed", "0.00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPSP(t)
			p.pay(t, "r1", "")
			p.notify(t, "r1", c.before)
			got := p.notify(t, "r1", c.event)
			require.Equal(t, 200, got.Deliveries[0].Status)
			told := p.shop.received()[1]
			require.Equal(t, c.told, told.Operation.Operation+" "+told.Operation.Amount+" "+told.Operation.State+" "+told.Operation.Reason.Code)
			require.Equal(t, p.shop.received()[0].Operation.ID, told.Operation.ID, "it is the same operation")
			now := p.inquire(t, "r1")
			require.Equal(t, now, told.Payment)
			require.Equal(t, []string{c.refunded, "0.00"}, []string{now.Refunded, now.ChargedBack})
			ok[operated](t, p, "/v1/payments/r1/refunds", opBody("f1", "129.95", ""))
		})
	}
}

func TestARefundOfTheMerchantIsTakenBackByItsReference(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	p.pay(t, "r1", "")
	ok[operated](t, p, "/v1/payments/r1/refunds", opBody("f1", "10.00", ""))
	ok[operated](t, p, "/v1/payments/r1/refunds", opBody("f2", "20.00", ""))
	p.notify(t, "r1", `{"event":"refund_reversed","operation":"f1"}`)
	require.Equal(t, []string{"charge 129.95 approved", "refund 10.00 reversed", "refund 20.00 approved"}, states(p.ledger(t, "r1")))
	p.notify(t, "r1", `{"event":"refund_reversed"}`)
	require.Equal(t, "0.00", p.inquire(t, "r1").Refunded)
	require.Equal(t, "f2", p.shop.received()[1].Operation.Reference, "the last one, where none is named")
}

func TestAPendingRefundThatFailsIsDeclined(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	p.pay(t, "r1", "")
	ok[operated](t, p, "/v1/payments/r1/refunds", opBody("f1", "10.00", `,"scenario":"pending_then_approve"`))
	p.notify(t, "r1", `{"event":"refund_failed"}`)
	require.Equal(t, "refund 10.00 declined", states(p.ledger(t, "f1"))[0])
	require.Equal(t, []string{"refund_failed", "declined"}, []string{p.shop.received()[0].Event, p.shop.received()[0].Operation.State})
}

func TestTakingBackWhatNeverWasIsALie(t *testing.T) {
	t.Parallel()
	for name, event := range map[string]string{
		"no chargeback": `{"event":"chargeback_reversed"}`, "another amount": `{"event":"refund_reversed","amount":"9.99"}`,
		"another currency": `{"event":"refund_reversed","currency":"USD"}`, "another operation": `{"event":"refund_failed","operation":"f2"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPSP(t)
			p.pay(t, "r1", "")
			ok[operated](t, p, "/v1/payments/r1/refunds", opBody("f1", "10.00", ""))
			before := p.inquire(t, "r1")
			p.notify(t, "r1", event)
			require.Equal(t, "reversed", p.shop.received()[0].Operation.State)
			after := p.inquire(t, "r1")
			before.Version = after.Version
			require.Equal(t, before, after)
		})
	}
}

func TestWhatIsLeftOfAnAuthorizationExpires(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	p.authorize(t, "r1", "100.00")
	ok[operated](t, p, "/v1/payments/r1/captures", opBody("c1", "60.00", ""))
	p.notify(t, "r1", `{"event":"expired"}`)
	require.Equal(t, []string{"authorize 100.00 approved", "capture 60.00 approved", "void 40.00 approved"}, states(p.ledger(t, "r1")))
	told := p.shop.received()[0]
	require.Equal(t, []string{"expired", "void", "40.00", "expired", "approved"}, []string{
		told.Event, told.Operation.Operation, told.Operation.Amount, told.Operation.Reason.Code, told.Payment.State,
	})
	refused(t, p, http.StatusConflict, "/v1/payments/r1/captures", opBody("c2", "1.00", ""))

	p.authorize(t, "r2", "100.00")
	p.notify(t, "r2", `{"event":"expired"}`)
	require.Equal(t, "voided", p.inquire(t, "r2").State)
	p.notify(t, "r2", `{"event":"expired"}`)
	require.Equal(t, "voided", p.inquire(t, "r2").State, "a second time it is a lie")
}

func TestOnlyWhatTakesBackNamesAnOperation(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	p.pay(t, "r1", "")
	for _, body := range []string{`{"event":"paid","operation":"f1"}`, `{"event":"refund_reversed","operation":"a b"}`} {
		require.Equal(t, "invalid_operation", refused(t, p, http.StatusUnprocessableEntity, "/payments/r1/notify", body).Error.Code)
	}
}
