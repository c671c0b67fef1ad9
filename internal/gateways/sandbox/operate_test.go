package sandbox_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// paid is a payment that went well.
func (s *shop) paid(t *testing.T, method string) attempt {
	t.Helper()
	a := s.begin(method, "")
	a.record(t, s.Pay(t.Context(), a.request))
	require.Equal(t, payment.Approved, a.payment.Transactions[0].State)
	return a
}

// announce makes the request of an operation, and its transaction.
func (s *shop) announce(a attempt, typ payment.Type, minor int64, scenario string) payment.OperationRequest {
	r := payment.OperationRequest{
		Type: typ, Reference: s.ids.Reference(), Amount: payment.FromMinor(minor, a.request.Amount.Currency()),
		Method: a.request.Method, Order: a.order, Payment: a.payment, NotifyURL: s.sink,
	}
	if scenario != "" {
		r.Data = json.RawMessage(`{"scenario":"` + scenario + `"}`)
	}
	a.order.Announce(a.payment, typ, r.Reference, r.Amount, time.Now(), time.Now())
	return r
}

// do makes the gateway do it.
func (s *shop) do(t *testing.T, r payment.OperationRequest) []payment.Fact {
	t.Helper()
	operate := map[payment.Type]func(context.Context, payment.OperationRequest) []payment.Fact{
		payment.Authorize: s.Increase, payment.Capture: s.Capture, payment.Refund: s.Refund, payment.Void: s.Void,
	}[r.Type]
	facts := operate(t.Context(), r)
	require.Equal(t, r.Reference, facts[0].Reference, "the first is about what was asked")
	return facts
}

// ask asks what became of it.
func (s *shop) ask(r payment.OperationRequest) ([]payment.Fact, error) {
	return s.Inquire(context.Background(), payment.Inquiry{
		Reference: r.Reference, Type: r.Type, Amount: r.Amount, Initial: *r.Initial(), CreatedAt: time.Now(),
	})
}

// sums are what is authorized, captured, refunded and voided.
func (a attempt) sums() []string {
	sums := a.payment.Sums
	return []string{sums.Authorized.String(), sums.Captured.String(), sums.Refunded.String(), sums.Voided.String()}
}

func TestMoneyIsCapturedInPartsGivenBackAndReleased(t *testing.T) {
	t.Parallel()
	s := openShop(t, nil)
	a := s.paid(t, "card-manual")
	for _, step := range []struct {
		typ   payment.Type
		minor int64
		sums  []string
	}{
		{payment.Authorize, 1005, []string{"140.00", "0.00", "0.00", "0.00"}},
		{payment.Capture, 5000, []string{"140.00", "50.00", "0.00", "0.00"}},
		{payment.Refund, 1000, []string{"140.00", "50.00", "10.00", "0.00"}},
		{payment.Capture, 6000, []string{"140.00", "110.00", "10.00", "0.00"}},
		{payment.Refund, 10000, []string{"140.00", "110.00", "110.00", "0.00"}},
		{payment.Void, 3000, []string{"140.00", "110.00", "110.00", "30.00"}},
	} {
		a.record(t, s.do(t, s.announce(a, step.typ, step.minor, ""))...)
		require.Equal(t, step.sums, a.sums(), step.typ)
		require.Empty(t, a.order.Review)
	}
	found, err := s.Inquire(t.Context(), a.inquiry())
	require.NoError(t, err)
	a.record(t, found...)
	require.Len(t, a.payment.Transactions, 7, "asking about the payment finds nothing else")
	require.Equal(t, []string{"140.00", "110.00", "110.00", "30.00"}, a.sums())
}

func TestASaleIsGivenBack(t *testing.T) {
	t.Parallel()
	s := openShop(t, nil)
	a := s.paid(t, "card")
	a.record(t, s.do(t, s.announce(a, payment.Refund, 2995, ""))...)
	a.record(t, s.do(t, s.announce(a, payment.Refund, 10000, ""))...)
	require.Equal(t, payment.StatusRefunded, a.payment.Status)
	require.Empty(t, a.order.Review)
}

// TestAFinalCaptureReleasesTheRest learns of the release from the answer, from a
// question, or from the notification, each alone, and twice.
func TestAFinalCaptureReleasesTheRest(t *testing.T) {
	t.Parallel()
	for _, scenario := range []string{"", "error_after_charge", "pending_then_approve", "already_done", "no_echo"} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			s := openShop(t, nil)
			a := s.paid(t, "card-manual")
			r := s.announce(a, payment.Capture, 10000, scenario)
			r.Final = true
			a.record(t, s.do(t, r)...)
			if scenario == "pending_then_approve" {
				require.Equal(t, []string{"129.95", "0.00", "0.00", "0.00"}, a.sums(), "nothing is released for a capture that may fail")
				notice, err := s.ReadNotification(t.Context(), s.notified(t))
				require.NoError(t, err)
				a.record(t, notice.Facts...)
			}
			for range 2 {
				facts, err := s.ask(r)
				require.NoError(t, err)
				require.Len(t, facts, 2)
				require.Equal(t, payment.Void, facts[1].Type)
				require.Equal(t, r.Reference, facts[1].Reference)
				require.NotEmpty(t, facts[1].GatewayReference)
				a.record(t, facts...)
				require.Equal(t, []string{"129.95", "100.00", "0.00", "29.95"}, a.sums())
			}
			require.Len(t, a.payment.Transactions, 3)
			require.Equal(t, payment.StatusPartiallyPaid, a.payment.Status)
			require.Empty(t, a.order.Review)
		})
	}
}

func TestWhatTheAnswerToAnOperationProves(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		scenario string
		answer   payment.State
		reason   string
		truth    payment.State // what the PSP says when asked; "" for no such operation
	}{
		{"", payment.Approved, "", payment.Approved},
		{"decline", payment.Declined, "do_not_honor", payment.Declined},
		{"insufficient_funds", payment.Declined, "insufficient_funds", payment.Declined},
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
		{"already_done", payment.Approved, "", payment.Approved},
		{"action_required", payment.NotSent, "invalid_data", ""},
	} {
		for _, typ := range []payment.Type{payment.Capture, payment.Refund, payment.Void, payment.Authorize} {
			t.Run(string(typ)+" "+c.scenario, func(t *testing.T) {
				t.Parallel()
				s := openShop(t, nil)
				a := s.paid(t, map[bool]string{true: "card", false: "card-manual"}[typ == payment.Refund])
				r := s.announce(a, typ, 5000, c.scenario)
				if c.reason == gateways.ReasonTimeout {
					s.waits(t, 300*time.Millisecond)
				}
				facts := s.do(t, r)
				s.waits(t, 10*time.Second)
				require.Equal(t, c.answer, facts[0].State, facts[0].Reason)
				require.Equal(t, c.reason, facts[0].Reason.Code)
				a.record(t, facts...)
				if c.truth == "" {
					_, err := s.ask(r)
					require.ErrorIs(t, err, gateways.ErrNotFound)
					return
				}
				require.Eventually(t, func() bool {
					facts, err := s.ask(r)
					return err == nil && facts[0].State == c.truth
				}, 10*time.Second, 5*time.Millisecond)
				facts, err := s.ask(r)
				require.NoError(t, err)
				a.record(t, facts...)
				require.Equal(t, c.truth, a.payment.Transactions[1].State)
				require.Len(t, a.payment.Transactions, 2)
				require.Empty(t, a.order.Review)
			})
		}
	}
}

func TestOtherMoneyThanAskedForIsNotMoved(t *testing.T) {
	t.Parallel()
	for scenario, kind := range map[string]payment.CaseKind{
		"wrong_amount": payment.CaseAmountMismatch, "wrong_currency": payment.CaseCurrencyMismatch,
	} {
		for _, typ := range []payment.Type{payment.Capture, payment.Void, payment.Authorize} {
			t.Run(scenario+" "+string(typ), func(t *testing.T) {
				t.Parallel()
				s := openShop(t, nil)
				a := s.paid(t, "card-manual")
				r := s.announce(a, typ, 5000, scenario)
				a.record(t, s.do(t, r)...)
				require.Equal(t, payment.Unknown, a.payment.Transactions[1].State)
				require.Equal(t, kind, a.order.Review)
				require.Equal(t, []string{"129.95", "0.00", "0.00", "0.00"}, a.sums())
			})
		}
	}
}

// TestWhatSomebodyDidThereBeforeIsNoError has the merchant's dashboard be faster.
func TestWhatSomebodyDidThereBeforeIsNoError(t *testing.T) {
	t.Parallel()
	for event, typ := range map[string]payment.Type{"captured": payment.Capture, "voided": payment.Void, "refunded": payment.Refund} {
		for amount, code := range map[string]string{"": "not_allowed", `,"amount":"100.00"`: "amount_exceeds"} {
			t.Run(event+" "+code, func(t *testing.T) {
				t.Parallel()
				s := openShop(t, nil)
				a := s.paid(t, map[bool]string{true: "card", false: "card-manual"}[typ == payment.Refund])
				s.control(t, a.request.Reference, "notify", `{"event":"`+event+`"`+amount+`}`)
				facts := s.do(t, s.announce(a, typ, 12995, ""))
				require.Equal(t, payment.Declined, facts[0].State, "asked by our reference, the PSP knew of none")
				require.Equal(t, code, facts[0].Reason.Code)
				a.record(t, facts...)
				require.Len(t, a.payment.Transactions, 3, "and why is told along with it")
				require.Equal(t, typ, a.payment.Transactions[2].Type)
				require.Equal(t, payment.Approved, a.payment.Transactions[2].State)
				require.Empty(t, a.order.Review)
			})
		}
	}
}

func TestAnOperationIsMadeOnce(t *testing.T) {
	t.Parallel()
	s := openShop(t, nil)
	a := s.paid(t, "card")
	r := s.announce(a, payment.Refund, 5000, "")
	first := s.do(t, r)
	require.Equal(t, first, s.do(t, r), "our reference is the key")
	r.Amount = a.request.Amount
	again := s.do(t, r)
	require.Equal(t, payment.Unknown, again[0].State, "something exists under this reference")
	require.Equal(t, "reference_conflict", again[0].Reason.Code)
}

func TestAnswerAndNotificationOfAnOperationAreOne(t *testing.T) {
	t.Parallel()
	for _, typ := range []payment.Type{payment.Capture, payment.Refund, payment.Void, payment.Authorize} {
		for _, scenario := range []string{"pending_then_approve", "pending_then_decline"} {
			t.Run(string(typ)+" "+scenario, func(t *testing.T) {
				t.Parallel()
				s := openShop(t, nil)
				a := s.paid(t, map[bool]string{true: "card", false: "card-manual"}[typ == payment.Refund])
				r := s.announce(a, typ, 5000, scenario)
				answer := s.do(t, r)
				notice, err := s.ReadNotification(t.Context(), s.notified(t))
				require.NoError(t, err)
				require.Equal(t, a.request.Reference, notice.Reference)
				a.record(t, notice.Facts...)
				a.record(t, answer...)
				require.Len(t, a.payment.Transactions, 2)
				require.False(t, a.payment.Transactions[1].State.Open())
				require.Empty(t, a.order.Review)
			})
		}
	}
}
