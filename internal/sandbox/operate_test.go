package sandbox_test

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func opBody(reference, amount, extra string) string {
	return fmt.Sprintf(`{"reference":%q,"amount":%q,"currency":"EUR"%s}`, reference, amount, extra)
}

func (p *psp) authorize(t *testing.T, reference, amount string) object {
	t.Helper()
	return ok[object](t, p, "/v1/payments", fmt.Sprintf(`{"reference":%q,"amount":%q,"currency":"EUR","capture":false}`, reference, amount))
}

func TestCaptureRefundAndVoid(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	p.authorize(t, "r1", "100.00")
	got := ok[operated](t, p, "/v1/payments/r1/captures", opBody("c1", "60.00", ""))
	require.Equal(t, []string{"capture", "c1", "60.00", "EUR", "approved"},
		[]string{got.Operation.Operation, got.Operation.Reference, got.Operation.Amount, got.Operation.Currency, got.Operation.State})
	require.Equal(t, "60.00", got.Payment.Captured)
	got = ok[operated](t, p, "/v1/payments/r1/refunds", opBody("f1", "10.00", ""))
	require.Equal(t, "10.00", got.Payment.Refunded)
	got = ok[operated](t, p, "/v1/payments/r1/voids", `{"reference":"v1","currency":"EUR"}`)
	require.Equal(t, []string{"40.00", "40.00", "approved"}, []string{got.Operation.Amount, got.Payment.Voided, got.Payment.State})
	kinds := []string{}
	for _, l := range p.ledger(t, "r1") {
		kinds = append(kinds, l.Operation+" "+l.Amount)
	}
	require.Equal(t, []string{"authorize 100.00", "capture 60.00", "refund 10.00", "void 40.00"}, kinds)
	require.Len(t, p.ledger(t, "c1"), 1, "an operation is found by its own reference")
}

func TestAVoidedAuthorizationSaysSo(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	p.authorize(t, "r1", "100.00")
	require.Equal(t, "voided", ok[operated](t, p, "/v1/payments/r1/voids", opBody("v1", "100.00", "")).Payment.State)
	require.Equal(t, "not_allowed", refused(t, p, http.StatusConflict, "/v1/payments/r1/captures", opBody("c1", "1.00", "")).Error.Code)
}

func TestMoneyRules(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	p.authorize(t, "r1", "100.00")
	p.pay(t, "paid", "")
	p.pay(t, "declined", `,"scenario":"decline"`)
	const base = "/v1/payments/"
	exceeds := refused(t, p, http.StatusUnprocessableEntity, base+"r1/captures", opBody("x", "100.01", ""))
	require.Equal(t, []string{"amount_exceeds", "100.00"}, []string{exceeds.Error.Code, exceeds.Error.MaxAmount})
	require.Equal(t, "0.00", exceeds.Payment.Captured)
	require.Equal(t, "not_allowed", refused(t, p, http.StatusConflict, base+"r1/refunds", opBody("x", "1.00", "")).Error.Code)
	require.Equal(t, "not_allowed", refused(t, p, http.StatusConflict, base+"paid/voids", opBody("x", "1.00", "")).Error.Code)
	require.Equal(t, "not_allowed", refused(t, p, http.StatusConflict, base+"declined/refunds", opBody("x", "1.00", "")).Error.Code)
	require.Equal(t, "129.95", refused(t, p, http.StatusUnprocessableEntity, base+"paid/refunds", opBody("x", "129.96", "")).Error.MaxAmount)
	require.Equal(t, "currency_mismatch", refused(t, p, http.StatusUnprocessableEntity, base+"paid/refunds",
		`{"reference":"x","amount":"1.00","currency":"USD"}`).Error.Code)
	require.Equal(t, "invalid_amount", refused(t, p, http.StatusUnprocessableEntity, base+"paid/refunds", opBody("x", "", "")).Error.Code)
	require.Equal(t, "unknown_scenario", refused(t, p, http.StatusUnprocessableEntity, base+"paid/refunds",
		opBody("x", "1.00", `,"scenario":"action_required"`)).Error.Code)
	refused(t, p, http.StatusNotFound, base+"nobody/refunds", opBody("x", "1.00", ""))
	require.Empty(t, p.ledger(t, "x"), "a refused request books nothing")
}

func TestARepeatedOperationIsTheSameOperation(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	p.pay(t, "r1", "")
	p.pay(t, "r2", "")
	var wg sync.WaitGroup
	ids := make([]string, 20)
	for i := range ids {
		wg.Go(func() {
			ids[i] = ok[operated](t, p, "/v1/payments/r1/refunds", opBody("f1", "50.00", "")).Operation.ID
		})
	}
	wg.Wait()
	for _, id := range ids {
		require.Equal(t, ids[0], id)
	}
	require.Equal(t, "50.00", p.inquire(t, "r1").Refunded)
	for path, body := range map[string]string{
		"/v1/payments/r1/refunds": opBody("f1", "50.01", ""),
		"/v1/payments/r2/refunds": opBody("f1", "50.00", ""),
		"/v1/payments":            payBody("f1", ""),
	} {
		require.Equal(t, "reference_conflict", refused(t, p, http.StatusConflict, path, body).Error.Code)
	}
	require.Equal(t, "reference_conflict", refused(t, p, http.StatusConflict, "/v1/payments/r1/refunds", opBody("r1", "1.00", "")).Error.Code)
}

func TestScenariosOfARefund(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ scenario, state, amount, currency string }{
		{"decline", "declined", "50.00", "EUR"}, {"lost_card", "declined", "50.00", "EUR"},
		{"pending_then_approve", "pending", "50.00", "EUR"}, {"wrong_amount", "approved", "49.99", "EUR"},
		{"wrong_currency", "approved", "50.00", "USD"}, {"slow", "approved", "50.00", "EUR"},
	} {
		t.Run(c.scenario, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPSP(t)
				p.pay(t, "r1", "")
				got := ok[operated](t, p, "/v1/payments/r1/refunds", opBody("f1", "50.00", `,"scenario":"`+c.scenario+`"`))
				require.Equal(t, []string{c.state, c.amount, c.currency}, []string{got.Operation.State, got.Operation.Amount, got.Operation.Currency})
				require.Equal(t, c.state == "declined", got.Operation.Reason != nil)
				require.Equal(t, "approved", got.Payment.State, "a refund does not undo the payment")
				require.Equal(t, c.state, p.ledger(t, "f1")[0].State)
			})
		})
	}
}

func TestRefundsThatAnswerBadlyAreBooked(t *testing.T) {
	t.Parallel()
	for scenario, status := range map[string]int{"error_after_charge": 500, "html_502_after_charge": 502, "garbage": 200, "no_echo": 200} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			p := newPSP(t)
			p.pay(t, "r1", "")
			got, body := p.do(t, "/v1/payments/r1/refunds", opBody("f1", "50.00", `,"scenario":"`+scenario+`"`))
			require.Equal(t, status, got)
			after := p.inquire(t, "r1")
			require.Equal(t, "50.00", after.Refunded)
			if scenario == "no_echo" {
				require.JSONEq(t, `{"operation":{"id":"`+after.Operations[1].ID+`","state":"approved"}}`, string(body))
			}
		})
	}
}

func TestAPendingRefundHoldsItsMoney(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPSP(t)
		p.pay(t, "r1", "")
		ok[operated](t, p, "/v1/payments/r1/refunds", opBody("f1", "100.00", `,"scenario":"pending_then_decline"`))
		require.Equal(t, "29.95", refused(t, p, http.StatusUnprocessableEntity, "/v1/payments/r1/refunds", opBody("f2", "30.00", "")).Error.MaxAmount)
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		got := p.shop.received()
		require.Len(t, got, 1)
		require.Equal(t, []string{"failed", "refund", "f1", "declined"},
			[]string{got[0].Event, got[0].Operation.Operation, got[0].Operation.Reference, got[0].Operation.State})
		require.Equal(t, "approved", got[0].Payment.State)
		ok[operated](t, p, "/v1/payments/r1/refunds", opBody("f2", "129.95", ""))
	})
}

func TestARefundThatTimesOut(t *testing.T) {
	t.Parallel()
	for scenario, refunded := range map[string]string{"timeout_after_charge": "50.00", "timeout_no_charge": "0.00"} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPSP(t)
				p.pay(t, "r1", "")
				_, _, err := p.as(t, shopKey, "/v1/payments/r1/refunds", opBody("f1", "50.00", `,"scenario":"`+scenario+`"`))
				require.Error(t, err)
				require.Equal(t, refunded, p.inquire(t, "r1").Refunded)
			})
		})
	}
}

// Whatever is asked for, in whatever order: 0 <= refunded <= captured and
// captured + voided <= authorized.
func TestTheLedgerNeverOverdraws(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	var payments atomic.Int64
	rapid.Check(t, func(rt *rapid.T) {
		ref := "p" + strconv.FormatInt(payments.Add(1), 10)
		p.authorize(t, ref, "10.00")
		for i, kind := range rapid.SliceOfN(rapid.SampledFrom([]string{"captures", "refunds", "voids"}), 1, 12).Draw(rt, "kinds") {
			cents := rapid.Int64Range(1, 1100).Draw(rt, "cents")
			p.do(t, "/v1/payments/"+ref+"/"+kind, opBody(fmt.Sprintf("%s-%d", ref, i), decimal.New(cents, -2).StringFixed(2), ""))
			got := p.inquire(t, ref)
			captured, refunded, voided := amount(t, got.Captured), amount(t, got.Refunded), amount(t, got.Voided)
			require.True(rt, refunded.LessThanOrEqual(captured))
			require.True(rt, captured.Add(voided).LessThanOrEqual(amount(t, "10.00")))
		}
	})
}

func amount(t *testing.T, s string) decimal.Decimal {
	t.Helper()
	d, err := decimal.NewFromString(s)
	require.NoError(t, err)
	require.False(t, d.IsNegative())
	return d
}
