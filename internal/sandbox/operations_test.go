package sandbox_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

type listPage struct {
	Data []struct {
		Operation op `json:"operation"`
		Payment   struct {
			ID, Reference, Account, Mode string
		} `json:"payment"`
	} `json:"data"`
	NextCursor *string `json:"next_cursor"`
}

// listed reads all pages.
func (p *psp) listed(t *testing.T, from, to time.Time, limit int) (lines []string) {
	t.Helper()
	cursor := ""
	for {
		page := ok[listPage](t, p, fmt.Sprintf("/v1/operations?from=%s&to=%s&limit=%d&cursor=%s",
			from.UTC().Format(time.RFC3339Nano), to.UTC().Format(time.RFC3339Nano), limit, url.QueryEscape(cursor)), "")
		require.LessOrEqual(t, len(page.Data), limit)
		for _, m := range page.Data {
			require.Equal(t, []string{"shop", "test"}, []string{m.Payment.Account, m.Payment.Mode})
			lines = append(lines, m.Payment.Reference+" "+m.Operation.Operation+" "+m.Operation.Amount+" "+m.Operation.State)
		}
		if page.NextCursor == nil {
			return lines
		}
		require.NotEmpty(t, page.Data)
		require.NotEqual(t, cursor, *page.NextCursor, "it goes on")
		cursor = *page.NextCursor
	}
}

func TestWhatMovedMoneyIsListed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPSP(t)
		begun := time.Now()
		p.authorize(t, "r1", "100.00")
		p.pay(t, "declined", `,"scenario":"decline"`)
		time.Sleep(time.Hour)
		ok[operated](t, p, "/v1/payments/r1/captures", opBody("c1", "60.00", `,"final":true`))
		time.Sleep(time.Hour)
		ok[operated](t, p, "/v1/payments/r1/refunds", opBody("f1", "10.00", `,"scenario":"pending_then_approve"`))
		time.Sleep(time.Hour)
		p.notify(t, "r1", `{"event":"chargeback","amount":"50.00"}`)
		_, _, err := p.as(t, otherKey, "/v1/payments", payBody("elsewhere", ""))
		require.NoError(t, err)

		authorized, captured := "r1 authorize 100.00 approved", []string{"r1 capture 60.00 approved", "r1 void 40.00 approved"}
		for _, limit := range []int{1, 2, 100} {
			got := p.listed(t, begun, begun.Add(24*time.Hour), limit)
			require.ElementsMatch(t, append(captured, authorized, "r1 refund 10.00 approved", "r1 chargeback 50.00 approved"), got)
			require.Equal(t, authorized, got[0])
			require.ElementsMatch(t, captured, p.listed(t, begun.Add(time.Hour), begun.Add(2*time.Hour), limit), "from is in")
			require.Equal(t, []string{authorized}, p.listed(t, begun, begun.Add(time.Hour), limit), "to is out")
		}
		require.Empty(t, p.listed(t, begun.Add(2*time.Hour), begun.Add(2*time.Hour+time.Second), 100), "it was pending then")
		time.Sleep(24 * time.Hour)
		later := time.Now()
		p.notify(t, "r1", `{"event":"chargeback_reversed"}`)
		require.Equal(t, []string{"r1 chargeback 50.00 reversed"}, p.listed(t, later, later.Add(time.Hour), 100))
	})
}

func TestBadListRequests(t *testing.T) {
	t.Parallel()
	p := newPSP(t)
	const window = "from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z"
	for query, code := range map[string]string{
		"": "invalid_from", "from=yesterday": "invalid_from", "from=2026-01-01T00:00:00Z": "invalid_to",
		window + "&limit=0": "invalid_limit", window + "&limit=501": "invalid_limit", window + "&limit=x": "invalid_limit",
	} {
		require.Equal(t, code, refused(t, p, http.StatusUnprocessableEntity, "/v1/operations?"+query, "").Error.Code, query)
	}
	status, _, err := p.as(t, "wrong", "/v1/operations?"+window, "")
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, status)
}
