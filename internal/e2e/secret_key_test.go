package e2e_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// know tells a shop's system the secret of its endpoint.
func (f *storefront) know(secret string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.secret = secret
}

// with runs the service with keys until it is done.
func (d *deployment) with(keys string, do func(s *instance)) {
	d.t.Helper()
	d.env["PAYSVC_SECRET_KEY"] = keys
	s := d.serve()
	do(s)
	s.signal(syscall.SIGTERM)
	require.Zero(d.t, s.wait())
	d.psp.removeInstance(s.base)
}

// An operator replaces the key as the guide says: the new one before the old, rotate
// each endpoint, drop the old one. The shop misses no event, and a shopper no card.
func TestTheKeyOfTheServiceIsReplaced(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	d.env["PAYSVC_OUTBOUND_NETWORKS"] = "127.0.0.0/8"
	f := &storefront{}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	const before = secretKey
	after := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("a new key, ", 3)))
	told := func(s *instance, number string) {
		id := s.newOrder(number, "")
		s.do(http.StatusOK, http.MethodPost, "/v1/orders/"+id+"/pay", "pay-"+number, `{"method": "gift-card", "data": {"code": "6006491260"}}`)
		eventually(t, "order "+number+" is told", func() bool {
			f.mu.Lock()
			defer f.mu.Unlock()
			for _, body := range f.bodies {
				if strings.Contains(body, `"payment.paid"`) && strings.Contains(body, id) {
					return true
				}
			}
			return false
		})
	}
	issue := func(s *instance, status int, key, code string) {
		s.do(status, http.MethodPost, "/v1/gift-cards", key, `{"amount": "900.00", "currency": "EUR", "code": "`+code+`"}`)
	}

	var endpoint struct{ ID, Secret string }
	d.with(before, func(s *instance) {
		issue(s, http.StatusCreated, "one", "6006491260")
		issue(s, http.StatusCreated, "two", "6006491261")
		endpoint = read[struct{ ID, Secret string }](t, s.do(http.StatusCreated, http.MethodPost, "/v1/webhook-endpoints", "", `{"url": "`+server.URL+`"}`))
		f.know(endpoint.Secret)
		told(s, "1")
	})
	d.with(after+","+before, func(s *instance) {
		s.await(&s.log, `"place":2,"cards":2,"payable":2.*older key`)
		told(s, "2")
		issue(s, http.StatusConflict, "three", "6006491261")
		rotated := read[struct{ Secret string }](t, s.do(http.StatusOK, http.MethodPost, "/v1/webhook-endpoints/"+endpoint.ID+"/rotate-secret", "", ""))
		require.NotEqual(t, endpoint.Secret, rotated.Secret)
		told(s, "3")
		f.know(rotated.Secret)
		told(s, "4")
	})
	d.with(after, func(s *instance) {
		s.await(&s.log, `"place":0,"cards":1,"payable":1.*does not have`)
		told(s, "5")
		a := s.do(http.StatusServiceUnavailable, http.MethodPost, "/v1/gift-cards/balance", "", `{"code": "6006491261"}`)
		require.Contains(t, string(a.body), "gift_cards_other_key")
		for _, key := range []string{before, after} {
			require.NotContains(t, s.log.String(), key)
		}
	})
	require.Empty(t, f.strange, "every message is signed as the shop expects")
}

func TestAKeyThatCannotBeReadIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, keys := range []string{secretKey + ",", secretKey + ",hunter2", secretKey + "," + secretKey} {
		r := run(t, map[string]string{"PAYSVC_SECRET_KEY": keys}, "serve")
		require.Equal(t, 1, r.code)
		require.Contains(t, r.err, "PAYSVC_SECRET_KEY: ")
		require.NotContains(t, r.err, "hunter2")
		require.NotContains(t, r.err, secretKey)
	}
}
