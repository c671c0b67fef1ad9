package stripe_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/gateways/catalog"
	"github.com/paysvc/paysvc/internal/gateways/stripe"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/settings"
)

// block returns the page's block of code in this language.
func block(t *testing.T, language string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "gateways", "stripe.md"))
	require.NoError(t, err)
	_, after, found := strings.Cut(string(page), "```"+language+"\n")
	require.True(t, found)
	code, _, found := strings.Cut(after, "```")
	require.True(t, found)
	return code
}

func TestThePageListsTheEventsOfTheTable(t *testing.T) {
	t.Parallel()
	listed := strings.Fields(block(t, "text"))
	slices.Sort(listed)
	require.Equal(t, stripe.Events(), listed)
}

func TestThePagesSettingsLoad(t *testing.T) {
	t.Parallel()
	environment := map[string]string{"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRET": "whsec_1"}
	s, err := settings.Load("stripe.md", []byte(block(t, "yaml")), settings.Deps{
		Open: func(gateway string, mode payment.Mode, account string, decode func(any) error) (gateways.Gateway, error) {
			d := deps(nil)
			d.Mode, d.Account = mode, account
			return catalog.Open(gateway, d, decode)
		},
		LookupEnv: func(name string) (string, bool) { v, ok := environment[name]; return v, ok },
		ReadFile:  os.ReadFile,
	})
	require.NoError(t, err)
	require.Equal(t, "checkout", s.Method("lamps", "stripe").Kind)
	require.True(t, s.Method("lamps", "card-later").Spec.AuthorizeOnly)
}
