package sandbox_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/gateways/sandbox"
	"github.com/paysvc/paysvc/internal/payment"
)

func valid() sandbox.Config {
	return sandbox.Config{BaseURL: "https://psp.example/base/", Account: "a", APIKey: "k", WebhookSecrets: []gateways.Secret{"s"}}
}

func open(t *testing.T, c sandbox.Config) *sandbox.Gateway {
	t.Helper()
	g, err := sandbox.New(c, gateways.Deps{Account: ourAccount, Now: time.Now, Log: zerolog.Nop()})
	require.NoError(t, err)
	return g
}

func TestPaymentDataNamesAScenarioAndNothingElse(t *testing.T) {
	t.Parallel()
	g := open(t, valid())
	for _, data := range []string{"", "null", "{}", `{"scenario":null}`, `{"scenario":"approve"}`, ` {"scenario":"slow"} `} {
		summary, err := g.ValidateData("card", json.RawMessage(data))
		require.NoError(t, err, data)
		require.Equal(t, "Sandbox", summary.Brand)
		require.NotEmpty(t, summary.Masked)
	}
	for data, field := range map[string]string{
		`{"scenario":""}`:                 "data.scenario",
		`{"scenario":"Approve"}`:          "data.scenario",
		`{"scenario":"4111"}`:             "data.scenario",
		`{"scenario":1}`:                  "data.scenario",
		`{"scenario":["approve"]}`:        "data.scenario",
		`{"Scenario":"approve"}`:          "data.Scenario",
		`{"number":"4111"}`:               "data.number",
		`{"4111111111111111":"x"}`:        "data", // a value in the place of a name is not repeated
		`{"a/b":"x"}`:                     "data",
		`{"scenario":"a","scenario":"b"}`: "data",
		`{"scenario":"approve"} {}`:       "data",
		`{"scenario":"approve"`:           "data",
		"{\"scenario\":\"\xff\"}":         "data",
		`"approve"`:                       "data",
		`[]`:                              "data",
		`1e400`:                           "data",
	} {
		_, err := g.ValidateData("card", json.RawMessage(data))
		e, ok := errors.AsType[*payment.Error](err)
		require.True(t, ok, data)
		require.Equal(t, payment.KindInvalid, e.Kind)
		require.Len(t, e.Fields, 1, data)
		require.Equal(t, field, e.Fields[0].Field, data)
		require.NotContains(t, err.Error(), "4111")

		fact := g.Pay(t.Context(), payment.PayRequest{Reference: "R", Method: "card", Data: json.RawMessage(data)})
		require.Equal(t, payment.NotSent, fact.State, "it is not paid with either")
	}
	_, err := g.ValidateData("cash", nil)
	require.Equal(t, payment.KindInvalid, payment.KindOf(err))
}

func TestEveryScenarioOfTheContractIsOffered(t *testing.T) {
	t.Parallel()
	offered := open(t, valid()).Describe().Methods["card"].Widget["scenarios"].([]string)
	slices.Sort(offered)
	require.Equal(t, []string{
		"action_required", "approve", "decline", "error_after_charge", "garbage", "html_502_after_charge",
		"insufficient_funds", "lost_card", "no_echo", "pending_then_approve", "pending_then_decline", "refuse_before_send",
		"slow", "timeout_after_charge", "timeout_no_charge", "wrong_amount", "wrong_currency",
	}, offered)
}

func TestOnlyPaymentsAreAskedAbout(t *testing.T) {
	t.Parallel()
	g := open(t, valid())
	for _, typ := range []payment.Type{payment.Capture, payment.Refund, payment.Void, payment.Chargeback} {
		q := payment.Inquiry{Reference: "R", Type: typ}
		_, err := g.Inquire(t.Context(), q)
		require.Error(t, err)
		require.NotErrorIs(t, err, gateways.ErrNotFound, "else a refund would be taken for one that never was")
		_, err = g.Close(t.Context(), q)
		require.Error(t, err)
	}
}

func TestWrongSettingsAreNamedWithoutTheirValues(t *testing.T) {
	t.Parallel()
	for field, change := range map[string]func(*sandbox.Config){
		"base_url":        func(c *sandbox.Config) { c.BaseURL = "ftp://4711" },
		"account":         func(c *sandbox.Config) { c.Account = "" },
		"api_key":         func(c *sandbox.Config) { c.APIKey = "4711\n" },
		"webhook_secrets": func(c *sandbox.Config) { c.WebhookSecrets = []gateways.Secret{"4711", ""} },
		"timeout":         func(c *sandbox.Config) { c.Timeout = 2 * time.Minute },
		"finality":        func(c *sandbox.Config) { c.Finality = time.Second }, // of a time-out of 15 s
	} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			c := valid()
			change(&c)
			_, err := sandbox.New(c, gateways.Deps{})
			e, ok := errors.AsType[*payment.Error](err)
			require.True(t, ok)
			require.Equal(t, field, e.Fields[0].Field)
			require.NotContains(t, err.Error(), "4711")
		})
	}
}
