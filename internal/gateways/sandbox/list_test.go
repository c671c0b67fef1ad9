package sandbox_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// moved is a line of the list, with fields of its operation changed.
func moved(operation, of map[string]any) map[string]any {
	o := map[string]any{
		"id": "sbo_1", "operation": "refund", "reference": "01K3SV1TEREFERENCE01", "amount": "1.00", "currency": "EUR",
		"state": "approved", "at": "2026-03-01T11:59:58Z",
	}
	p := map[string]any{"id": "sbx_1", "reference": oddReference, "account": theirAccount, "mode": "test"}
	maps.Copy(o, operation)
	maps.Copy(p, of)
	return map[string]any{"operation": o, "payment": p}
}

// list asks a PSP that answers with this for a page.
func list(t *testing.T, cursor string, body any) (facts []payment.Fact, next string, asked *http.Request, err error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r
		write(w, http.StatusOK, body)
	}))
	t.Cleanup(server.Close)
	c := valid()
	c.BaseURL, c.Account = server.URL+"/base", theirAccount
	from := time.Date(2026, 3, 1, 0, 0, 0, 5, time.FixedZone("CET", 3600))
	facts, next, err = open(t, c).List(t.Context(), from, from.Add(24*time.Hour), cursor)
	return facts, next, asked, err
}

func TestAListIsReadPageByPage(t *testing.T) {
	t.Parallel()
	facts, next, asked, err := list(t, "behind&this", map[string]any{"data": []any{moved(nil, nil)}, "next_cursor": "c2"})
	require.NoError(t, err)
	require.Equal(t, "c2", next)
	require.Len(t, facts, 1)
	require.Equal(t, []string{"GET", "/base/sandbox/v1/operations", "behind&this", "2026-02-28T23:00:00.000000005Z", "2026-03-01T23:00:00.000000005Z"},
		[]string{asked.Method, asked.URL.Path, asked.URL.Query().Get("cursor"), asked.URL.Query().Get("from"), asked.URL.Query().Get("to")})
	_, next, asked, err = list(t, "", map[string]any{"data": []any{}, "next_cursor": nil})
	require.NoError(t, err)
	require.Empty(t, next)
	require.False(t, asked.URL.Query().Has("cursor"))
}

func TestAPageThatCannotBeReadWholeIsNone(t *testing.T) {
	t.Parallel()
	for _, line := range []map[string]any{
		moved(map[string]any{"operation": "teleport"}, nil), moved(map[string]any{"amount": "1,00"}, nil),
		moved(map[string]any{"id": "\x00"}, nil), moved(nil, map[string]any{"id": ""}),
		moved(nil, map[string]any{"account": ""}), moved(nil, map[string]any{"mode": ""}),
	} {
		facts, _, _, err := list(t, "", map[string]any{"data": []any{moved(nil, nil), line}, "next_cursor": "c2"})
		require.Equal(t, payment.KindUnavailable, payment.KindOf(err))
		require.Empty(t, facts)
	}
}

func TestWhatIsListedOfAnotherAccountIsNotOurs(t *testing.T) {
	t.Parallel()
	facts, _, _, err := list(t, "", map[string]any{"data": []any{moved(nil, map[string]any{"account": "elsewhere"})}})
	require.NoError(t, err)
	require.NotEqual(t, ourAccount, facts[0].Account)
}
