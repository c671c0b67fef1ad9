package sandbox_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/gateways/sandbox"
	"github.com/paysvc/paysvc/internal/payment"
	simulator "github.com/paysvc/paysvc/internal/sandbox"
)

const (
	ourAccount = "main"
	secret     = "whsec-of-the-test"
)

// shop is a gateway in front of the simulator, with the order that it pays.
type shop struct {
	*sandbox.Gateway
	config sandbox.Config
	url    string
	ids    *payment.IDs
	notes  chan payment.RawNotification // what the simulator notified
	sink   string                       // where it does
}

// openShop starts a simulator and opens the gateway in front of it.
func openShop(t *testing.T, change func(*sandbox.Config)) *shop {
	t.Helper()
	s := &shop{ids: payment.NewIDs(time.Now, rand.Reader), notes: make(chan payment.RawNotification, 16)}
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.notes <- payment.RawNotification{Method: r.Method, Headers: r.Header, Body: body}
	}))
	t.Cleanup(sink.Close)
	s.sink = sink.URL
	sim, err := simulator.New(simulator.Config{
		PublicURL: "http://psp.example", Now: time.Now, Rand: rand.Reader,
		Accounts: []simulator.Account{
			{ID: theirAccount, APIKey: "key", WebhookSecret: secret, NotifyURL: sink.URL},
			{ID: "another", APIKey: "another-key", WebhookSecret: "another secret", Live: true},
		},
		Delays: simulator.Delays{Pending: 20 * time.Millisecond, Slow: 20 * time.Millisecond},
	})
	require.NoError(t, err)
	server := httptest.NewServer(sim.Handler())
	t.Cleanup(func() {
		require.NoError(t, sim.Close())
		server.CloseClientConnections()
		server.Close()
	})
	s.url = server.URL
	c := sandbox.Config{
		BaseURL: server.URL + "/", Account: theirAccount, APIKey: "key",
		WebhookSecrets: []gateways.Secret{"next secret", secret}, Timeout: 10 * time.Second,
	}
	if change != nil {
		change(&c)
	}
	s.config = c
	s.waits(t, c.Timeout)
	return s
}

// waits opens the gateway again, with this time-out.
func (s *shop) waits(t *testing.T, timeout time.Duration) {
	t.Helper()
	s.config.Timeout = timeout
	g, err := sandbox.New(s.config, gateways.Deps{Account: ourAccount, Mode: payment.ModeTest, Now: time.Now, Log: zerolog.Nop()})
	require.NoError(t, err)
	s.Gateway = g
}

// attempt is a payment of an order, announced and not yet sent.
type attempt struct {
	order   *payment.Order
	payment *payment.Payment
	request payment.PayRequest
}

func (s *shop) begin(method, scenario string) attempt {
	eur, err := payment.ParseCurrency("EUR")
	if err != nil {
		panic(err)
	}
	total := payment.FromMinor(12995, eur)
	o := &payment.Order{Details: payment.Details{Number: "10001", Currency: eur, Total: total}}
	o.Progress.Status, o.Saved.Status = payment.OrderPending, payment.OrderPending
	p := o.OpenPayment(method, sandbox.Name, ourAccount, payment.ModeTest, total, time.Now())
	capture := !s.Describe().Methods[method].AuthorizeOnly
	typ := payment.Authorize
	if capture {
		typ = payment.AuthorizeAndCapture
	}
	r := payment.PayRequest{
		Reference: s.ids.Reference(), Capture: capture, Amount: total, Method: method, Order: o,
		SuccessURL: "http://shop.example/ok", FailureURL: "http://shop.example/no", NotifyURL: s.sink,
	}
	if scenario != "" {
		r.Data = json.RawMessage(`{"scenario":"` + scenario + `"}`)
	}
	o.Announce(p, typ, r.Reference, total, time.Now(), time.Now())
	return attempt{o, p, r}
}

func (a attempt) inquiry() payment.Inquiry {
	return payment.Inquiry{Reference: a.request.Reference, Type: a.payment.Transactions[0].Type, Amount: a.request.Amount}
}

func (a attempt) record(t *testing.T, facts ...payment.Fact) {
	t.Helper()
	for _, f := range facts {
		_, err := a.order.Record(f, time.Now())
		require.NoError(t, err)
	}
}

// control plays the shopper, or fate.
func (s *shop) control(t *testing.T, reference, action, body string) {
	t.Helper()
	resp, err := http.Post(s.url+"/sandbox/payments/"+reference+"/"+action, "application/json", strings.NewReader(body))
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode, string(text))
}

// notified returns the next notification.
func (s *shop) notified(t *testing.T) payment.RawNotification {
	t.Helper()
	select {
	case n := <-s.notes:
		return n
	case <-time.After(10 * time.Second):
		require.FailNow(t, "no notification came")
		panic("unreachable")
	}
}

func TestWhatAnAnswerProves(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		scenario string
		answer   payment.State
		reason   string
		truth    payment.State // what the PSP says when asked; "" for no such payment
	}{
		{"", payment.Approved, "", payment.Approved},
		{"approve", payment.Approved, "", payment.Approved},
		{"decline", payment.Declined, "do_not_honor", payment.Declined},
		{"insufficient_funds", payment.Declined, "insufficient_funds", payment.Declined},
		{"lost_card", payment.Declined, "lost_card", payment.Declined},
		{"action_required", payment.ActionRequired, "", payment.ActionRequired},
		{"refuse_before_send", payment.NotSent, gateways.ReasonConnectionRefused, ""},
		{"timeout_after_charge", payment.Unknown, gateways.ReasonTimeout, payment.Approved},
		{"timeout_no_charge", payment.Unknown, gateways.ReasonTimeout, ""},
		{"error_after_charge", payment.Unknown, gateways.ReasonPSPError, payment.Approved},
		{"html_502_after_charge", payment.Unknown, gateways.ReasonPSPError, payment.Approved},
		{"garbage", payment.Unknown, gateways.ReasonUnreadableAnswer, payment.Approved},
		{"pending_then_approve", payment.Pending, "", payment.Approved},
		{"pending_then_decline", payment.Pending, "", payment.Declined},
		{"no_echo", payment.Approved, "", payment.Approved},
		{"slow", payment.Approved, "", payment.Approved},
	} {
		for _, method := range []string{"card", "card-manual"} {
			t.Run(method+" "+c.scenario, func(t *testing.T) {
				t.Parallel()
				s := openShop(t, func(config *sandbox.Config) {
					if c.reason == gateways.ReasonTimeout {
						config.Timeout = time.Second
					}
				})
				a := s.begin(method, c.scenario)
				fact := s.Pay(t.Context(), a.request)
				require.Equal(t, c.answer, fact.State, fact.Reason)
				require.Equal(t, c.reason, fact.Reason.Code)
				a.record(t, fact)
				if c.truth == "" {
					_, err := s.Inquire(t.Context(), a.inquiry())
					require.ErrorIs(t, err, gateways.ErrNotFound)
					return
				}
				require.Eventually(t, func() bool {
					facts, err := s.Inquire(context.Background(), a.inquiry())
					return err == nil && facts[0].State == c.truth
				}, 10*time.Second, 5*time.Millisecond)
				facts, err := s.Inquire(t.Context(), a.inquiry())
				require.NoError(t, err)
				a.record(t, facts...)
				require.Equal(t, c.truth, a.payment.Transactions[0].State)
				require.Empty(t, a.order.Review)
			})
		}
	}
}

func TestOtherMoneyThanAskedForIsNotPaid(t *testing.T) {
	t.Parallel()
	for scenario, kind := range map[string]payment.CaseKind{
		"wrong_amount": payment.CaseAmountMismatch, "wrong_currency": payment.CaseCurrencyMismatch,
	} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			s := openShop(t, nil)
			a := s.begin("card", scenario)
			a.record(t, s.Pay(t.Context(), a.request))
			require.Equal(t, payment.Unknown, a.payment.Transactions[0].State)
			require.Equal(t, kind, a.order.Review)
		})
	}
}

func TestAKeyOfAnotherAccountIsNoticed(t *testing.T) {
	t.Parallel()
	s := openShop(t, func(c *sandbox.Config) { c.APIKey = "another-key" })
	a := s.begin("card", "")
	fact := s.Pay(t.Context(), a.request)
	require.Equal(t, payment.ModeLive, fact.Mode)
	a.record(t, fact)
	require.Equal(t, payment.Unknown, a.payment.Transactions[0].State)
	require.Equal(t, payment.CaseAccountMismatch, a.order.Review)
}

func TestAWrongKeyChargesNobody(t *testing.T) {
	t.Parallel()
	s := openShop(t, func(c *sandbox.Config) { c.APIKey = "wrong" })
	a := s.begin("card", "")
	fact := s.Pay(t.Context(), a.request)
	require.Equal(t, payment.NotSent, fact.State)
	require.Equal(t, "unauthorized", fact.Reason.Code)
	_, err := s.Inquire(t.Context(), a.inquiry())
	require.Error(t, err)
	require.NotErrorIs(t, err, gateways.ErrNotFound, "who is not let in learns nothing")
}

func TestRefusalsOnDemandDoNotStopThePayments(t *testing.T) {
	t.Parallel()
	s := openShop(t, nil)
	for range 12 {
		fact := s.Pay(t.Context(), s.begin("card", "refuse_before_send").request)
		require.Equal(t, payment.NotSent, fact.State)
		require.Equal(t, gateways.ReasonConnectionRefused, fact.Reason.Code)
	}
	require.Equal(t, payment.Approved, s.Pay(t.Context(), s.begin("card", "").request).State)
}

func TestAReferencePaysOnce(t *testing.T) {
	t.Parallel()
	s := openShop(t, nil)
	a := s.begin("card", "")
	require.Equal(t, payment.Approved, s.Pay(t.Context(), a.request).State)
	a.request.NotifyURL = "http://elsewhere.example"
	fact := s.Pay(t.Context(), a.request)
	require.Equal(t, payment.Unknown, fact.State, "something exists under this reference")
	require.Equal(t, "reference_conflict", fact.Reason.Code)
}

func TestTheShopperDecidesOnAPageOfThePSP(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]struct {
		state  payment.State
		reason string
	}{
		"pay":     {payment.Approved, ""},
		"decline": {payment.Declined, "do_not_honor"},
		"cancel":  {payment.Declined, "cancelled"},
	} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			s := openShop(t, nil)
			a := s.begin("wallet", "")
			fact := s.Pay(t.Context(), a.request)
			require.Equal(t, payment.ActionRequired, fact.State)
			require.Equal(t, "redirect", fact.NextAction.Type)
			require.Contains(t, fact.NextAction.URL, "http://psp.example/sandbox/pay/")
			a.record(t, fact)

			s.control(t, a.request.Reference, action, "")
			notice, err := s.ReadNotification(t.Context(), s.notified(t))
			require.NoError(t, err)
			require.Equal(t, a.request.Reference, notice.Reference)
			require.False(t, notice.Facts[0].At.IsZero(), "the PSP tells when")
			a.record(t, notice.Facts...)
			require.Equal(t, want.state, a.payment.Transactions[0].State)
			require.Equal(t, want.reason, a.payment.Transactions[0].Reason.Code)

			facts, err := s.Close(t.Context(), a.inquiry())
			require.NoError(t, err, "closing what is decided tells how")
			require.Equal(t, want.state, facts[0].State)
		})
	}
}

func TestAnAbandonedPageIsClosed(t *testing.T) {
	t.Parallel()
	s := openShop(t, nil)
	a := s.begin("wallet", "")
	a.record(t, s.Pay(t.Context(), a.request))
	facts, err := s.Close(t.Context(), a.inquiry())
	require.NoError(t, err)
	a.record(t, facts...)
	require.Equal(t, payment.Declined, a.payment.Transactions[0].State)
	require.Equal(t, "cancelled", a.payment.Transactions[0].Reason.Code)

	_, err = s.Close(t.Context(), s.begin("wallet", "").inquiry())
	require.ErrorIs(t, err, gateways.ErrNotFound, "one that never began")
}

// TestWhatThePSPDoesByItselfIsFound lets somebody capture, refund and charge
// back at the PSP, and learns of it: from notifications in any order, some of
// them lost, or from one inquiry.
func TestWhatThePSPDoesByItselfIsFound(t *testing.T) {
	t.Parallel()
	s := openShop(t, nil)
	a := s.begin("card-manual", "")
	paid := s.Pay(t.Context(), a.request)
	var notices []gateways.Notice
	for _, body := range []string{
		`{"event":"captured","amount":"100.00"}`, `{"event":"voided","amount":"29.95"}`,
		`{"event":"refunded","amount":"30.00"}`, `{"event":"chargeback","amount":"70.00"}`,
	} {
		s.control(t, a.request.Reference, "notify", body)
		notice, err := s.ReadNotification(t.Context(), s.notified(t))
		require.NoError(t, err)
		require.Equal(t, a.request.Reference, notice.Reference)
		notices = append(notices, notice)
	}
	found, err := s.Inquire(t.Context(), a.inquiry())
	require.NoError(t, err)

	histories := [][]payment.Fact{append([]payment.Fact{paid}, found...), found, notices[3].Facts}
	permute(len(notices), func(order []int) {
		var facts []payment.Fact
		for _, i := range order {
			facts = append(facts, notices[i].Facts...)
		}
		histories = append(histories, append(facts, paid))
	})
	for _, facts := range histories {
		b := s.begin("card-manual", "")
		b.payment.Transactions[0].Reference = a.request.Reference
		b.record(t, facts...)
		sums := b.payment.Sums
		require.Equal(t, []string{"129.95", "100.00", "29.95", "100.00"}, []string{
			sums.Authorized.String(), sums.Captured.String(), sums.Voided.String(), sums.Refunded.String(),
		})
		require.Equal(t, payment.StatusRefunded, b.payment.Status)
		require.Len(t, b.payment.Transactions, 5)
		require.Equal(t, payment.CaseChargeback, b.order.Review, "and nothing else is wrong")
	}
}

// permute calls f with every order of the numbers below n.
func permute(n int, f func([]int)) {
	var rest func(done []int)
	rest = func(done []int) {
		if len(done) == n {
			f(done)
			return
		}
	next:
		for i := range n {
			for _, d := range done {
				if d == i {
					continue next
				}
			}
			rest(append(done[:len(done):len(done)], i))
		}
	}
	rest(nil)
}

func TestAnAuthorizationThatThePSPPaidOutIsCaptured(t *testing.T) {
	t.Parallel()
	s := openShop(t, nil)
	a := s.begin("card-manual", "error_after_charge")
	a.record(t, s.Pay(t.Context(), a.request))
	s.control(t, a.request.Reference, "notify", `{"event":"paid"}`)
	notice, err := s.ReadNotification(t.Context(), s.notified(t))
	require.NoError(t, err)
	a.record(t, notice.Facts...)
	require.Equal(t, payment.StatusPaid, a.payment.Status)
	require.Empty(t, a.order.Review)
}

func TestForgeriesOfTheSimulatorAreRefused(t *testing.T) {
	t.Parallel()
	s := openShop(t, nil)
	a := s.begin("wallet", "")
	require.Equal(t, payment.ActionRequired, s.Pay(t.Context(), a.request).State)
	for _, signature := range []string{"bad", "none", "old"} {
		s.control(t, a.request.Reference, "notify", `{"event":"paid","signature":"`+signature+`"}`)
		notice, err := s.ReadNotification(t.Context(), s.notified(t))
		require.Equal(t, payment.KindUnauthenticated, payment.KindOf(err), signature)
		require.Zero(t, notice)
	}
}

func TestAnAuthenticLieAboutMoneyIsNotPaid(t *testing.T) {
	t.Parallel()
	for body, review := range map[string]payment.CaseKind{
		`{"event":"paid","amount":"1.00"}`:                    payment.CaseAmountMismatch,
		`{"event":"paid","currency":"USD"}`:                   payment.CaseCurrencyMismatch,
		`{"event":"paid","amount":"-129.95"}`:                 "", // these cannot even be read,
		`{"event":"paid","amount":"129.950001"}`:              "",
		`{"event":"paid","currency":"eur"}`:                   "",
		`{"event":"authorized"}`:                              "", // or contradict themselves
		`{"event":"paid","amount":"129.95","currency":"ZZZ"}`: "",
	} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			s := openShop(t, nil)
			a := s.begin("wallet", "")
			a.record(t, s.Pay(t.Context(), a.request))
			s.control(t, a.request.Reference, "notify", body)
			notice, err := s.ReadNotification(t.Context(), s.notified(t))
			require.Equal(t, a.request.Reference, notice.Reference)
			a.record(t, notice.Facts...)
			require.NotEqual(t, payment.Approved, a.payment.Transactions[0].State)
			require.Equal(t, review, a.order.Review)
			if review == "" {
				require.Equal(t, payment.KindInvalid, payment.KindOf(err))
				require.Empty(t, notice.Facts)
			}
		})
	}
}

func TestANotificationOfAnUnknownPaymentIsRead(t *testing.T) {
	t.Parallel()
	s := openShop(t, nil)
	s.control(t, "NOBODY-KNOWS-THIS", "notify", `{"event":"paid","amount":"5.00"}`)
	notice, err := s.ReadNotification(t.Context(), s.notified(t))
	require.NoError(t, err)
	require.Equal(t, "NOBODY-KNOWS-THIS", notice.Reference)
	require.NotEmpty(t, notice.EventID)
	require.Equal(t, payment.Approved, notice.Facts[0].State)
}

func TestItPaysWithinTheProcessToo(t *testing.T) {
	t.Parallel()
	sim, err := simulator.New(simulator.Config{
		PublicURL: "http://psp.example", Now: time.Now, Rand: rand.Reader,
		Accounts: []simulator.Account{{ID: theirAccount, APIKey: "key", WebhookSecret: secret}},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sim.Close()) })
	g, err := sandbox.New(sandbox.Config{
		BaseURL: "http://psp.invalid", Account: theirAccount, APIKey: "key", Timeout: 100 * time.Millisecond,
	}, gateways.Deps{
		Account: ourAccount, Mode: payment.ModeTest, Now: time.Now, Log: zerolog.Nop(),
		Transport: func(gateway, account string) http.RoundTripper {
			require.Equal(t, []string{sandbox.Name, ourAccount}, []string{gateway, account})
			return simulator.Transport(sim.Handler())
		},
	})
	require.NoError(t, err)
	s := &shop{Gateway: g, ids: payment.NewIDs(time.Now, rand.Reader)}
	for scenario, state := range map[string]payment.State{
		"": payment.Approved, "decline": payment.Declined, "timeout_after_charge": payment.Unknown, "garbage": payment.Unknown,
	} {
		require.Equal(t, state, g.Pay(t.Context(), s.begin("card", scenario).request).State)
	}
}
