package moments_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/settings"
)

// twoStores are the demo settings, with another store that has an account and a card
// method of its own.
func twoStores() string {
	return string(settings.Demo()) + `  other:
    accounts:
      other-sandbox:
        gateway: sandbox
        mode: test
        settings:
          base_url: {env: PAYSVC_SANDBOX_URL}
          account: demo
          api_key: {env: PAYSVC_SANDBOX_API_KEY}
          webhook_secrets:
            - {env: PAYSVC_SANDBOX_WEBHOOK_SECRET}
    methods:
      card:
        account: other-sandbox
        kind: card
`
}

// lost makes an order of a store whose PSP did not say what became of its payment.
func (b *bundle) lost(store string) *payment.Order {
	b.t.Helper()
	o := b.newOrder(func(o *payment.Order) { o.Store = store })
	pay := b.command(o, "card", "timeout_after_charge")
	pay.New, pay.Store = o, store
	_, err := b.Pay(b.t.Context(), pay)
	require.NoError(b.t, err)
	o, err = b.store.ReadOrder(b.t.Context(), store, o.ID)
	require.NoError(b.t, err)
	require.True(b.t, o.Lost(b.clock.now()))
	return o
}

func TestAStoreWhosePSPHangsLeavesTheOthersTheirPlaces(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.reload(twoStores())
	other := b.lost("other")
	var hanging []*payment.Order
	for range 12 {
		hanging = append(hanging, b.lost("demo"))
		for range 2 { // the PSP works well enough to be asked at all
			_, err := b.pay(b.order(), "card", "")
			require.NoError(t, err)
		}
	}
	asked, hang := make(chan struct{}, len(hanging)), make(chan struct{})
	var count atomic.Int64
	reference := other.LatestPayment().Initial().Reference
	b.setCall(func(r *http.Request) {
		if strings.Contains(r.URL.Path, reference) {
			return
		}
		asked <- struct{}{}
		if count.Add(1) <= 4 {
			<-hang
		}
	})
	var group sync.WaitGroup
	for _, o := range hanging[:4] {
		look := b.LookedAt("demo", o.ID)
		require.NotNil(t, look)
		group.Go(func() { look(t.Context()) })
	}
	for range 4 {
		<-asked
	}
	for _, o := range hanging[4:] {
		if look := b.LookedAt("demo", o.ID); look != nil {
			look(t.Context())
		}
	}
	require.EqualValues(t, 4, count.Load(), "of one account four are asked about at once")

	look := b.LookedAt("other", other.ID)
	require.NotNil(t, look, "there is a place left")
	look(t.Context())
	read, err := b.store.ReadOrder(t.Context(), "other", other.ID)
	require.NoError(t, err)
	require.Equal(t, payment.StatusPaid, read.PaymentStatus())

	close(hang)
	group.Wait()
	require.Equal(t, payment.StatusPaid, b.read(hanging[0]).PaymentStatus())
	b.clock.advance(15 * time.Second)
	b.LookedAt("demo", hanging[11].ID)(t.Context())
	require.Equal(t, payment.StatusPaid, b.read(hanging[11]).PaymentStatus(), "the places are free again")
}
