package e2e_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const imported = "6006491260"

// The program counts wrong codes of balances and of payments together, and its
// database has nothing that a code can be tried with.
func TestTheProgramLetsNobodyGuessGiftCards(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	s := d.serve()
	s.do(http.StatusCreated, http.MethodPost, "/v1/gift-cards", "card", `{"amount": "500.00", "currency": "EUR", "code": "`+imported+`"}`)
	require.Zero(t, d.count("select count(*) from gift_cards where code_hash = sha256(convert_to('gift card' || chr(10) || 'demo' || chr(10) || '"+imported+"', 'UTF8'))"))
	for range 1000 {
		s.do(http.StatusNotFound, http.MethodPost, "/v1/gift-cards/balance", "", `{"code": "6006491261"}`)
	}
	a := s.do(http.StatusTooManyRequests, http.MethodPost, "/v1/gift-cards/balance", "", `{"code": "`+imported+`"}`)
	require.Contains(t, string(a.body), "too_many_attempts")
	id := s.newOrder("1", "")
	a = s.do(http.StatusPaymentRequired, http.MethodPost, "/v1/orders/"+id+"/pay", "pay", `{"method": "gift-card", "data": {"code": "`+imported+`"}}`)
	require.Contains(t, string(a.body), "too_many_attempts")
	require.Equal(t, 1, strings.Count(s.log.String(), "are being guessed"))
	require.NotContains(t, s.log.String(), imported)
}

// An operator who loses the key, or changes it, is told so by whoever issues a card.
func TestTheProgramSaysThatTheKeyOfGiftCardsIsMissing(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	d.serve().do(http.StatusCreated, http.MethodPost, "/v1/gift-cards", "card", `{"amount": "5.00", "currency": "EUR"}`)
	for key, code := range map[string]string{
		"": "gift_cards_not_configured", base64.StdEncoding.EncodeToString(make([]byte, 32)): "gift_cards_other_key",
	} {
		d.env["PAYSVC_SECRET_KEY"] = key
		a := d.serve().do(http.StatusServiceUnavailable, http.MethodPost, "/v1/gift-cards", "another", `{"amount": "5.00", "currency": "EUR"}`)
		require.Contains(t, string(a.body), code)
		require.Contains(t, string(a.body), "PAYSVC_SECRET_KEY")
	}
}
