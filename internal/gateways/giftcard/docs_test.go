package giftcard_test

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
	page, err := os.ReadFile("../../../docs/gateways/gift-card.md")
	require.NoError(t, err)
	source := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(page)
	require.NotNil(t, source)
	loaded, err := settings.Load("gift-card.md", source[1], settings.Deps{
		Open: func(gateway string, mode payment.Mode, account string, decode func(any) error) (gateways.Gateway, error) {
			return catalog.Open(gateway, gateways.Deps{Account: account, Mode: mode}, decode)
		},
	})
	require.NoError(t, err)
	require.Equal(t, gateways.ReversalOurs, loaded.Method("lamps", "gift-card").Spec.Reversal)
}
