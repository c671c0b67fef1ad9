package invoice_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/gateways/gatewaytest"
	"github.com/paysvc/paysvc/internal/gateways/invoice"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, mode := range []invoice.ModeOnOrder{"", invoice.Pending, invoice.Authorized, invoice.Paid} {
		t.Run("mode "+string(mode), func(t *testing.T) {
			t.Parallel()
			gatewaytest.Run(t, gatewaytest.Harness{
				Name: invoice.Name,
				Open: func(d gateways.Deps, _ gatewaytest.Settings) (gateways.Gateway, error) {
					return invoice.New(invoice.Config{ModeOnOrder: mode, Instructions: "Pay {total} {currency} for {number}."}, d)
				},
			})
		})
	}
}

// open returns the gateway, and a request to pay 129.95 EUR of order {total}-1.
func open(t *testing.T, c invoice.Config) (*invoice.Gateway, payment.PayRequest) {
	t.Helper()
	g, err := invoice.New(c, gateways.Deps{Account: "office", Mode: payment.ModeLive})
	require.NoError(t, err)
	eur, err := payment.ParseCurrency("EUR")
	require.NoError(t, err)
	order := &payment.Order{Details: payment.Details{Number: "{total}-1", Currency: eur, Total: payment.FromMinor(12995, eur)}}
	return g, payment.PayRequest{Reference: "R", Amount: order.Total, Method: "invoice", Order: order}
}

func TestWhatAnOrderOnInvoiceIsWorth(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mode          invoice.ModeOnOrder
		state         payment.State
		authorizeOnly bool
	}{
		{"", payment.Pending, false},
		{invoice.Pending, payment.Pending, false},
		{invoice.Authorized, payment.Approved, true},
		{invoice.Paid, payment.Approved, false},
	} {
		t.Run("mode "+string(c.mode), func(t *testing.T) {
			t.Parallel()
			g, request := open(t, invoice.Config{ModeOnOrder: c.mode})
			fact := g.Decide(request)
			require.Equal(t, c.state, fact.State)
			require.Equal(t, payment.SourceGateway, fact.Source)
			require.True(t, fact.Amount.Equal(request.Amount))
			require.Equal(t, "office", fact.Account)
			require.Nil(t, fact.NextAction, "nothing to tell")
			require.Equal(t, c.authorizeOnly, g.Describe().Methods["invoice"].AuthorizeOnly)
		})
	}
}

func TestTheShopperIsToldHowToPay(t *testing.T) {
	t.Parallel()
	g, request := open(t, invoice.Config{Instructions: "Transfer {total} {currency}, reference {number}."})
	require.Equal(t, &payment.NextAction{
		Type: "display", Kind: "instructions", Content: "Transfer 129.95 EUR, reference {total}-1.",
	}, g.Decide(request).NextAction)
}

func TestAnOrderThatWaitsForItsMoneyDoesNotLookPaid(t *testing.T) {
	t.Parallel()
	defaults := pipeline.Definitions{pipeline.Internal: {Name: pipeline.Internal, Steps: []string{"pay-order", "save-order"}}}
	for mode, first := range map[invoice.ModeOnOrder]string{
		invoice.Pending: "pending-order", invoice.Authorized: "pay-order", invoice.Paid: "pay-order",
	} {
		g, _ := open(t, invoice.Config{ModeOnOrder: mode})
		edited, err := defaults.Apply(g.EditPipelines("invoice"))
		require.NoError(t, err)
		require.Equal(t, []string{first, "save-order"}, edited[pipeline.Internal].Steps, mode)
	}
}

func TestWrongSettingsAreNamed(t *testing.T) {
	t.Parallel()
	_, err := invoice.New(invoice.Config{ModeOnOrder: "later", Instructions: "Pay {amount}."}, gateways.Deps{})
	require.ErrorContains(t, err, "pending, authorized or paid")
	require.ErrorContains(t, err, "placeholders")
	require.Equal(t, payment.KindInvalid, payment.KindOf(err))
}
