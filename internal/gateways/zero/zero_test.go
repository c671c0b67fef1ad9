package zero_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/gateways/gatewaytest"
	"github.com/paysvc/paysvc/internal/gateways/zero"
	"github.com/paysvc/paysvc/internal/payment"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	gatewaytest.Run(t, gatewaytest.Harness{
		Name: zero.Name,
		Open: func(d gateways.Deps, _ gatewaytest.Settings) (gateways.Gateway, error) {
			return zero.New(d), nil
		},
		Request: func(r payment.PayRequest) payment.PayRequest {
			r.Amount = payment.Zero(r.Amount.Currency())
			return r
		},
	})
}

func TestAnOrderThatCostsNothingIsApproved(t *testing.T) {
	t.Parallel()
	eur, err := payment.ParseCurrency("EUR")
	require.NoError(t, err)
	fact := zero.New(gateways.Deps{}).Decide(payment.PayRequest{Reference: "R", Capture: true, Amount: payment.Zero(eur)})
	require.Equal(t, payment.Approved, fact.State)
	require.Equal(t, payment.SourceGateway, fact.Source)
}

func TestAnythingMoreIsNeitherOfferedNorApproved(t *testing.T) {
	t.Parallel()
	eur, err := payment.ParseCurrency("EUR")
	require.NoError(t, err)
	g := zero.New(gateways.Deps{})
	fact := g.Decide(payment.PayRequest{Reference: "R", Capture: true, Amount: payment.FromMinor(1, eur)})
	require.Equal(t, payment.Declined, fact.State)

	order := &payment.Order{Details: payment.Details{Currency: eur, Total: payment.FromMinor(1, eur)}}
	require.NotEmpty(t, g.Exclude("zero", order))
	order.Total = payment.Zero(eur)
	require.Empty(t, g.Exclude("zero", order))
}
