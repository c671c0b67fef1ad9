package outbound_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/outbound"
)

// keyOf is a key that is one character over and over.
func keyOf(of string) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte(of), 32))
}

// secrets are derived from such keys, the newest first.
func secrets(t *testing.T, of ...string) outbound.Secrets {
	t.Helper()
	list := make([]string, len(of))
	for i, one := range of {
		list[i] = keyOf(one)
	}
	s, err := outbound.ParseSecrets(strings.Join(list, ", "))
	require.NoError(t, err)
	return s
}

func of(t *testing.T, s outbound.Secrets, version int) string {
	t.Helper()
	secret, err := s.Of("whk_1", version)
	require.NoError(t, err)
	return secret
}

// An operator puts a new key before the old one, rotates the secret of an endpoint,
// and drops the old key once its store has the new secret.
func TestAReceiverFollowsANewKeyWithoutMissingAMessage(t *testing.T) {
	t.Parallel()
	told := of(t, secrets(t, "o"), 1)
	both, after := secrets(t, "n", "o"), secrets(t, "n")
	signing := func(s outbound.Secrets, versions ...int) []string {
		all, err := s.Signing("whk_1", versions)
		require.NoError(t, err)
		return all
	}
	require.Contains(t, signing(both, 1), told, "a new key changes nothing for who knows the old secret")
	news := of(t, both, 2)
	require.Equal(t, news, of(t, after, 2), "what the store is told is of the new key")
	overlap := signing(both, 2, 1)
	require.Contains(t, overlap, told, "the old secret signs until the overlap is over")
	require.Equal(t, news, overlap[0], "the newest is the first")
	require.Len(t, overlap, 4)
	require.NotContains(t, signing(both, 2), told)
	require.Equal(t, []string{news}, signing(after, 2))
}

// What receivers have is a library that knows one secret.
func TestAMessageOfTwoKeysIsVerifiedWithEither(t *testing.T) {
	t.Parallel()
	var got http.Header
	var body []byte
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		got = r.Header
		body, _ = io.ReadAll(r.Body)
	})
	m := message(url)
	var err error
	m.Secrets, err = secrets(t, "n", "o").Signing("whk_1", []int{1})
	require.NoError(t, err)
	_, err = local(t).Post(t.Context(), m)
	require.NoError(t, err)
	for _, known := range []string{"o", "n"} {
		hook, err := standardwebhooks.NewWebhook(of(t, secrets(t, known), 1))
		require.NoError(t, err)
		require.NoError(t, hook.VerifyIgnoringTimestamp(body, got), known)
	}
	hook, err := standardwebhooks.NewWebhook(of(t, secrets(t, "x"), 1))
	require.NoError(t, err)
	require.Error(t, hook.VerifyIgnoringTimestamp(body, got))
}

func TestWhatIsWrongWithKeysIsSaidWithoutThem(t *testing.T) {
	t.Parallel()
	long := keyOf("a")
	for list, why := range map[string]string{
		long + ",": "base64", "," + long: "base64", long + ",,": "base64", long + ";" + keyOf("b"): "base64",
		long + ",c2hvcnQ=": "at least 32",
		long + ", " + long: "twice",
		strings.Join([]string{keyOf("a"), keyOf("b"), keyOf("c"), keyOf("d"), keyOf("e")}, ","): "four",
	} {
		s, err := outbound.ParseSecrets(list)
		require.ErrorContains(t, err, why, list)
		require.False(t, s.Ready())
		for _, text := range append(strings.Split(list, ","), "c2hvcnQ=") {
			if text = strings.TrimSpace(text); text != "" {
				require.NotContains(t, err.Error(), text)
			}
		}
	}
	secrets(t, "a", "b", "c", "d")
}
