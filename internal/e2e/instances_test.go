package e2e_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTwoTabsPayingThroughTwoInstancesAreChargedOnce(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	one, two := d.serve(), d.serve()
	for n := range 10 {
		number := fmt.Sprint(n)
		id := one.newOrder(number, "")
		path := "/v1/orders/" + id + "/pay"
		first := one.async(http.MethodPost, path, "tab-1-"+number, payJSON("card"))
		second := two.async(http.MethodPost, path, "tab-2-"+number, payJSON("card"))
		codes := map[int]int{}
		for _, a := range []answer{<-first, <-second} {
			require.NoError(t, a.err)
			codes[a.status]++
			if a.status == http.StatusConflict {
				require.Contains(t, []string{"payment_in_progress", "order_already_paid"}, read[problem](t, a).Code)
			}
		}
		require.Equal(t, map[int]int{http.StatusOK: 1, http.StatusConflict: 1}, codes)
		one.requireOneCharge(id)
	}
}

func TestOneKeyThroughTwoInstancesAtOnceIsCarriedOutOnce(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	one, two := d.serve(), d.serve()
	for n := range 10 {
		number := fmt.Sprint(n)
		body := orderJSON(number, `, "pay": {"method": "card"}`)
		first := one.async(http.MethodPost, "/v1/orders", "create-"+number, body)
		second := two.async(http.MethodPost, "/v1/orders", "create-"+number, body)
		a, b := <-first, <-second
		require.NoError(t, a.err)
		require.NoError(t, b.err)
		require.Equal(t, http.StatusOK, a.status, "%s", a.body)
		require.Equal(t, http.StatusOK, b.status, "%s", b.body)
		require.Equal(t, string(a.body), string(b.body), "the same answer, byte for byte")
		require.NotEqual(t, a.header.Get("Idempotent-Replayed"), b.header.Get("Idempotent-Replayed"), "one of them was carried out")
		one.requireOneCharge(read[paid](t, a).Order.ID)
	}
	require.Len(t, d.psp.charges(""), 10)
}

func TestANotificationThatComesAHundredTimesToTwoInstancesIsAppliedOnce(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	one, two := d.serve(), d.serve()
	one.setStock("10")
	id, reference := one.redirected("1", "")
	status, body := d.psp.press(reference, "notify", `{"event": "paid", "times": 100}`)
	require.Equal(t, http.StatusOK, status, "%s", body)
	type told struct{ Deliveries []struct{ Status int } }
	deliveries := read[told](t, answer{body: body}).Deliveries
	require.Len(t, deliveries, 100)
	for _, delivery := range deliveries {
		require.Equal(t, http.StatusOK, delivery.Status)
	}
	two.requireAppliedOnce(id)
}
