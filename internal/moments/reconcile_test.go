package moments_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

// night lets the time come at which accounts are compared, and returns the leased
// comparison of the sandbox account.
func (b *bundle) night() payment.Comparison {
	b.t.Helper()
	for a, due := range b.Listed() {
		require.NoError(b.t, b.store.NewComparison(b.t.Context(), a.Store, a.Account, b.clock.now(), due))
	}
	b.clock.advance(24 * time.Hour)
	return b.lease()
}

// lease leases the comparison that is due.
func (b *bundle) lease() payment.Comparison {
	b.t.Helper()
	due, err := b.store.DueComparisons(b.t.Context(), b.clock.now(), b.clock.now().Add(time.Minute), 10)
	require.NoError(b.t, err)
	require.Len(b.t, due, 1)
	return due[0]
}

// compare does all of a night, page by page.
func (b *bundle) compare(c payment.Comparison) {
	b.t.Helper()
	for {
		more, err := b.Reconcile(b.t.Context(), c)
		require.NoError(b.t, err)
		if !more {
			return
		}
		c = b.lease()
	}
}

// again compares the last two days by hand.
func (b *bundle) again() payment.Tally {
	b.t.Helper()
	now := b.clock.now()
	tally, err := b.ReconcileNow(b.t.Context(), "demo", "sandbox", now.Add(-48*time.Hour), now)
	require.NoError(b.t, err)
	return tally
}

// merchant sends a request to the PSP around the service.
func (b *bundle) merchant(method, path, body string) {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer api-key")
	r.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	b.psp.ServeHTTP(recorder, r)
	require.Equal(b.t, http.StatusOK, recorder.Code, recorder.Body.String())
}

// differences are the open cases of a difference, whichever order they are about.
func (b *bundle) differences() []payment.Case {
	b.t.Helper()
	cases, _, err := b.store.ListCases(b.t.Context(), "demo", "open", payment.CaseReconciliation, payment.Page{Limit: 100})
	require.NoError(b.t, err)
	return cases
}

// paged makes the PSP list two operations a page.
func (b *bundle) paged() {
	psp := b.psp
	b.psp = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if query := r.URL.Query(); query.Has("limit") {
			query.Set("limit", "2")
			r.URL.RawQuery = query.Encode()
		}
		psp.ServeHTTP(w, r)
	})
}

func TestBooksThatAgreeAreLeftAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.paged()
	c := b.night()
	paid, reserved := b.order(), b.reserve()
	_, err := b.pay(paid, "card", "")
	require.NoError(t, err)
	_, err = b.pay(b.order(), "card", "decline")
	require.NoError(t, err)
	for o, action := range map[*payment.Order]payment.Action{paid: payment.ActRefund, reserved: payment.ActCapture} {
		_, err := b.Operate(t.Context(), b.operation(b.read(o), action, "29.95"))
		require.NoError(t, err)
	}
	sequences := []int{b.read(paid).Sequence, b.read(reserved).Sequence}
	var asked []string
	psp := b.psp
	b.psp = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !r.URL.Query().Has("limit") {
			asked = append(asked, r.URL.Path)
		}
		psp.ServeHTTP(w, r)
	})
	b.compare(c)
	b.compare(b.night())
	require.Empty(t, asked, "of what the PSP lists nobody asks it once more")
	require.Equal(t, sequences, []int{b.read(paid).Sequence, b.read(reserved).Sequence}, "nothing happened to the orders")
	require.Empty(t, b.differences())
	require.Equal(t, payment.Tally{Listed: 4}, b.again())
}

func TestWhatThePSPHasAndTheBooksDoNotIsACaseOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.night()
	b.merchant(http.MethodPost, "/sandbox/v1/payments", `{"reference":"ABCDEFGHJKMNPQRSTVWX","amount":"12.00","currency":"EUR","capture":true}`)
	b.merchant(http.MethodPost, "/sandbox/v1/payments", `{"reference":"till-7","amount":"7.50","currency":"EUR","capture":true}`)
	b.compare(c)
	b.compare(b.night())
	found := b.differences()
	require.Len(t, found, 2, "under a reference that looks like ours, and without")
	require.Zero(t, found[0].Order)
	amounts := []string{found[0].Amount.String(), found[1].Amount.String()}
	require.ElementsMatch(t, []string{"12.00", "7.50"}, amounts)
	require.Contains(t, found[0].Subject, "sandbox/")

	require.Equal(t, payment.Tally{Listed: 2, Orphans: 2}, b.again())
	require.Len(t, b.differences(), 2, "the same cases")
}

func TestWhatThePSPHasDifferentlyIsRecorded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.night()
	lost, refunded, wrong := b.order(), b.order(), b.order()
	_, err := b.pay(lost, "card", "timeout_after_charge")
	require.NoError(t, err)
	_, err = b.pay(refunded, "card", "")
	require.NoError(t, err)
	_, err = b.pay(wrong, "card", "timeout_after_charge")
	require.NoError(t, err)
	b.deaf.Store(true)
	b.control(http.MethodPost, "/sandbox/payments/"+b.reference(refunded)+"/notify", `{"event":"refunded","amount":"29.95","currency":"EUR"}`)
	psp := b.psp
	b.psp = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // which lists another amount of one
		recorder := httptest.NewRecorder()
		psp.ServeHTTP(recorder, r)
		body := recorder.Body.Bytes()
		if i := bytes.Index(body, []byte(b.reference(wrong))); i >= 0 && r.URL.Query().Has("limit") {
			amount := i + bytes.Index(body[i:], []byte("129.95"))
			copy(body[amount:], "119.95")
		}
		w.WriteHeader(recorder.Code)
		_, _ = w.Write(body)
	})
	b.compare(c)
	b.compare(b.night())
	require.Equal(t, payment.StatusPaid, b.read(lost).PaymentStatus())
	require.Equal(t, payment.OrderProcessing, b.read(lost).Saved.Status, "confirm decided")
	require.Equal(t, payment.StatusPartiallyRefunded, b.read(refunded).PaymentStatus())
	require.Equal(t, payment.StatusPending, b.read(wrong).PaymentStatus())
	require.Equal(t, []payment.CaseKind{payment.CaseAmountMismatch}, b.openCases(wrong))
	require.Empty(t, b.differences())

	sequence := b.read(refunded).Sequence
	require.Zero(t, b.again().Recorded, "again changes nothing")
	require.Equal(t, sequence, b.read(refunded).Sequence)
}

// forgetful is a PSP that lists nothing and knows no payment.
func forgetful(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Has("limit") {
		_, _ = w.Write([]byte(`{"data":[],"next_cursor":null}`))
		return
	}
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte(`{"error":{"code":"not_found","message":"No such payment."}}`))
}

func TestWhatTheBooksHaveAndThePSPDoesNotIsACaseOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.night()
	o := b.order()
	_, err := b.pay(o, "card", "")
	require.NoError(t, err)
	b.compare(c)
	b.psp = http.HandlerFunc(forgetful)
	b.compare(b.night())
	found := b.differences()
	require.Len(t, found, 1)
	require.Equal(t, o.ID, found[0].Order)
	require.Equal(t, b.id(o).N, found[0].Transaction)
	require.Equal(t, "129.95", found[0].Amount.String())
	require.Equal(t, payment.StatusPaid, b.read(o).PaymentStatus(), "what the books say stays")
	require.Equal(t, payment.Tally{Missing: 1}, b.again())
	require.Len(t, b.differences(), 1)
}

func TestWhatThePSPListedAtAnotherTimeIsNotMissing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.night()
	o := b.order()
	_, err := b.pay(o, "card", "")
	require.NoError(t, err)
	b.compare(c)
	psp := b.psp
	b.psp = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("limit") {
			forgetful(w, r)
			return
		}
		psp.ServeHTTP(w, r) // it knows the payment when it is asked
	})
	b.compare(b.night())
	require.Empty(t, b.differences())
}

// unsaved loses how far a comparison is, at one of its pages, as a crash does.
type unsaved struct {
	moments.Comparisons
	pages, dies int
}

var errCrashed = errors.New("the instance died")

func (u *unsaved) SaveComparison(ctx context.Context, c payment.Comparison, due time.Time) (bool, error) {
	if u.pages++; u.pages == u.dies {
		return false, errCrashed
	}
	return u.Comparisons.SaveComparison(ctx, c, due)
}

func TestAComparisonGoesOnAfterACrashAtAnyPage(t *testing.T) {
	t.Parallel()
	for dies := 1; dies <= 3; dies++ { // two pages of the list, and the reverse
		b := setup(t)
		b.paged()
		c := b.night()
		b.compare(c)
		lost := b.order()
		_, err := b.pay(lost, "card", "timeout_after_charge")
		require.NoError(t, err)
		for range 3 {
			_, err := b.pay(b.order(), "card", "")
			require.NoError(t, err)
		}
		c = b.night()
		b.Comparisons = &unsaved{Comparisons: b.store, dies: dies}
		for err == nil {
			var more bool
			if more, err = b.Reconcile(t.Context(), c); err == nil {
				require.True(t, more, "it died before the end")
				c = b.lease()
			}
		}
		require.ErrorIs(t, err, errCrashed)
		b.clock.advance(time.Minute) // the lease is over
		b.compare(b.lease())
		require.Equal(t, payment.StatusPaid, b.read(lost).PaymentStatus())
		require.Empty(t, b.differences(), "page %d", dies)
	}
}

func TestOfTwoInstancesOneGoesOn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	stale := b.night()
	b.clock.advance(time.Minute + time.Second)
	c := b.lease() // the first hangs
	more, err := b.Reconcile(t.Context(), c)
	require.NoError(t, err)
	require.True(t, more)
	more, err = b.Reconcile(t.Context(), stale)
	require.NoError(t, err)
	require.False(t, more, "it has lost the lease")
	b.compare(b.lease())
}

func TestAPSPThatIsDownIsAskedAgainSoon(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.night()
	psp := b.psp
	b.down()
	_, err := b.Reconcile(t.Context(), c)
	require.Error(t, err)
	b.clock.advance(10 * time.Minute)
	b.psp = psp
	b.compare(b.lease())
	_, err = b.ReconcileNow(t.Context(), "demo", "zero", b.clock.now(), b.clock.now())
	require.ErrorIs(t, err, moments.ErrNotListed)
}
