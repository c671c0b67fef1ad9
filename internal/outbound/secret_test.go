package outbound_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/outbound"
)

func TestSecretsAreDerivedFromOneKey(t *testing.T) {
	t.Parallel()
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32))
	s, err := outbound.ParseSecrets(key)
	require.NoError(t, err)
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
	s, err := outbound.ParseSecrets(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32)))
	require.NoError(t, err)
	cards, err := s.Key("gift cards")
	require.NoError(t, err)
	require.Len(t, cards, 32)
	again, err := s.Key("gift cards")
	require.NoError(t, err)
	require.Equal(t, cards, again)
	others, err := s.Key("something else")
	require.NoError(t, err)
	require.NotEqual(t, cards, others)
	other, err := outbound.ParseSecrets(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("l"), 32)))
	require.NoError(t, err)
	others, err = other.Key("gift cards")
	require.NoError(t, err)
	require.NotEqual(t, cards, others)
	_, err = outbound.Secrets{}.Key("gift cards")
	require.ErrorContains(t, err, "PAYSVC_SECRET_KEY")
}

func TestWithoutAKeyThereAreNoSecrets(t *testing.T) {
	t.Parallel()
	s, err := outbound.ParseSecrets("")
	require.NoError(t, err)
	require.False(t, s.Ready())
	_, err = s.Of("whk_1", 1)
	require.ErrorContains(t, err, "PAYSVC_SECRET_KEY")
	for _, key := range []string{"short", "!!!!", base64.StdEncoding.EncodeToString(make([]byte, 31))} {
		_, err := outbound.ParseSecrets(key)
		require.Error(t, err)
		require.NotContains(t, err.Error(), key)
	}
}
