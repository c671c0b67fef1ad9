package e2e_test

import (
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// mailsOf counts the mails about an order.
func (d *deployment) mailsOf(id string) (n int) {
	files, err := os.ReadDir(d.mails)
	if err != nil {
		return 0 // no mail yet
	}
	for _, f := range files {
		if strings.HasPrefix(f.Name(), id) && strings.HasSuffix(f.Name(), ".eml") {
			n++
		}
	}
	return n
}

// redirected creates an order and begins to pay it with a wallet. It returns
// the order's id and the reference of the payment.
func (i *instance) redirected(number, more string) (id, reference string) {
	i.shop.t.Helper()
	id = i.newOrder(number, more)
	a := i.pay(id, "pay-"+number, "wallet")
	require.Equal(i.shop.t, http.StatusOK, a.status, "%s", a.body)
	p := read[paid](i.shop.t, a)
	require.NotNil(i.shop.t, p.NextAction)
	require.Equal(i.shop.t, "redirect", p.NextAction.Type)
	return id, p.Order.transactions()[0].Reference
}

// requireAppliedOnce checks that a payment that was confirmed by a notification
// had all of its consequences, and each once.
func (i *instance) requireAppliedOnce(id string) {
	i.shop.t.Helper()
	d := i.deployment
	i.awaitOrder(id, "the notification is applied", isPaid)
	i.requireOneCharge(id)
	require.Equal(i.shop.t, 1, d.count("select count(*) from notifications"))
	require.Equal(i.shop.t, 1, d.count("select count(*) from notifications where state = 'applied'"))
	require.Equal(i.shop.t, 1, d.events("order.paid"))
	eventually(i.shop.t, "the effects are carried out", func() bool { return i.stock() == 9 && d.mailsOf(id) == 1 })
	require.Equal(i.shop.t, 1, d.events("stock.deduct"))
}

func TestKilledRightAfterItAcceptedANotificationItIsAppliedOnce(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	s := d.serve()
	s.setStock("10")
	id, reference := s.redirected("1", "")
	var once sync.Once
	kill, ended := s.kill, s.ended
	d.psp.onDelivery(func(status int) {
		if status == http.StatusOK {
			once.Do(kill)
		}
	})
	status, body := d.psp.press(reference, "pay", "")
	require.Equal(t, http.StatusOK, status, "%s", body)
	<-ended

	s = d.serve()
	require.Equal(t, "paid", s.order(id).PaymentStatus, "2xx is given only for what is durable")
	s.requireAppliedOnce(id)
}

func TestKilledBeforeItAcceptedANotificationThePSPsNextTryAppliesIt(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	s := d.serve()
	s.setStock("10")
	id, reference := s.redirected("1", "")
	release := d.lockOrder("1")
	pressed := make(chan int, 1)
	go func() {
		status, _ := d.psp.press(reference, "pay", "")
		pressed <- status
	}()
	d.awaitLockWaiter() // the notification waits for the order
	s.kill()
	release()
	require.Equal(t, http.StatusOK, <-pressed)
	require.Zero(t, d.count("select count(*) from notifications"), "nothing was accepted")

	s = d.serve()
	s.requireAppliedOnce(id)
}

func TestNotificationsThatArriveWhileTheServiceIsDownAreAppliedLater(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	s := d.serve()
	s.setStock("10")
	id, reference := s.redirected("1", "")
	s.kill()
	status, body := d.psp.press(reference, "pay", "")
	require.Equal(t, http.StatusOK, status, "%s", body)

	s = d.serve()
	s.requireAppliedOnce(id)
}
