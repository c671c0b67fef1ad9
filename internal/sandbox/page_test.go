package sandbox_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// click posts the page's form; "" only looks at the page.
func (p *psp) click(t *testing.T, page, action string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, page, nil)
	if action != "" {
		req, err = http.NewRequestWithContext(t.Context(), http.MethodPost, page, strings.NewReader(url.Values{"action": {action}}.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	require.NoError(t, err)
	resp, err := p.client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body)
}

func (p *psp) open(t *testing.T, body string) (page string) {
	t.Helper()
	page = ok[object](t, p, "/v1/payments", body).RedirectURL
	require.True(t, strings.HasPrefix(page, "http://psp.test/sandbox/pay/"))
	require.NotContains(t, page, "r1", "the address cannot be guessed from the reference")
	return page
}

func TestThePageShowsWhatIsPaid(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	resp, body := p.click(t, p.open(t, redirectBody("r1", "")), "")
	require.Equal(t, http.StatusOK, resp.StatusCode)
	for _, want := range []string{"Order 10001", "129.95", "EUR", `value="pay"`, `value="decline"`, `value="cancel"`, `method="post"`} {
		require.Contains(t, body, want)
	}
	require.NotContains(t, body, "<script")
	require.NotContains(t, body, "ZgotmplZ")
	policy := resp.Header.Get("Content-Security-Policy")
	require.Contains(t, policy, "default-src 'none'; style-src 'sha256-")
	require.Contains(t, policy, "frame-ancestors 'none'")
	require.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
	require.Equal(t, "no-referrer", resp.Header.Get("Referrer-Policy"))
}

func TestClicksSendTheShopperBack(t *testing.T) {
	t.Parallel()
	for action, want := range map[string][3]string{
		"pay":     {"https://shop.test/thanks", "approved", "Payment complete"},
		"decline": {"https://shop.test/oops", "declined", "Payment declined"},
		"cancel":  {"https://shop.test/oops", "cancelled", "Payment cancelled"},
	} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			p := newPSP(t)
			page := p.open(t, redirectBody("r1", ""))
			resp, _ := p.click(t, page, action)
			require.Equal(t, http.StatusSeeOther, resp.StatusCode)
			require.Equal(t, want[0], resp.Header.Get("Location"))
			require.Equal(t, want[1], p.inquire(t, "r1").State)
			require.Len(t, p.shop.received(), 1, "the shop knows before the shopper is back")

			resp, _ = p.click(t, page, action)
			require.Equal(t, want[0], resp.Header.Get("Location"), "a double click ends in the same place")
			resp, body := p.click(t, page, "")
			require.Equal(t, http.StatusOK, resp.StatusCode)
			require.Contains(t, body, want[2])
			require.Contains(t, body, `href="`+want[0]+`"`)
			require.NotContains(t, body, "<form")
			require.Len(t, p.shop.received(), 1)
		})
	}
}

func TestALateClickDoesNotTurnAPaymentRound(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	page := p.open(t, redirectBody("r1", ""))
	p.click(t, page, "pay")
	resp, body := p.click(t, page, "cancel")
	require.Equal(t, http.StatusConflict, resp.StatusCode)
	require.Contains(t, body, "Payment complete")
	require.Equal(t, "approved", p.inquire(t, "r1").State)
}

func TestAClosedSessionCannotBePaid(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	page := p.open(t, redirectBody("r1", ""))
	ok[object](t, p, "/v1/payments/r1/close", "{}")
	resp, body := p.click(t, page, "pay")
	require.Equal(t, http.StatusConflict, resp.StatusCode)
	require.Contains(t, body, "Payment cancelled")
	require.Equal(t, "0.00", p.inquire(t, "r1").Captured)
}

func TestAPendingPaymentOnThePage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPSP(t)
		page := p.open(t, redirectBody("r1", "pending_then_approve"))
		resp, _ := p.click(t, page, "pay")
		require.Equal(t, "https://shop.test/thanks", resp.Header.Get("Location"))
		_, body := p.click(t, page, "")
		require.Contains(t, body, "Payment in progress")
		resp, _ = p.click(t, page, "cancel")
		require.Equal(t, http.StatusConflict, resp.StatusCode)
		require.Equal(t, "pending", p.inquire(t, "r1").State)
	})
}

func TestAPageWithoutReturnURLsStaysHere(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	page := p.open(t, payBody("r1", `,"scenario":"action_required"`))
	resp, body := p.click(t, page, "pay")
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Contains(t, body, "Payment complete")
	require.NotContains(t, body, "<a ")
}

func TestBadPageRequests(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	page := p.open(t, strings.Replace(redirectBody("r1", ""), "Order 10001", "<b>x</b>", 1))
	_, body := p.click(t, page, "")
	require.Contains(t, body, "&lt;b&gt;x")
	resp, _ := p.click(t, page, "approve")
	require.Equal(t, http.StatusBadRequest, resp.StatusCode)
	resp, _ = p.click(t, page+"?action=pay", "nothing")
	require.Equal(t, http.StatusBadRequest, resp.StatusCode)
	resp, body = p.click(t, "http://psp.test/sandbox/pay/r1", "pay")
	require.Equal(t, http.StatusNotFound, resp.StatusCode)
	require.Contains(t, body, "No such payment")
	require.Equal(t, "action_required", p.inquire(t, "r1").State)
}
