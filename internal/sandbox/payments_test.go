package sandbox_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/sandbox"
)

func TestAnApprovedChargeIsInTheLedger(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	got := p.pay(t, "r1", "")
	require.Equal(t, "approved", got.State)
	require.Equal(t, "charge", got.Operation)
	require.Equal(t, []string{"129.95", "EUR", "129.95", "0.00", "0.00", "0.00"},
		[]string{got.Amount, got.Currency, got.Captured, got.Refunded, got.Voided, got.ChargedBack})
	require.Equal(t, []string{"r1", "shop", "test"}, []string{got.Reference, got.Account, got.Mode})
	require.Nil(t, got.Reason)
	require.Equal(t, got, p.inquire(t, "r1"))
	lines := p.ledger(t, "r1")
	require.Len(t, lines, 1)
	require.WithinDuration(t, time.Now(), lines[0].At, time.Minute)
	lines[0].At = time.Time{}
	require.Equal(t, line{Operation: "charge", Reference: "r1", Amount: "129.95", Currency: "EUR", State: "approved"}, lines[0])
	require.Empty(t, p.shop.received(), "the answer itself told the outcome")
}

func TestAnAuthorizationCapturesNothing(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	got := ok[object](t, p, "/v1/payments", `{"reference":"r1","amount":"10","currency":"EUR","capture":false}`)
	require.Equal(t, []string{"authorize", "approved", "10.00", "0.00"}, []string{got.Operation, got.State, got.Amount, got.Captured})
}

func TestScenariosThatAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ scenario, state, code, decline, amount, currency string }{
		{"approve", "approved", "", "", "129.95", "EUR"},
		{"decline", "declined", "do_not_honor", "soft", "129.95", "EUR"},
		{"insufficient_funds", "declined", "insufficient_funds", "soft", "129.95", "EUR"},
		{"lost_card", "declined", "lost_card", "hard", "129.95", "EUR"},
		{"action_required", "action_required", "", "", "129.95", "EUR"},
		{"pending_then_approve", "pending", "", "", "129.95", "EUR"},
		{"wrong_amount", "approved", "", "", "129.94", "EUR"},
		{"wrong_currency", "approved", "", "", "129.95", "USD"},
	} {
		t.Run(c.scenario, func(t *testing.T) {
			t.Parallel()
			p := newPSP(t)
			got := p.pay(t, "r1", `,"scenario":"`+c.scenario+`"`)
			require.Equal(t, []string{c.state, c.amount, c.currency}, []string{got.State, got.Amount, got.Currency})
			if c.code == "" {
				require.Nil(t, got.Reason)
			} else {
				require.Equal(t, []string{c.code, c.decline}, []string{got.Reason.Code, got.Reason.Decline})
			}
			require.Equal(t, c.state == "action_required", got.RedirectURL != "")
			require.Equal(t, got, p.inquire(t, "r1"))
			lines := p.ledger(t, "r1")
			require.Len(t, lines, 1)
			require.Equal(t, []string{c.state, c.amount, c.currency}, []string{lines[0].State, lines[0].Amount, lines[0].Currency})
		})
	}
}

func TestScenariosThatBookButAnswerBadly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		scenario string
		status   int
		body     string
	}{
		{"error_after_charge", 500, `"code":"internal_error"`},
		{"html_502_after_charge", 502, "<html>"},
		{"garbage", 200, "not JSON"},
	} {
		t.Run(c.scenario, func(t *testing.T) {
			t.Parallel()
			p := newPSP(t)
			status, body := p.do(t, "/v1/payments", payBody("r1", `,"scenario":"`+c.scenario+`"`))
			require.Equal(t, c.status, status)
			require.Contains(t, string(body), c.body)
			require.Equal(t, "approved", p.inquire(t, "r1").State)
			require.Equal(t, "approved", p.ledger(t, "r1")[0].State)
		})
	}
}

func TestAnAnswerWithoutEcho(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	status, body := p.do(t, "/v1/payments", payBody("r1", `,"scenario":"no_echo"`))
	require.Equal(t, http.StatusOK, status)
	full := p.inquire(t, "r1")
	require.JSONEq(t, `{"id":"`+full.ID+`","state":"approved"}`, string(body))
	require.Equal(t, "129.95", full.Amount)
}

func TestTimeoutsKeepSilentUntilTheClientLeaves(t *testing.T) {
	t.Parallel()
	for scenario, booked := range map[string]int{"timeout_after_charge": 1, "timeout_no_charge": 0} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPSP(t)
				ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
				defer cancel()
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://psp.test/sandbox/v1/payments",
					strings.NewReader(payBody("r1", `,"scenario":"`+scenario+`"`)))
				require.NoError(t, err)
				req.Header.Set("Authorization", "Bearer "+shopKey)
				began := time.Now()
				_, err = p.client.Do(req)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Equal(t, 15*time.Second, time.Since(began))
				require.Len(t, p.ledger(t, "r1"), booked)
			})
		})
	}
}

func TestSilenceIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPSP(t)
		began := time.Now()
		_, _, err := p.as(t, shopKey, "/v1/payments", payBody("r1", `,"scenario":"timeout_after_charge"`))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.Equal(t, time.Minute, time.Since(began))
	})
}

func TestSilenceEndsWhenTheClientLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPSP(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		req := httptest.NewRequestWithContext(ctx, http.MethodPost, "/sandbox/v1/payments",
			strings.NewReader(payBody("r1", `,"scenario":"timeout_no_charge"`)))
		req.Header.Set("Authorization", "Bearer "+shopKey)
		began := time.Now()
		require.PanicsWithValue(t, http.ErrAbortHandler, func() { p.sim.Handler().ServeHTTP(httptest.NewRecorder(), req) })
		require.Equal(t, time.Second, time.Since(began))
	})
}

func TestClosingCutsTheSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPSP(t)
		failed := make(chan error, 1)
		go func() {
			_, _, err := p.as(t, shopKey, "/v1/payments", payBody("r1", `,"scenario":"timeout_after_charge"`))
			failed <- err
		}()
		synctest.Wait()
		began := time.Now()
		require.NoError(t, p.sim.Close())
		require.ErrorIs(t, <-failed, io.ErrUnexpectedEOF)
		require.Zero(t, time.Since(began))
		require.Equal(t, "closed", refused(t, p, http.StatusServiceUnavailable, "/v1/payments", payBody("r2", "")).Error.Code)
	})
}

func TestSlowAnswersAfterTwoSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPSP(t)
		began := time.Now()
		require.Equal(t, "approved", p.pay(t, "r1", `,"scenario":"slow"`).State)
		require.Equal(t, 2*time.Second, time.Since(began))
	})
}

func TestPendingSettlesAndNotifies(t *testing.T) {
	t.Parallel()
	for scenario, want := range map[string][2]string{
		"pending_then_approve": {"approved", "paid"}, "pending_then_decline": {"declined", "failed"},
	} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPSP(t)
				require.Equal(t, "pending", p.pay(t, "r1", `,"scenario":"`+scenario+`"`).State)
				time.Sleep(1499 * time.Millisecond)
				synctest.Wait()
				require.Equal(t, "pending", p.inquire(t, "r1").State)
				require.Empty(t, p.shop.received())
				time.Sleep(time.Millisecond)
				synctest.Wait()
				require.Equal(t, want[0], p.inquire(t, "r1").State)
				require.Equal(t, []string{want[1]}, p.shop.events())
			})
		})
	}
}

func TestARepeatedReferenceIsTheSamePayment(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	var wg sync.WaitGroup
	ids := make([]string, 20)
	for i := range ids {
		wg.Go(func() { ids[i] = p.pay(t, "r1", "").ID })
	}
	wg.Wait()
	for _, id := range ids {
		require.Equal(t, ids[0], id)
	}
	require.Len(t, p.ledger(t, "r1"), 1)
	require.Equal(t, "reference_conflict", refused(t, p, http.StatusConflict, "/v1/payments",
		`{"reference":"r1","amount":"129.96","currency":"EUR"}`).Error.Code)
	require.Equal(t, "129.95", p.inquire(t, "r1").Amount)
}

func TestARepeatIsAnsweredPlainly(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	body := payBody("r1", `,"scenario":"error_after_charge"`)
	status, _ := p.do(t, "/v1/payments", body)
	require.Equal(t, http.StatusInternalServerError, status)
	require.Equal(t, "approved", ok[object](t, p, "/v1/payments", body).State)
	require.Len(t, p.ledger(t, "r1"), 1)
}

func TestAccountsDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	p.pay(t, "r1", "")
	status, _, err := p.as(t, otherKey, "/v1/payments/r1", "")
	require.NoError(t, err)
	require.Equal(t, http.StatusNotFound, status)
	status, body, err := p.as(t, otherKey, "/v1/payments", `{"reference":"r1","amount":"1","currency":"JPY"}`)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	theirs := read[object](t, body)
	require.Equal(t, []string{"other", "live", "1"}, []string{theirs.Account, theirs.Mode, theirs.Amount})
	for _, key := range []string{"", "wrong", shopKey + "x", shopKey[1:]} {
		status, _, err = p.as(t, key, "/v1/payments/r1", "")
		require.NoError(t, err)
		require.Equal(t, http.StatusUnauthorized, status)
	}
	for _, header := range []string{"", shopKey, "Basic " + shopKey, "bearer" + shopKey} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/sandbox/v1/payments/r1", nil)
		req.Header.Set("Authorization", header)
		w := httptest.NewRecorder()
		p.sim.Handler().ServeHTTP(w, req)
		require.Equal(t, http.StatusUnauthorized, w.Code)
	}
}

func TestClosingAnUnpaidSession(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	ok[object](t, p, "/v1/payments", redirectBody("r1", ""))
	got := ok[object](t, p, "/v1/payments/r1/close", "{}")
	require.Equal(t, []string{"cancelled", "cancelled"}, []string{got.State, got.Reason.Code})
	require.Equal(t, got, ok[object](t, p, "/v1/payments/r1/close", "{}"), "closing again changes nothing")
	require.Empty(t, got.RedirectURL)

	p.pay(t, "r2", "")
	paid := refused(t, p, http.StatusConflict, "/v1/payments/r2/close", "{}")
	require.Equal(t, "already_paid", paid.Error.Code)
	require.Equal(t, "approved", paid.Payment.State)

	p.pay(t, "r3", `,"scenario":"pending_then_approve"`)
	require.Equal(t, "payment_pending", refused(t, p, http.StatusConflict, "/v1/payments/r3/close", "{}").Error.Code)
	refused(t, p, http.StatusNotFound, "/v1/payments/r4/close", "{}")
}

func TestAmountsKeepTheDigitsOfTheirCurrency(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	for currency, amounts := range map[string][2]string{"JPY": {"1000", "1000"}, "KWD": {"1.25", "1.250"}, "EUR": {"0.5", "0.50"}} {
		got := ok[object](t, p, "/v1/payments", `{"reference":"`+currency+`","amount":"`+amounts[0]+`","currency":"`+currency+`"}`)
		require.Equal(t, amounts[1], got.Amount)
	}
	got := ok[object](t, p, "/v1/payments", `{"reference":"a","amount":"0.01","currency":"USD","scenario":"wrong_amount"}`)
	require.Equal(t, "0.02", got.Amount)
	got = ok[object](t, p, "/v1/payments", `{"reference":"b","amount":"1000","currency":"JPY","scenario":"wrong_currency"}`)
	require.Equal(t, "1000.00 USD", got.Amount+" "+got.Currency)
	got = ok[object](t, p, "/v1/payments", `{"reference":"c","amount":"0.001","currency":"KWD","scenario":"wrong_currency"}`)
	require.Equal(t, "0.01 USD", got.Amount+" "+got.Currency)
	got = ok[object](t, p, "/v1/payments", `{"reference":"d","amount":"5.00","currency":"USD","scenario":"wrong_currency"}`)
	require.Equal(t, "5.00 EUR", got.Amount+" "+got.Currency)
}

func TestBadInputIsRefused(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	field := func(name, value string) string {
		fields := map[string]string{"reference": `"r1"`, "amount": `"1.00"`, "currency": `"EUR"`}
		fields[name] = value
		out := []string{}
		for k, v := range fields {
			out = append(out, `"`+k+`":`+v)
		}
		return "{" + strings.Join(out, ",") + "}"
	}
	for _, c := range []struct {
		body   string
		status int
		code   string
	}{
		{`{`, 400, "invalid_json"}, {`[]`, 400, "invalid_json"}, {field("amount", "1"), 400, "invalid_json"},
		{field("Amount", `"1"`), 400, "invalid_json"}, {field("x", "1"), 400, "invalid_json"},
		{`{"amount":"1","amount":"2"}`, 400, "invalid_json"}, {field("capture", "true") + "{}", 400, "invalid_json"},
		{field("description", "\"\xff\""), 400, "invalid_json"}, {field("description", `"`+strings.Repeat("a", 70_000)+`"`), 413, "body_too_large"},
		{field("reference", `""`), 422, "invalid_reference"}, {field("reference", `"a/b"`), 422, "invalid_reference"},
		{field("reference", `"`+strings.Repeat("a", 65)+`"`), 422, "invalid_reference"},
		{field("amount", `"0.00"`), 422, "invalid_amount"}, {field("amount", `"-1.00"`), 422, "invalid_amount"},
		{field("amount", `"+5"`), 422, "invalid_amount"}, {field("amount", `"1e3"`), 422, "invalid_amount"},
		{field("amount", `"1.001"`), 422, "invalid_amount"}, {field("amount", `"01.00"`), 422, "invalid_amount"},
		{field("amount", `"1."`), 422, "invalid_amount"}, {field("amount", `".5"`), 422, "invalid_amount"},
		{field("amount", `"１"`), 422, "invalid_amount"}, {field("amount", `"NaN"`), 422, "invalid_amount"},
		{field("amount", `"12345678901234"`), 422, "invalid_amount"}, {field("amount", `""`), 422, "invalid_amount"},
		{field("currency", `"eur"`), 422, "invalid_currency"}, {field("currency", `"EU"`), 422, "invalid_currency"},
		{field("flow", `"sideways"`), 422, "invalid_flow"}, {field("flow", `"redirect"`), 422, "invalid_success_url"},
		{field("failure_url", `"javascript:alert(1)"`), 422, "invalid_failure_url"},
		{field("success_url", `"//evil.test"`), 422, "invalid_success_url"},
		{field("notify_url", `"ftp://x.test/"`), 422, "invalid_notify_url"},
		{field("description", `"a\u0000b"`), 422, "invalid_description"},
		{field("scenario", `"refuse_before_send"`), 422, "unknown_scenario"},
	} {
		require.Equal(t, c.code, refused(t, p, c.status, "/v1/payments", c.body).Error.Code, "%.80s", c.body)
	}
	require.Empty(t, ok[[]line](t, p, "/operations", ""), "nothing was booked")
}

func TestDirectAnswersAreNotifiedOnRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPSP(t, func(c *sandbox.Config) { c.NotifyDirect = true })
		p.pay(t, "r1", `,"notify_url":"http://shop.test/elsewhere"`)
		p.pay(t, "r2", `,"scenario":"decline"`)
		synctest.Wait()
		require.ElementsMatch(t, []string{"paid", "failed"}, p.shop.events())
		for _, r := range p.shop.received() {
			require.Equal(t, map[string]string{"r1": "/elsewhere", "r2": "/confirm"}[r.Payment.Reference], r.Path)
		}
	})
}
