package offline_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/gateways/gatewaytest"
	"github.com/paysvc/paysvc/internal/gateways/offline"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// kinds are the methods, and data what a shopper enters for those that ask.
func kinds() []string {
	return []string{
		"invoice", "prepayment", "cash-on-delivery", "pay-in-store", "direct-debit", "purchase-order-number", "manual",
	}
}

func dataOf(method string) []byte {
	switch method {
	case "direct-debit":
		return []byte(`{"account_holder": "Ann Person", "iban": "NL91 ABNA 0417 1643 00"}`)
	case "purchase-order-number":
		return []byte(`{"purchase_order_number": "PO-2026-17"}`)
	}
	return nil
}

// all returns settings with the same for every method.
func all(m offline.Method) offline.Config {
	return offline.Config{
		Invoice: m, Prepayment: m, CashOnDelivery: m, PayInStore: m, DirectDebit: m, Manual: m,
		PurchaseOrderNumber: offline.NumberMethod{ModeOnOrder: m.ModeOnOrder, Title: m.Title, Instructions: m.Instructions},
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, mode := range []offline.ModeOnOrder{"", offline.Pending, offline.Authorized, offline.Paid} {
		t.Run("mode "+string(mode), func(t *testing.T) {
			t.Parallel()
			gatewaytest.Run(t, gatewaytest.Harness{
				Name: offline.Name,
				Open: func(d gateways.Deps, _ gatewaytest.Settings) (gateways.Gateway, error) {
					return offline.New(all(offline.Method{ModeOnOrder: mode, Instructions: "Pay {total} {currency} for {number}."}), d)
				},
				Request: func(r payment.PayRequest) payment.PayRequest {
					r.Data = dataOf(r.Method)
					return r
				},
			})
		})
	}
}

// open returns the gateway, and a request to pay 129.95 EUR of order {total}-1.
func open(t *testing.T, c offline.Config, method string) (*offline.Gateway, payment.PayRequest) {
	t.Helper()
	g, err := offline.New(c, gateways.Deps{Account: "office", Mode: payment.ModeLive})
	require.NoError(t, err)
	eur, err := payment.ParseCurrency("EUR")
	require.NoError(t, err)
	order := &payment.Order{Details: payment.Details{Number: "{total}-1", Currency: eur, Total: payment.FromMinor(12995, eur)}}
	return g, payment.PayRequest{Reference: "R", Amount: order.Total, Method: method, Order: order, Data: dataOf(method)}
}

func TestTheSevenMethods(t *testing.T) {
	t.Parallel()
	g, _ := open(t, offline.Config{}, "invoice")
	described := g.Describe().Methods
	require.Len(t, described, 7)
	for _, kind := range kinds() {
		m, ok := described[kind]
		require.True(t, ok, kind)
		asks := dataOf(kind) != nil
		require.Equal(t, asks, m.RequiresInteraction, kind)
		require.Equal(t, asks, m.Widget != nil, kind)
	}
	require.Equal(t, map[string]any{"kind": "form", "fields": []any{
		map[string]any{"name": "account_holder", "required": true}, map[string]any{"name": "iban", "required": true},
		map[string]any{"name": "bic", "required": false},
	}}, described["direct-debit"].Widget)
}

func TestWhatAnOrderIsWorthBeforeItsMoneyCame(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds() {
		for _, c := range []struct {
			mode          offline.ModeOnOrder
			state         payment.State
			authorizeOnly bool
			internal      string
		}{
			{"", payment.Pending, false, "pending-order"},
			{offline.Pending, payment.Pending, false, "pending-order"},
			{offline.Authorized, payment.Approved, true, "pay-order"},
			{offline.Paid, payment.Approved, false, "pay-order"},
		} {
			g, request := open(t, all(offline.Method{ModeOnOrder: c.mode}), kind)
			fact := g.Decide(request)
			require.Equal(t, c.state, fact.State)
			require.Equal(t, payment.SourceGateway, fact.Source)
			require.True(t, fact.Amount.Equal(request.Amount))
			require.Equal(t, "office", fact.Account)
			require.Nil(t, fact.NextAction, "nothing to tell")
			require.Equal(t, c.authorizeOnly, g.Describe().Methods[kind].AuthorizeOnly)

			defaults := pipeline.Definitions{pipeline.Internal: {
				Name: pipeline.Internal, Steps: pipeline.Named("pay-order", "save-order"),
			}}
			edited, err := defaults.Apply(g.EditPipelines(kind))
			require.NoError(t, err)
			require.Equal(t, pipeline.Named(c.internal, "save-order"), edited[pipeline.Internal].Steps, c.mode)
		}
	}
}

func TestEachMethodHasItsOwnSettings(t *testing.T) {
	t.Parallel()
	c := offline.Config{
		Invoice:    offline.Method{ModeOnOrder: offline.Authorized, Title: "On account"},
		Prepayment: offline.Method{Instructions: "Transfer {total} {currency}, reference {number}."},
	}
	g, request := open(t, c, "prepayment")
	require.Equal(t, &payment.NextAction{
		Type: "display", Kind: "instructions", Content: "Transfer 129.95 EUR, reference {total}-1.",
	}, g.Decide(request).NextAction)
	request.Method = "invoice"
	require.Equal(t, payment.Approved, g.Decide(request).State)
	require.Nil(t, g.Decide(request).NextAction)
	require.Equal(t, "On account", g.Describe().Methods["invoice"].Title)
	require.Equal(t, "Payment in advance", g.Describe().Methods["prepayment"].Title)
}

func TestWrongSettingsAreNamed(t *testing.T) {
	t.Parallel()
	for field, c := range map[string]offline.Config{
		"prepayment.mode_on_order":           {Prepayment: offline.Method{ModeOnOrder: "later"}},
		"manual.instructions":                {Manual: offline.Method{Instructions: "Pay {amount}."}},
		"purchase-order-number.instructions": {PurchaseOrderNumber: offline.NumberMethod{Instructions: "Pay {Total}."}},
		"purchase-order-number.unique":       {PurchaseOrderNumber: offline.NumberMethod{Unique: "shop"}},
	} {
		_, err := offline.New(c, gateways.Deps{})
		require.Equal(t, payment.KindInvalid, payment.KindOf(err), field)
		require.ErrorContains(t, err, "invalid")
		require.Equal(t, field, fieldsOf(t, err)[0], err)
	}
}

func TestWhatAnOperatorSaysWasDoneCanBeRecorded(t *testing.T) {
	t.Parallel()
	g, _ := open(t, offline.Config{}, "invoice")
	for _, kind := range kinds() {
		can := g.Describe().Methods[kind].Capabilities
		require.True(t, can.Capture && can.PartialCapture && can.MultipleCaptures, kind)
		require.True(t, can.Refund && can.PartialRefund && can.Void && can.VoidRest, kind)
		require.False(t, can.ReleasesRest || can.Increase, "%s: there is nobody who would do it", kind)
	}
}
