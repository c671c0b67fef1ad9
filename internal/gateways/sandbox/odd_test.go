package sandbox_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/gateways/gatewaytest"
	"github.com/paysvc/paysvc/internal/gateways/sandbox"
	"github.com/paysvc/paysvc/internal/payment"
)

const oddReference = "01K3SV1TEREFERENCE00"

// says is an object that says all is well, with fields changed.
func says(t *testing.T, state payment.State, change map[string]any) map[string]any {
	t.Helper()
	eur, err := payment.ParseCurrency("EUR")
	require.NoError(t, err)
	o := object(gatewaytest.Says{
		Reference: oddReference, State: state, Capture: true, Amount: payment.FromMinor(500, eur), Mode: payment.ModeTest,
	})
	maps.Copy(o, change)
	return o
}

// told asks a PSP that answers every question with this.
func told(t *testing.T, status int, body any) (paid payment.Fact, facts []payment.Fact, err error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { write(w, status, body) }))
	t.Cleanup(server.Close)
	c := valid()
	c.BaseURL, c.Account = server.URL, theirAccount
	g := open(t, c)
	eur, err := payment.ParseCurrency("EUR")
	require.NoError(t, err)
	paid = g.Pay(t.Context(), payment.PayRequest{
		Reference: oddReference, Capture: true, Amount: payment.FromMinor(500, eur), Method: "card",
	})
	facts, err = g.Inquire(t.Context(), payment.Inquiry{Reference: oddReference, Type: payment.AuthorizeAndCapture})
	return paid, facts, err
}

func TestAStateThatNobodyKnowsIsUnknown(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"", "APPROVED", "paid", "settled", "approved "} {
		paid, facts, err := told(t, http.StatusOK, says(t, payment.Approved, map[string]any{"state": state}))
		require.Equal(t, payment.Unknown, paid.State)
		require.Equal(t, "unknown_state", paid.Reason.Code)
		require.NoError(t, err)
		require.Equal(t, payment.Unknown, facts[0].State)
	}
}

func TestAnAnswerThatLeavesSomethingOutProvesNothing(t *testing.T) {
	t.Parallel()
	for _, field := range []string{"reference", "amount", "currency", "account", "mode"} {
		o := says(t, payment.Approved, nil)
		delete(o, field)
		paid, facts, err := told(t, http.StatusOK, o)
		require.Equal(t, payment.Unknown, paid.State, field)
		require.Equal(t, "answer_without_echo", paid.Reason.Code, field)
		require.Error(t, err, field)
		require.Empty(t, facts)

		n := encode(map[string]any{
			"id": "evt_1", "event": "paid", "created": "2026-03-01T12:00:00Z", "payment": o,
			"operation": o["operations"].([]map[string]any)[0],
		})
		c := valid()
		c.Account = theirAccount
		notice, err := open(t, c).ReadNotification(t.Context(), sign(n, "s", time.Now()))
		require.Equal(t, payment.KindInvalid, payment.KindOf(err), field)
		require.Empty(t, notice.Facts)
	}
}

func TestWordsThatCannotBeKeptAreUnreadable(t *testing.T) {
	t.Parallel()
	for _, change := range []map[string]any{
		{"id": "a\x00"}, {"id": ""}, {"id": strings.Repeat("x", 300)}, {"amount": "5,00"}, {"amount": "5.001"}, {"currency": "eur"},
		{"operations": []any{map[string]any{"id": "\x00", "operation": "refund", "amount": "1.00", "currency": "EUR"}}},
		{"operations": []any{map[string]any{"id": "sbo_2", "operation": "refund", "amount": "-1.00", "currency": "EUR"}}},
	} {
		paid, facts, err := told(t, http.StatusOK, says(t, payment.Approved, change))
		require.Equal(t, payment.Unknown, paid.State, change)
		require.Equal(t, gateways.ReasonUnreadableAnswer, paid.Reason.Code)
		require.Error(t, err)
		require.Empty(t, facts)
	}
}

func TestOnlyThePSPCanSayThatThereIsNoPayment(t *testing.T) {
	t.Parallel()
	for _, body := range []any{
		map[string]any{}, map[string]any{"error": map[string]any{"code": "no_route"}}, map[string]any{"message": "not_found"},
	} {
		_, _, err := told(t, http.StatusNotFound, body)
		require.Error(t, err)
		require.NotErrorIs(t, err, gateways.ErrNotFound)
	}
}

func TestTheShopperIsSentToWebPagesOnly(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "javascript:alert(1)", "data:text/html,x", "//psp.example", "/pay", "https://"} {
		paid, _, _ := told(t, http.StatusOK, says(t, payment.ActionRequired, map[string]any{"redirect_url": url}))
		require.Equal(t, payment.ActionRequired, paid.State)
		require.Nil(t, paid.NextAction, url)
	}
}

// TestAnOperationOfOursKeepsItsName is what captures and refunds will need:
// ours are found by our reference, those of the PSP by its own.
func TestAnOperationOfOursKeepsItsName(t *testing.T) {
	t.Parallel()
	const ours = "01K3SV1TEREFERENCE01"
	operation := func(reference, kind, state string) map[string]any {
		return map[string]any{
			"id": "sbo_" + kind, "operation": kind, "reference": reference, "amount": "1.00", "currency": "EUR", "state": state,
		}
	}
	_, facts, err := told(t, http.StatusOK, says(t, payment.Approved, map[string]any{"operations": []any{
		operation(oddReference, "charge", "approved"), operation(ours, "refund", "pending"),
		operation("sbo_chargeback", "chargeback", "approved"), operation(ours, "teleport", "approved"),
		operation("sbo_void", "void", "vanished"),
	}}))
	require.NoError(t, err)
	require.Len(t, facts, 4, "an operation that nobody knows says nothing")
	require.Equal(t, payment.Fact{
		Source: payment.SourceInquiry, Reference: ours, Type: payment.Refund, GatewayReference: "sbo_refund",
		State: payment.Pending, Amount: facts[1].Amount, Account: ourAccount, Mode: payment.ModeTest,
	}, facts[1])
	require.Equal(t, "1.00", facts[1].Amount.String())
	require.Equal(t, oddReference, facts[2].Reference)
	require.Equal(t, payment.Chargeback, facts[2].Type)
	require.Equal(t, payment.Unknown, facts[3].State)
}

func TestTheWorkOfVerifyingIsBounded(t *testing.T) {
	t.Parallel()
	g := open(t, valid())
	body := []byte(`{"id":"evt_1","event":"new_event"}`)
	genuine := sign(body, "s", time.Now()).Headers["Sandbox-Signature"][0]
	stamp, signature, _ := strings.Cut(genuine, ",")
	for header, accepted := range map[string]bool{
		genuine: true,
		stamp + ",v1=00,v1=11,v1=22," + signature:                    true, // while the PSP rotates its secrets
		stamp + strings.Repeat(",v1=00", 8) + "," + signature:        false,
		stamp + ",v1=" + strings.Repeat("0", 2048) + "," + signature: false,
		stamp + ",v0=00," + signature:                                true, // a scheme that is not ours to know
		stamp + "," + stamp + "," + signature:                        false,
		stamp + "," + strings.ToUpper(signature[3:]):                 false,
		stamp: false,
		"":    false,
	} {
		_, err := g.ReadNotification(t.Context(), payment.RawNotification{
			Body: body, Headers: map[string][]string{"Sandbox-Signature": {header}},
		})
		if accepted {
			require.NoError(t, err, header)
		} else {
			require.Equal(t, payment.KindUnauthenticated, payment.KindOf(err), header)
		}
	}
}

func TestTheRequestIsWhatTheProtocolAsksFor(t *testing.T) {
	t.Parallel()
	var method, path, authorization string
	var got map[string]any
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method, path, authorization = r.Method, r.URL.Path, r.Header.Get("Authorization")
		_ = json.NewDecoder(r.Body).Decode(&got)
		w.WriteHeader(http.StatusInternalServerError)
	}))
	t.Cleanup(server.Close)
	c := sandbox.Config{BaseURL: server.URL + "/base/", Account: "a", APIKey: "k"}
	kwd, err := payment.ParseCurrency("KWD")
	require.NoError(t, err)
	open(t, c).Pay(t.Context(), payment.PayRequest{
		Reference: oddReference, Amount: payment.FromMinor(1250, kwd), Method: "wallet",
		Data: json.RawMessage(`{"scenario":"decline"}`), SuccessURL: "https://s", FailureURL: "https://f", NotifyURL: "https://n",
	})
	require.Equal(t, []string{"POST", "/base/sandbox/v1/payments", "Bearer k"}, []string{method, path, authorization})
	require.Equal(t, map[string]any{
		"reference": oddReference, "amount": "1.250", "currency": "KWD", "capture": false, "flow": "redirect",
		"scenario": "decline", "success_url": "https://s", "failure_url": "https://f", "notify_url": "https://n",
	}, got)
}
