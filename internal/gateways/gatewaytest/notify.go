package gatewaytest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

const eventID = "suite-event-1"

// reader opens the gateway in front of a PSP that knows the payment, with these
// webhook secrets.
func (s *suite) reader(t *testing.T, secrets ...gateways.Secret) gateways.NotificationReader {
	t.Helper()
	g := s.open(t, Settings{
		BaseURL: s.connect(t, s.answering(says(payment.Approved))).url,
		APIKey:  apiKey, WebhookSecrets: secrets, Timeout: timeout,
	})
	return g.(gateways.NotificationReader)
}

// genuine is an authentic notification of an approval.
func (s *suite) genuine() payment.RawNotification {
	return s.PSP.Sign(s.PSP.Notification(says(payment.Approved), eventID), webhookSecret, now)
}

func (s *suite) testNotification(t *testing.T) {
	t.Parallel()
	for _, state := range []payment.State{payment.Approved, payment.Declined} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			raw := s.PSP.Sign(s.PSP.Notification(says(state), eventID), webhookSecret, now)
			n, err := s.reader(t, webhookSecret).ReadNotification(t.Context(), raw)
			require.NoError(t, err)
			require.Equal(t, eventID, n.EventID)
			require.NotEmpty(t, n.Type)
			require.Equal(t, reference, n.Reference)
			_, p := s.record(t, n.Facts...)
			require.Equal(t, state, p.Transactions[0].State)
			again, err := s.reader(t, webhookSecret).ReadNotification(t.Context(), raw)
			require.NoError(t, err)
			require.Equal(t, n, again, "it reads the same each time")
		})
	}
	t.Run("while secrets are rotated", func(t *testing.T) {
		t.Parallel()
		for _, secrets := range [][]gateways.Secret{{webhookSecret, "new"}, {"old", webhookSecret}} {
			_, err := s.reader(t, secrets...).ReadNotification(t.Context(), s.genuine())
			require.NoError(t, err)
		}
	})
	t.Run("of an unknown event", func(t *testing.T) {
		t.Parallel()
		raw := s.PSP.Sign(s.PSP.UnknownEvent(eventID), webhookSecret, now)
		n, err := s.reader(t, webhookSecret).ReadNotification(t.Context(), raw)
		require.NoError(t, err)
		require.Equal(t, eventID, n.EventID)
		require.Empty(t, n.Facts)
	})
	t.Run("that the sender corrupted", func(t *testing.T) {
		t.Parallel()
		reader := s.reader(t, webhookSecret)
		for _, body := range []string{
			"", "null", "[]", "{}", canary, "{\"id\":\"\x00\"}", "{\"id\":\"\\u0000\"}", "{\"id\":\"\xff\"}", `{"id":1e400}`,
			strings.Repeat(`{"id":`, 50_000),
		} {
			n, err := reader.ReadNotification(t.Context(), s.PSP.Sign([]byte(body), webhookSecret, now))
			require.Equal(t, payment.KindInvalid, payment.KindOf(err), "authentic, and cannot be read: %q", body[:min(len(body), 20)])
			require.Empty(t, n.Facts)
			require.NotContains(t, err.Error(), canary)
		}
	})
}

func (s *suite) testForgery(t *testing.T) {
	t.Parallel()
	refused := func(t *testing.T, reader gateways.NotificationReader, raw payment.RawNotification, why string) {
		t.Helper()
		n, err := reader.ReadNotification(t.Context(), raw)
		require.Equal(t, payment.KindUnauthenticated, payment.KindOf(err), why)
		require.Zero(t, n, "and it says nothing")
	}
	t.Run("without a secret", func(t *testing.T) {
		t.Parallel()
		refused(t, s.reader(t), s.genuine(), "no secret configured")
		refused(t, s.reader(t), s.PSP.Sign(s.genuine().Body, "", now), "signed with no secret")
	})
	t.Run("by somebody else", func(t *testing.T) {
		t.Parallel()
		reader, body := s.reader(t, webhookSecret), s.genuine().Body
		for _, secret := range []gateways.Secret{"", "other", webhookSecret + "x", webhookSecret[1:]} {
			refused(t, reader, s.PSP.Sign(body, secret, now), "another secret")
		}
		refused(t, s.reader(t, "of another account"), s.genuine(), "another account's secret")
	})
	t.Run("old or early", func(t *testing.T) {
		t.Parallel()
		if s.PSP.Tolerance == 0 {
			return
		}
		reader, body := s.reader(t, webhookSecret), s.genuine().Body
		for _, sign := range []time.Duration{1, -1} {
			_, err := reader.ReadNotification(t.Context(), s.PSP.Sign(body, webhookSecret, now.Add(sign*s.PSP.Tolerance)))
			require.NoError(t, err, "just in time")
			refused(t, reader, s.PSP.Sign(body, webhookSecret, now.Add(sign*(s.PSP.Tolerance+time.Second))), "out of time")
		}
	})
	t.Run("header", func(t *testing.T) {
		t.Parallel()
		reader := s.reader(t, webhookSecret)
		for _, name := range s.PSP.SignedHeaders {
			value := s.genuine().Headers[name][0]
			for why, values := range map[string][]string{
				"missing": nil, "empty": {""}, "twice": {value, value}, "space before": {" " + value}, "more behind": {value + ","},
				"a thousand": {strings.Repeat(value+",", 1000) + value}, "a megabyte": {strings.Repeat("x", 1<<20)},
			} {
				raw := s.genuine()
				raw.Headers[name] = values
				refused(t, reader, raw, name+" "+why)
			}
		}
	})
	t.Run("changed on the way", func(t *testing.T) {
		t.Parallel()
		reader := s.reader(t, webhookSecret)
		for why, raw := range s.mutations() {
			refused(t, reader, raw, why)
		}
	})
}

// mutations are genuine notifications with one bit turned, in the body or in a
// header that holds the proof, and with bytes lost or added.
func (s *suite) mutations() map[string]payment.RawNotification {
	mutated := map[string]payment.RawNotification{}
	for bit := range len(s.genuine().Body) * 8 {
		raw := s.genuine()
		raw.Body = flip(raw.Body, bit)
		mutated[fmt.Sprintf("bit %d of the body", bit)] = raw
	}
	for _, name := range s.PSP.SignedHeaders {
		for bit := range len(s.genuine().Headers[name][0]) * 8 {
			raw := s.genuine()
			raw.Headers[name] = []string{string(flip([]byte(raw.Headers[name][0]), bit))}
			mutated[fmt.Sprintf("bit %d of %s", bit, name)] = raw
		}
	}
	body := s.genuine().Body
	for why, other := range map[string][]byte{
		"shorter": body[:len(body)-1], "longer": slices.Concat(body, []byte(" ")), "BOM": slices.Concat([]byte("\xef\xbb\xbf"), body),
		"empty": nil, "spaced": bytes.ReplaceAll(body, []byte(":"), []byte(": ")),
	} {
		raw := s.genuine()
		raw.Body = other
		mutated["body "+why] = raw
	}
	return mutated
}

func flip(b []byte, bit int) []byte {
	flipped := bytes.Clone(b)
	flipped[bit/8] ^= 1 << (bit % 8)
	return flipped
}

func (s *suite) testGenuineButWrong(t *testing.T) {
	t.Parallel()
	for name, wrong := range s.wrongSays() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := s.PSP.Sign(s.PSP.Notification(wrong, eventID), webhookSecret, now)
			n, err := s.reader(t, webhookSecret).ReadNotification(t.Context(), raw)
			require.NoError(t, err)
			o, p := s.record(t, n.Facts...)
			require.NotEqual(t, payment.Approved, p.Transactions[0].State, "money other than asked for is not paid")
			require.NotEmpty(t, o.Review, "a person looks at it")
		})
	}
}
