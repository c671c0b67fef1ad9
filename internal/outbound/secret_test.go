package outbound_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/outbound"
)

func TestSecretsAreDerivedFromOneKey(t *testing.T) {
	t.Parallel()
	s := secrets(t, "k")
	require.True(t, s.Ready())
	seen := map[string]bool{}
	for _, endpoint := range []string{"whk_1", "whk_2", "whk_11"} {
		for version := range 3 {
			made, err := s.Of(endpoint, version)
			require.NoError(t, err)
			require.NoError(t, outbound.CheckSecret(made))
			require.False(t, seen[made])
			seen[made] = true
			again, err := s.Of(endpoint, version)
			require.NoError(t, err)
			require.Equal(t, made, again)
		}
	}
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", s, s, s), strings.Repeat("k", 8))
}

func TestKeysForOtherPurposesAreDerivedToo(t *testing.T) {
	t.Parallel()
	of := func(purpose string, keys ...string) [][]byte {
		derived, err := secrets(t, keys...).Keys(purpose)
		require.NoError(t, err)
		return derived
	}
	cards := of("gift cards", "k")
	require.Len(t, cards, 1)
	require.Len(t, cards[0], 32)
	require.Equal(t, cards, of("gift cards", "k"))
	require.NotEqual(t, cards, of("something else", "k"))
	require.NotEqual(t, cards, of("gift cards", "l"))
	require.Equal(t, [][]byte{of("gift cards", "l")[0], cards[0]}, of("gift cards", "l", "k"), "the newest first")
	_, err := outbound.Secrets{}.Keys("gift cards")
	require.ErrorContains(t, err, "PAYSVC_SECRET_KEY")
}

func TestWithoutAKeyThereAreNoSecrets(t *testing.T) {
	t.Parallel()
	s, err := outbound.ParseSecrets("")
	require.NoError(t, err)
	require.False(t, s.Ready())
	_, err = s.Of("whk_1", 1)
	require.ErrorContains(t, err, "PAYSVC_SECRET_KEY")
	_, err = s.Signing("whk_1", []int{1})
	require.ErrorContains(t, err, "PAYSVC_SECRET_KEY")
	for _, key := range []string{"short", "!!!!", base64.StdEncoding.EncodeToString(make([]byte, 31))} {
		_, err := outbound.ParseSecrets(key)
		require.Error(t, err)
		require.NotContains(t, err.Error(), key)
	}
}
