package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// stateOfOnly is the state of an order's one transaction.
func stateOfOnly(t testing.TB, o order) string {
	t.Helper()
	require.Len(t, o.transactions(), 1)
	return o.transactions()[0].State
}

// requireOneCharge compares the PSP's ledger with our books: the order was
// charged once, and the transaction that says so is approved here.
func (i *instance) requireOneCharge(id string) {
	i.shop.t.Helper()
	o := i.order(id)
	charged, approved := 0, 0
	for _, t := range o.transactions() {
		booked := i.deployment.psp.charges(t.Reference)
		charged += len(booked)
		if t.State == "approved" {
			approved++
			require.Len(i.shop.t, booked, 1)
			require.Equal(i.shop.t, o.Total, booked[0].Amount)
		}
		require.LessOrEqual(i.shop.t, i.deployment.psp.requests()[t.Reference], 1, "a reference is sent once")
	}
	require.Equal(i.shop.t, 1, charged, "charges at the PSP")
	require.Equal(i.shop.t, 1, approved, "approved transactions here")
	require.Equal(i.shop.t, "paid", o.PaymentStatus)
	require.Equal(i.shop.t, o.Total, o.Amounts.Captured)
}

func TestKilledWhileThePSPHasNotBookedThePaymentIsNotSentAndMayBeTriedAgain(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	s := d.serve()
	id := s.newOrder("1", "")
	reached := d.psp.holdBeforeBooking()
	pending := s.async(http.MethodPost, "/v1/orders/"+id+"/pay", "pay-1", payJSON("card"))
	<-reached
	s.kill()
	require.Error(t, (<-pending).err, "the storefront gets no answer")
	d.psp.onPay(nil)

	s = d.serve()
	require.Equal(t, "sending", stateOfOnly(t, s.order(id)), "nobody knows what became of it")
	other := s.pay(id, "pay-2", "card")
	require.Equal(t, http.StatusConflict, other.status, "what may have been charged blocks a second charge: %s", other.body)
	require.Equal(t, "payment_in_progress", read[problem](t, other).Code)
	same := s.pay(id, "pay-1", "card")
	require.Equal(t, http.StatusConflict, same.status, "the same key never sends again: %s", same.body)
	require.Equal(t, "idempotency_in_progress", read[problem](t, same).Code)

	// The shopper comes back, again and again. Until the PSP is sure, its "no such
	// payment" means nothing; then nothing was sent.
	require.Equal(t, "sending", stateOfOnly(t, s.submit(id)), "too early to know")
	eventually(t, "the PSP is sure that it never got it", func() bool {
		return stateOfOnly(t, s.submit(id)) == "not_sent"
	})
	require.Empty(t, d.psp.ledger(""))
	same = s.pay(id, "pay-1", "card")
	require.Equal(t, http.StatusServiceUnavailable, same.status, "%s", same.body)
	require.Equal(t, "no", read[problem](t, same).MoneyMoved)

	again := s.pay(id, "pay-3", "card")
	require.Equal(t, http.StatusOK, again.status, "another attempt is possible: %s", again.body)
	s.requireOneCharge(id)
}

func TestKilledAfterThePSPBookedTheReturningShopperFindsTheOrderPaid(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	s := d.serve()
	id := s.newOrder("1", "")
	reached := d.psp.holdAfterBooking()
	pending := s.async(http.MethodPost, "/v1/orders/"+id+"/pay", "pay-1", payJSON("card"))
	<-reached
	s.kill()
	require.Error(t, (<-pending).err)
	d.psp.onPay(nil)

	s = d.serve()
	require.Equal(t, "sending", stateOfOnly(t, s.order(id)))
	require.Equal(t, "paid", s.submit(id).PaymentStatus, "the PSP is asked when the shopper comes back")
	same := s.pay(id, "pay-1", "card")
	require.Equal(t, http.StatusOK, same.status, "%s", same.body)
	require.Equal(t, "yes", read[paid](t, same).MoneyMoved)
	other := s.pay(id, "pay-2", "card")
	require.Equal(t, "order_already_paid", read[problem](t, other).Code)
	s.requireOneCharge(id)
	require.Equal(t, 1, d.events("order.paid"))
}

func TestKilledAfterThePSPBookedTheSweeperFindsTheOrderPaid(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	s := d.serve()
	s.setStock("10")
	reached := d.psp.holdAfterBooking()
	// The order and its payment are one request here.
	body := orderJSON("1", `, "pay": {"method": "card"}`)
	pending := s.async(http.MethodPost, "/v1/orders", "create-1", body)
	<-reached
	s.kill()
	require.Error(t, (<-pending).err)
	d.psp.onPay(nil)

	s = d.serve()
	orders := read[struct{ Data []order }](t, s.do(http.StatusOK, http.MethodGet, "/v1/orders?number=1", "", "")).Data
	require.Len(t, orders, 1, "what was sent is on record")
	id := orders[0].ID
	require.Equal(t, "sending", stateOfOnly(t, s.order(id)))
	s.awaitOrder(id, "the sweeper asks the PSP", isPaid) // the first time after 15 s
	same := s.try(http.MethodPost, "/v1/orders", "create-1", body)
	require.Equal(t, http.StatusOK, same.status, "%s", same.body)
	require.Equal(t, id, read[paid](t, same).Order.ID)
	s.requireOneCharge(id)
	require.Equal(t, 1, d.events("order.paid"))
	eventually(t, "the stock is deducted", func() bool { return s.stock() == 9 })
}

func TestKilledWithThePSPsAnswerInHandTheOrderIsPaidOnce(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	s := d.serve()
	id := s.newOrder("1", "")
	reached, answer := make(chan struct{}), make(chan struct{})
	d.psp.onPay(func(w http.ResponseWriter, r *http.Request, book http.Handler) {
		close(reached)
		<-answer
		book.ServeHTTP(w, r)
	})
	pending := s.async(http.MethodPost, "/v1/orders/"+id+"/pay", "pay-1", payJSON("card"))
	<-reached
	release := d.lockOrder("1") // keeps the answer out of the books
	close(answer)
	d.awaitLockWaiter()
	s.kill()
	require.Error(t, (<-pending).err)
	release()
	d.psp.onPay(nil)

	s = d.serve()
	require.Equal(t, "sending", stateOfOnly(t, s.order(id)), "the answer is lost")
	require.Equal(t, "paid", s.submit(id).PaymentStatus)
	require.Equal(t, http.StatusOK, s.pay(id, "pay-1", "card").status)
	s.requireOneCharge(id)
}

func TestKilledAfterTheLastCommitTheAnswerIsTheSameByteForByte(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	s := d.serve()
	s.setStock("10")
	id := s.newOrder("1", "")
	first := s.pay(id, "pay-1", "card")
	s.kill()
	require.NoError(t, first.err)
	require.Equal(t, http.StatusOK, first.status, "%s", first.body)

	s = d.serve()
	same := s.pay(id, "pay-1", "card")
	require.Equal(t, first.status, same.status)
	require.Equal(t, string(first.body), string(same.body))
	require.Equal(t, "true", same.header.Get("Idempotent-Replayed"))
	require.Equal(t, "order_already_paid", read[problem](t, s.pay(id, "pay-2", "card")).Code)
	s.requireOneCharge(id)
	eventually(t, "the effects that the killed instance left are carried out", func() bool {
		return s.stock() == 9 && d.mailsOf(id) == 1
	})
	require.Equal(t, 1, d.events("order.paid"))
}

func TestKilledBetweenTheLastCommitAndTheAnswerTheRepeatTellsThatItIsPaid(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	s := d.serve()
	id := s.newOrder("1", "")
	answered := s.async(http.MethodPost, "/v1/orders/"+id+"/pay", "pay-1", payJSON("card"))
	eventually(t, "the commit", func() bool {
		return d.count("select count(*) from orders where number = '1' and payment_status = 'paid'") == 1
	})
	s.kill()
	first := <-answered // it may have got out

	s = d.serve()
	same := s.pay(id, "pay-1", "card")
	require.Equal(t, http.StatusOK, same.status, "%s", same.body)
	require.Equal(t, "true", same.header.Get("Idempotent-Replayed"))
	if first.err == nil {
		require.Equal(t, string(first.body), string(same.body))
	}
	s.requireOneCharge(id)
}

func TestKilledAtAnyMomentUnderLoadNoOrderIsChargedTwiceAndNoAnswerIsLost(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	const kills, perKill = 3, 8
	type attempt struct {
		id, key string
		answer  <-chan answer
	}
	s := d.serve()
	var ids []string
	for round := range kills {
		var attempts []attempt
		for n := range perKill {
			number := string(rune('a'+round)) + string(rune('a'+n))
			id := s.newOrder(number, "")
			ids = append(ids, id)
			attempts = append(attempts, attempt{id, "pay-" + number,
				s.async(http.MethodPost, "/v1/orders/"+id+"/pay", "pay-"+number, payJSON("card"))})
		}
		first := <-attempts[round].answer // some are done then, some are not
		require.NoError(t, first.err)
		s.kill()
		s = d.serve()
		for i, a := range attempts {
			got := first
			if i != round {
				got = <-a.answer
			}
			if got.err == nil && got.status == http.StatusOK {
				require.Equal(t, "paid", s.order(a.id).PaymentStatus, "what was answered is durable")
			}
		}
	}
	began := time.Now()
	for _, id := range ids {
		eventually(t, "the order is settled", func() bool {
			o := s.submit(id)
			return len(o.transactions()) == 0 || o.transactions()[0].State == "approved" || o.transactions()[0].State == "not_sent"
		})
	}
	t.Logf("settled in %s", time.Since(began))
	for _, id := range ids {
		if isPaid(s.order(id)) {
			s.requireOneCharge(id)
			continue
		}
		for _, tx := range s.order(id).transactions() {
			require.Empty(t, d.psp.charges(tx.Reference), "what is not sent is not charged")
		}
	}
	require.Equal(t, len(d.psp.charges("")), d.count("select count(*) from transactions where state = 'approved'"))
}
