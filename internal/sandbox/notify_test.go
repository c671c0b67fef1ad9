package sandbox_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/sandbox"
)

func (p *psp) notify(t *testing.T, reference, body string) sent {
	t.Helper()
	return ok[sent](t, p, "/payments/"+reference+"/notify", body)
}

func TestANotificationTellsTheWholePayment(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	ok[object](t, p, "/v1/payments", redirectBody("r1", ""))
	paid := ok[object](t, p, "/payments/r1/pay", "{}")
	got := p.shop.received()
	require.Len(t, got, 1, "delivered before the shopper goes back")
	require.Equal(t, "application/json", got[0].Type)
	require.True(t, got[0].authentic(shopSecret))
	require.False(t, got[0].authentic("another secret"))
	require.WithinDuration(t, time.Now(), got[0].signedAt(t), time.Minute)
	require.Equal(t, "paid", got[0].Event)
	require.Equal(t, paid, got[0].Payment)
	require.Equal(t, paid.Version, got[0].Version)
	require.Equal(t, paid.Operations[0], got[0].Operation)
	require.NotEmpty(t, got[0].ID)
}

func TestNotificationsAreRetriedUntilAccepted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPSP(t)
		p.shop.answers(500, 301, 404, 503)
		ok[object](t, p, "/v1/payments", redirectBody("r1", ""))
		ok[object](t, p, "/payments/r1/pay", "{}")
		began := time.Now()
		for i, pause := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second} {
			require.Len(t, p.shop.received(), i+1)
			time.Sleep(pause)
			synctest.Wait()
		}
		time.Sleep(24 * time.Hour)
		got := p.shop.received()
		require.Len(t, got, 5, "a 2xx ends the tries")
		for _, r := range got {
			require.Equal(t, got[0].Body, r.Body, "same id and body on every try")
			require.True(t, r.authentic(shopSecret))
		}
		require.Equal(t, began.Add(8500*time.Millisecond).Unix(), got[4].signedAt(t).Unix(), "signed anew at every try")
	})
}

func TestNotificationsAreGivenUpAtLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPSP(t, func(c *sandbox.Config) { c.Delays.Retries = []time.Duration{time.Second, time.Second} })
		p.shop.answers(500, 500, 500, 500, 500, 500)
		ok[object](t, p, "/v1/payments", redirectBody("r1", ""))
		ok[object](t, p, "/payments/r1/pay", "{}")
		time.Sleep(24 * time.Hour)
		require.Len(t, p.shop.received(), 3)
	})
}

func TestOneDeadReceiverDoesNotDelayOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var hung, served atomic.Int32
		p := newPSP(t, func(c *sandbox.Config) {
			c.HTTP = &http.Client{Transport: sandbox.Transport(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/dead" {
					hung.Add(1)
					<-r.Context().Done()
					return
				}
				served.Add(1)
			}))}
		})
		dead := `{"reference":"r1","amount":"1.00","currency":"EUR","notify_url":"http://shop.test/dead"` + redirect
		ok[object](t, p, "/v1/payments", dead)
		ok[object](t, p, "/v1/payments", redirectBody("r2", ""))
		began := time.Now()
		require.Equal(t, "approved", ok[object](t, p, "/payments/r1/pay", "{}").State)
		require.Equal(t, 3*time.Second, time.Since(began), "the shopper waits no longer than that")
		ok[object](t, p, "/payments/r2/pay", "{}")
		require.Equal(t, 3*time.Second, time.Since(began))
		require.EqualValues(t, 1, served.Load())
		require.EqualValues(t, 1, hung.Load())
	})
}

func TestRedirectsOfAReceiverAreNotFollowed(t *testing.T) {
	t.Parallel()
	var wrong atomic.Int32
	mux := http.NewServeMux()
	mux.Handle("/confirm", http.RedirectHandler("/inside", http.StatusFound))
	mux.HandleFunc("/inside", func(http.ResponseWriter, *http.Request) { wrong.Add(1) })
	shop := httptest.NewServer(mux)
	defer shop.Close()
	p := newPSP(t, func(c *sandbox.Config) { c.HTTP = nil; c.Accounts[0].NotifyURL = shop.URL + "/confirm" })
	got := p.notify(t, "nobody", `{"event":"paid","retry":false}`)
	require.Equal(t, http.StatusFound, got.Deliveries[0].Status)
	require.Zero(t, wrong.Load())
}

func TestForgedNotifications(t *testing.T) {
	t.Parallel()
	for signature, check := range map[string]func(*testing.T, received){
		"bad": func(t *testing.T, r received) {
			require.NotEmpty(t, r.Signature)
			require.False(t, r.authentic(shopSecret))
		},
		"none": func(t *testing.T, r received) { require.Empty(t, r.Signature) },
		"old": func(t *testing.T, r received) {
			require.True(t, r.authentic(shopSecret))
			require.Equal(t, r.Created.Add(-time.Hour).Unix(), r.signedAt(t).Unix())
		},
	} {
		t.Run(signature, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPSP(t)
				ok[object](t, p, "/v1/payments", redirectBody("r1", ""))
				p.shop.answers(401)
				got := p.notify(t, "r1", `{"event":"paid","signature":"`+signature+`"}`)
				require.Equal(t, 401, got.Deliveries[0].Status)
				time.Sleep(24 * time.Hour)
				require.Len(t, p.shop.received(), 1, "a forger does not insist")
				check(t, p.shop.received()[0])
				require.Equal(t, "paid", p.shop.events()[0])
				require.Equal(t, "approved", p.shop.received()[0].Payment.State)
				require.Equal(t, "action_required", p.inquire(t, "r1").State, "a forgery books nothing")
			})
		})
	}
}

func TestADuplicateStorm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var together, most atomic.Int32
		all := make(chan struct{})
		p := newPSP(t, func(c *sandbox.Config) {
			c.HTTP = &http.Client{Transport: sandbox.Transport(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				if most.Store(together.Add(1)); together.Load() == 100 {
					close(all)
				}
				<-all
			}))}
		})
		ok[object](t, p, "/v1/payments", redirectBody("r1", ""))
		got := p.notify(t, "r1", `{"event":"paid","times":100,"event_id":"evt_mine"}`)
		require.Len(t, got.Deliveries, 100)
		require.Equal(t, "evt_mine", got.EventID)
		require.EqualValues(t, 100, together.Load(), "all under way at the same time")
		require.Len(t, p.ledger(t, "r1"), 1)
	})
}

func TestADelayedNotification(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPSP(t)
		ok[object](t, p, "/v1/payments", redirectBody("r1", ""))
		got := p.notify(t, "r1", `{"event":"paid","delay_ms":60000,"times":2}`)
		require.Empty(t, got.Deliveries)
		require.Equal(t, "approved", p.inquire(t, "r1").State, "the PSP knows before it tells")
		time.Sleep(time.Minute - time.Nanosecond)
		synctest.Wait()
		require.Empty(t, p.shop.received())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Equal(t, []string{"paid", "paid"}, p.shop.events())
	})
}

func TestRetryOfAnOrderedNotification(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPSP(t)
		p.shop.answers(500, 500, 500, 500)
		p.notify(t, "nobody", `{"event":"paid","times":2}`)
		time.Sleep(time.Hour)
		require.Len(t, p.shop.received(), 5, "two at once, then one at a time")
		p.shop.answers(500)
		p.notify(t, "nobody", `{"event":"paid","retry":false}`)
		time.Sleep(time.Hour)
		require.Len(t, p.shop.received(), 6)
	})
}
