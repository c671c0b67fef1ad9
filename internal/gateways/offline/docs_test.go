package offline_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/gateways/catalog"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/settings"
)

func TestTheSettingsOfThePageLoad(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/gateways/offline.md")
	require.NoError(t, err)
	source := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(page)
	require.NotNil(t, source)
	loaded, err := settings.Load("offline.md", source[1], settings.Deps{
		Open: func(gateway string, mode payment.Mode, account string, decode func(any) error) (gateways.Gateway, error) {
			return catalog.Open(gateway, gateways.Deps{Account: account, Mode: mode}, decode)
		},
	})
	require.NoError(t, err)
	require.True(t, loaded.Method("lamps", "invoice").Spec.AuthorizeOnly)
	require.Equal(t, "Payment in advance", loaded.Method("lamps", "prepayment").Title)
	eur, err := payment.ParseCurrency("EUR")
	require.NoError(t, err)
	require.Equal(t, "-2.00", loaded.Method("lamps", "prepayment").Fee.Of(payment.FromMinor(10000, eur)).String())
}
