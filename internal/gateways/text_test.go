package gateways_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

func TestWordsOfAPSPAreSafeToKeep(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		code, message := rapid.String().Draw(t, "code"), string(rapid.SliceOf(rapid.Byte()).Draw(t, "message"))
		r := gateways.PlainReason(code, message, rapid.String().Draw(t, "decline"))
		if strings.Trim(r.Code, "abcdefghijklmnopqrstuvwxyz0123456789_.") != "" || len(r.Code) > 64 {
			t.Fatalf("code %q", r.Code)
		}
		if !utf8.ValidString(r.Message) || len(r.Message) > 300 || strings.ContainsFunc(r.Message, unicode.IsControl) {
			t.Fatalf("message %q", r.Message)
		}
	})
	require.Equal(t,
		payment.Reason{Code: "insufficient_funds", Message: "Not enough money", Decline: "soft"},
		gateways.PlainReason("Insufficient-Funds", "Not enough\x00money\n", "soft"))
	require.Empty(t, gateways.PlainReason("", "", "SOFT").Decline)
	require.Equal(t, "é", gateways.PlainReason("", "é"+strings.Repeat(" ", 400), "").Message)
}

func TestNamesThatTheDatabaseWouldRefuseAreNotTaken(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"sbx_1", "A", strings.Repeat("x", 255)} {
		require.True(t, gateways.PlainID(id), id)
	}
	for _, id := range []string{"", " ", "a b", "a\x00", "é", "\xff", "a\n", strings.Repeat("x", 256)} {
		require.False(t, gateways.PlainID(id), id)
	}
}

func TestOurReferencesAreTold(t *testing.T) {
	t.Parallel()
	ids := payment.NewIDs(time.Now, rand.Reader)
	for range 100 {
		require.True(t, gateways.OurReference(ids.Reference()))
	}
	for _, foreign := range []string{"", "sbo_1", "sbo_k3sv1tereference", strings.Repeat("A", 19), strings.Repeat("A", 21), "01K3SU1TEREFERENCE00"} {
		require.False(t, gateways.OurReference(foreign), foreign)
	}
}
