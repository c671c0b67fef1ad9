package sandbox_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/sandbox"
)

func TestAnAuthorizationIsIncreased(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	p.authorize(t, "r1", "100.00")
	got := ok[operated](t, p, "/v1/payments/r1/increases", opBody("i1", "50.00", ""))
	require.Equal(t, []string{"increase", "50.00", "approved", "150.00", "100.00"},
		[]string{got.Operation.Operation, got.Operation.Amount, got.Operation.State, got.Payment.Authorized, got.Payment.Amount})
	require.Equal(t, "150.00", ok[operated](t, p, "/v1/payments/r1/captures", opBody("c1", "150.00", "")).Payment.Captured)
	require.Equal(t, "not_allowed", refused(t, p, http.StatusConflict, "/v1/payments/r1/increases", opBody("i2", "1.00", "")).Error.Code,
		"nothing is reserved any more")
	require.Equal(t, []string{"authorize 100.00 approved", "increase 50.00 approved", "capture 150.00 approved"}, states(p.ledger(t, "r1")))

	p.authorize(t, "r2", "100.00")
	require.Equal(t, "300.00", ok[operated](t, p, "/v1/payments/r2/increases", opBody("i6", "200.00", "")).Payment.Authorized, "without a bound")
	ok[operated](t, p, "/v1/payments/r2/captures", opBody("c6", "200.00", ""))
	ok[operated](t, p, "/v1/payments/r2/increases", opBody("i3", "50.00", `,"scenario":"decline"`))
	require.Equal(t, "300.00", p.inquire(t, "r2").Authorized)

	p.authorize(t, "r3", "100.00")
	ok[operated](t, p, "/v1/payments/r3/increases", opBody("i4", "50.00", ""))
	require.Equal(t, "approved", ok[operated](t, p, "/v1/payments/r3/voids", opBody("v1", "100.00", "")).Payment.State)
	require.Equal(t, "voided", ok[operated](t, p, "/v1/payments/r3/voids", opBody("v2", "50.00", "")).Payment.State)

	p.pay(t, "sale", "")
	refused(t, p, http.StatusConflict, "/v1/payments/sale/increases", opBody("i5", "1.00", ""))
}

func TestAFinalCaptureReleasesTheRest(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	p.authorize(t, "r1", "100.00")
	got := ok[operated](t, p, "/v1/payments/r1/captures", opBody("c1", "60.00", `,"final":true`))
	require.Equal(t, []string{"capture", "60.00", "40.00"}, []string{got.Operation.Operation, got.Payment.Captured, got.Payment.Voided})
	release := got.Payment.Operations[2]
	require.Equal(t, []string{"void", "40.00", "approved", "c1"}, []string{release.Operation, release.Amount, release.State, release.Parent})
	require.Equal(t, release.ID, release.Reference)
	require.Equal(t, got, ok[operated](t, p, "/v1/payments/r1/captures", opBody("c1", "60.00", `,"final":true`)), "once")
	require.Equal(t, "reference_conflict", refused(t, p, http.StatusConflict, "/v1/payments/r1/captures", opBody("c1", "60.00", "")).Error.Code)

	p.authorize(t, "r2", "100.00")
	require.Len(t, ok[operated](t, p, "/v1/payments/r2/captures", opBody("c2", "100.00", `,"final":true`)).Payment.Operations, 2, "nothing is left")
	require.Len(t, ok[operated](t, p, "/v1/payments/r2/refunds", opBody("f2", "1.00", "")).Payment.Operations, 3)
	require.Equal(t, "invalid_final", refused(t, p, http.StatusUnprocessableEntity, "/v1/payments/r2/refunds",
		opBody("f3", "1.00", `,"final":true`)).Error.Code)
}

func TestAFinalCaptureThatIsPendingReleasesOnceItIsApproved(t *testing.T) {
	t.Parallel()
	for scenario, voided := range map[string]string{"pending_then_approve": "40.00", "pending_then_decline": "0.00", "decline": "0.00"} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPSP(t)
				p.authorize(t, "r1", "100.00")
				got := ok[operated](t, p, "/v1/payments/r1/captures", opBody("c1", "60.00", `,"final":true,"scenario":"`+scenario+`"`))
				require.Equal(t, "0.00", got.Payment.Voided)
				time.Sleep(time.Minute)
				require.Equal(t, voided, p.inquire(t, "r1").Voided)
			})
		})
	}
}

func TestOneOperationIsShownByItsReference(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	p.authorize(t, "r1", "100.00")
	p.authorize(t, "r2", "100.00")
	made := ok[operated](t, p, "/v1/payments/r1/captures", opBody("c1", "60.00", ""))
	require.Equal(t, made, ok[operated](t, p, "/v1/payments/r1/operations/c1", ""))
	for _, path := range []string{"r2/operations/c1", "r1/operations/c2", "r1/operations/r1", "r3/operations/c1"} {
		require.Equal(t, "not_found", refused(t, p, http.StatusNotFound, "/v1/payments/"+path, "").Error.Code, path)
	}
	status, _, err := p.as(t, otherKey, "/v1/payments/r1/operations/c1", "")
	require.NoError(t, err)
	require.Equal(t, http.StatusNotFound, status, "another account's")
}

func TestWhatWasDoneBeforeIsRefusedAndBooked(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	p.authorize(t, "r1", "100.00")
	got := refused(t, p, http.StatusConflict, "/v1/payments/r1/captures", opBody("c1", "100.00", `,"scenario":"already_done"`))
	require.Equal(t, []string{"not_allowed", "100.00"}, []string{got.Error.Code, got.Payment.Captured})
	require.Equal(t, "approved", ok[operated](t, p, "/v1/payments/r1/operations/c1", "").Operation.State)
	require.Equal(t, "unknown_scenario", refused(t, p, http.StatusUnprocessableEntity, "/v1/payments",
		payBody("r2", `,"scenario":"already_done"`)).Error.Code, "a payment is the first of its kind")
}

func TestAnAuthorizationSaysHowLongItIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPSP(t, func(c *sandbox.Config) { c.AuthorizationLife = time.Hour })
		require.True(t, time.Now().Add(time.Hour).Equal(p.authorize(t, "r1", "100.00").CaptureBefore))
		require.Zero(t, p.pay(t, "r2", "").CaptureBefore)
		require.Zero(t, ok[object](t, p, "/v1/payments",
			`{"reference":"r3","amount":"1.00","currency":"EUR","capture":false,"scenario":"decline"}`).CaptureBefore)
	})
}
