package e2e_test

import (
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// refuses tells whether nobody listens at the instance's address any more.
func (i *instance) refuses() bool {
	conn, err := net.Dial("tcp", strings.TrimPrefix(i.base, "http://"))
	if err != nil {
		return true
	}
	_ = conn.Close()
	return false
}

func TestSIGTERMAnswersWhatCameInAndEnds(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	s := d.serve()
	s.setStock("10")
	id := s.newOrder("1", "")
	reached, release := make(chan struct{}), make(chan struct{})
	d.psp.onPay(func(w http.ResponseWriter, r *http.Request, book http.Handler) {
		close(reached)
		<-release
		book.ServeHTTP(w, r)
	})
	pending := s.async(http.MethodPost, "/v1/orders/"+id+"/pay", "pay-1", payJSON("card"))
	<-reached
	s.signal(syscall.SIGTERM)
	eventually(t, "new connections are refused", s.refuses)
	select {
	case <-s.ended:
		require.Fail(t, "it ended with a payment in flight")
	default:
	}
	began := time.Now()
	close(release)
	got := <-pending
	require.NoError(t, got.err)
	require.Equal(t, http.StatusOK, got.status, "%s", got.body)
	require.Equal(t, "yes", read[paid](t, got).MoneyMoved)
	require.Zero(t, s.wait(), "a clean exit")
	require.Less(t, time.Since(began), 20*time.Second, "it ends with the last answer, not with the drain's time")

	d.psp.onPay(nil)
	s = d.serve()
	s.requireOneCharge(id)
	eventually(t, "effects are carried out", func() bool { return s.stock() == 9 && d.mailsOf(id) == 1 })
}

func TestSIGTERMDoesNotWaitForStreams(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	s := d.serve()
	id := s.newOrder("1", "")
	stream := s.follow(id)
	require.Equal(t, "pending", stream.next().PaymentStatus)
	began := time.Now()
	s.signal(syscall.SIGTERM)
	require.Zero(t, s.wait())
	require.Less(t, time.Since(began), 20*time.Second, "a follower cannot hold up the end")
}

func TestSecondsOfDrainingAreBoundedAndTheOutcomeIsAskedAboutLater(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	d.env["PAYSVC_DRAIN_SECONDS"] = "0"
	s := d.serve()
	id := s.newOrder("1", "")
	reached := d.psp.holdAfterBooking()
	pending := s.async(http.MethodPost, "/v1/orders/"+id+"/pay", "pay-1", payJSON("card"))
	<-reached
	s.signal(syscall.SIGTERM)
	require.Zero(t, s.wait())
	<-pending
	d.psp.onPay(nil)
	s = d.serve()
	require.Equal(t, "paid", s.submit(id).PaymentStatus)
	s.requireOneCharge(id)
}
