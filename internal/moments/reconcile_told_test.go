package moments_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// denies is the PSP, but it has no refunds, whatever it told of them.
func denies(psp http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorder := httptest.NewRecorder()
		psp.ServeHTTP(recorder, r)
		var answer map[string]any
		if json.Unmarshal(recorder.Body.Bytes(), &answer) == nil {
			for _, of := range []string{"data", "operations"} { // of its list, and of a payment
				if all, ok := answer[of].([]any); ok {
					answer[of] = slices.DeleteFunc(all, isRefund)
				}
			}
		}
		w.WriteHeader(recorder.Code)
		_ = json.NewEncoder(w).Encode(answer)
	})
}

func isRefund(line any) bool {
	object, ok := line.(map[string]any)
	if inner, listed := object["operation"].(map[string]any); ok && listed {
		object = inner
	}
	return object["operation"] == "refund"
}

// A PSP may tell of a refund by mistake. It knows the payment, so it is the refund
// alone that people have to look for.
func TestARefundThatThePSPToldOfAndDoesNotHaveIsACaseOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.night()
	o := b.order()
	_, err := b.pay(o, "card", "")
	require.NoError(t, err)
	b.control(http.MethodPost, "/sandbox/payments/"+b.reference(o)+"/notify", `{"event":"refunded","amount":"29.95","currency":"EUR"}`)
	require.Equal(t, payment.StatusPartiallyRefunded, b.read(o).PaymentStatus(), "it is believed")
	b.psp = denies(b.psp)
	b.compare(c)
	b.compare(b.night())
	found := b.differences()
	require.Len(t, found, 1)
	require.Equal(t, o.ID, found[0].Order)
	require.Equal(t, "29.95", found[0].Amount.String())
	require.NotEqual(t, b.id(o).N, found[0].Transaction, "the payment itself is there")
	require.Equal(t, payment.StatusPartiallyRefunded, b.read(o).PaymentStatus(), "what the books say stays")
	require.Equal(t, payment.Tally{Listed: 1, Missing: 1}, b.again())
	require.Len(t, b.differences(), 1)
}
