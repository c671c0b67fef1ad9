package catalog_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/gateways/catalog"
	"github.com/paysvc/paysvc/internal/payment"
)

// notGateways are the directories beside the gateways that are none.
var notGateways = []string{"catalog", "gatewaytest"}

func TestCatalogListsEveryGateway(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir("..")
	require.NoError(t, err)
	var directories, listed []string
	for _, e := range entries {
		if e.IsDir() && !slices.Contains(notGateways, e.Name()) {
			directories = append(directories, e.Name())
		}
	}
	for _, e := range catalog.All() {
		listed = append(listed, strings.ReplaceAll(e.Name, "-", ""))
	}
	require.Equal(t, directories, listed, "sorted, each once, and named as their directories")
}

func deps() gateways.Deps {
	return gateways.Deps{Account: "main", Mode: payment.ModeTest, Now: time.Now, Log: zerolog.Nop()}
}

// decoding returns what settings hand a gateway to read its part with.
func decoding(source string) func(any) error {
	return func(target any) error {
		return yaml.UnmarshalWithOptions([]byte(source), target, yaml.Strict())
	}
}

func TestGatewaysOpenFromTheirSettings(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]string{
		"zero": "", "gift-card": "",
		"offline": "invoice:\n  mode_on_order: authorized\n  title: On account\n  instructions: |\n    Transfer {total} {currency} for {number}.\n" +
			"purchase-order-number:\n  unique: customer\n",
		"sandbox": "base_url: http://127.0.0.1:9\naccount: demo\napi_key: k\nwebhook_secrets: [a, b]\ntimeout: 5s\nfinality: 10s\n",
	} {
		g, err := catalog.Open(name, deps(), decoding(source))
		require.NoError(t, err, name)
		require.Equal(t, name, g.Describe().Name)
		if name == "sandbox" {
			require.Equal(t, 10*time.Second, g.Describe().Finality)
		}
	}
}

func TestWhatCannotBeOpenedIsNil(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]string{
		"sandbox": "base_url: nowhere\n", "offline": "manual:\n  mode_on_order: later\n", "Sandbox": "", "": "",
	} {
		g, err := catalog.Open(name, deps(), decoding(source))
		require.Error(t, err, name)
		require.Nil(t, g)
	}
	_, err := catalog.Open("sandbox", deps(), decoding("base_url: http://127.0.0.1:9\napi_keys: k\n"))
	require.Error(t, err, "a setting that nobody reads")
}
