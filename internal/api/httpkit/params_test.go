package httpkit_test

import (
	"context"
	"encoding/base64"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/api/httpkit"
)

type position struct {
	At int64  `json:"at"`
	ID string `json:"id"`
}

type listInput struct {
	httpkit.Page
	From      httpkit.Timestamp `query:"from"`
	MinAmount httpkit.Amount    `query:"min_amount"`
	Status    string            `query:"status" enum:"pending,complete"`
}

func listKit(t *testing.T) (*httpkit.Kit, *listInput) {
	t.Helper()
	k, _ := newKit(t, nil)
	seen := &listInput{}
	httpkit.Register(k, httpkit.Route{Operation: huma.Operation{OperationID: "list", Method: "GET", Path: "/v1/orders"}},
		func(_ context.Context, in *listInput) (*empty, error) {
			*seen = *in
			if in.Cursor == "" {
				return nil, nil
			}
			var p position
			return nil, in.Cursor.Decode(&p)
		})
	return k, seen
}

func TestListParameters(t *testing.T) {
	t.Parallel()
	k, seen := listKit(t)
	require.Equal(t, 204, serve(k, get("/v1/orders")).Code)
	require.Equal(t, 50, seen.Limit)
	require.Equal(t, 204, serve(k, get("/v1/orders?limit=200&from=2026-11-21T13:00:00%2B01:00&min_amount=1.50&status=pending")).Code)
	require.Equal(t, 200, seen.Limit)
	require.Equal(t, "2026-11-21T12:00:00Z", seen.From.Time().Format(time.RFC3339))
	require.Equal(t, httpkit.Amount("1.50"), seen.MinAmount)

	long := make([]byte, 600)
	for i := range long {
		long[i] = 'a'
	}
	for query, want := range map[string][3]string{
		"limit=0":                {"validation_failed", "query.limit", "out_of_range"},
		"limit=201":              {"validation_failed", "query.limit", "out_of_range"},
		"limit=canary":           {"validation_failed", "query.limit", "wrong_type"},
		"limit=1e2":              {"validation_failed", "query.limit", "wrong_type"},
		"min_amount=-1":          {"amount_invalid", "query.min_amount", "amount_invalid"},
		"min_amount=canary":      {"amount_invalid", "query.min_amount", "amount_invalid"},
		"from=canary":            {"validation_failed", "query.from", "wrong_format"},
		"status=canary":          {"validation_failed", "query.status", "not_allowed"},
		"statsu=pending":         {"validation_failed", "query.statsu", "unknown_parameter"},
		testPAN + "=1":           {"validation_failed", "query.[card]", "unknown_parameter"},
		"cursor=canary%20":       {"cursor_invalid", "query.cursor", "cursor_invalid"},
		"cursor=canary":          {"cursor_invalid", "query.cursor", "cursor_invalid"},
		"cursor=" + string(long): {"cursor_invalid", "query.cursor", "cursor_invalid"},
		"cursor=" + base64.RawURLEncoding.EncodeToString([]byte(`{"at":1,"id":"x","more":"canary"}`)): {"cursor_invalid", "query.cursor", "cursor_invalid"},
	} {
		w := serve(k, get("/v1/orders?"+query))
		p := problemOf(t, w)
		require.Equal(t, want[0], p.Code, query)
		require.Equal(t, want[1], p.Errors[0].Field, query)
		require.Equal(t, want[2], p.Errors[0].Code, query)
		require.NotContains(t, w.Body.String(), "canary")
		if p.Code == "cursor_invalid" {
			require.Equal(t, 400, w.Code, query)
		} else {
			require.Equal(t, 422, w.Code, query)
		}
	}
}

func TestCursorComesBackAsItWas(t *testing.T) {
	t.Parallel()
	want := position{At: 1<<62 + 1, ID: "ord_é"}
	cursor, err := httpkit.EncodeCursor(want)
	require.NoError(t, err)
	require.Regexp(t, "^[A-Za-z0-9_-]+$", string(cursor))
	var got position
	require.NoError(t, cursor.Decode(&got))
	require.Equal(t, want, got)
	require.Error(t, httpkit.Cursor("").Decode(&got))
	require.NoError(t, httpkit.Cursor("bnVsbA").Decode(&got))
	require.Error(t, httpkit.Cursor("bnVsbB").Decode(&got), "the same bytes written another way")

	k, _ := listKit(t)
	require.Equal(t, 204, serve(k, get("/v1/orders?cursor="+string(cursor))).Code)
}

func TestTimestamps(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2026-11-21T12:00:00Z":           "2026-11-21T12:00:00Z",
		"2026-11-21T12:00:00.123456789Z": "2026-11-21T12:00:00.123456Z",
		"2026-11-21T00:30:00+01:00":      "2026-11-20T23:30:00Z",
		"2024-02-29T00:00:00Z":           "2024-02-29T00:00:00Z",
		"2026-11-21T12:00:00.5-23:59":    "2026-11-22T11:59:00.5Z",
		"2026-02-29T00:00:00Z":           "",
		"2026-11-21T12:00:00":            "",
		"2026-11-21 12:00:00Z":           "",
		"2026-11-21T1:02:03Z":            "",
		"2026-11-21T12:00:00,5Z":         "",
		"2026-11-21T12:00:00+24:00":      "",
		"2026-11-21T12:00:00+01:60":      "",
		"2026-11-21T24:00:00Z":           "",
		"9999-12-31T23:59:59-01:00":      "",
		"0000-01-01T00:00:00Z":           "",
		"1763726400":                     "",
		"":                               "",
	} {
		var stamp httpkit.Timestamp
		err := stamp.UnmarshalText([]byte(text))
		if want == "" {
			require.Error(t, err, text)
			require.NotContains(t, err.Error()+" ", text+" x")
			continue
		}
		require.NoError(t, err, text)
		out, err := stamp.MarshalText()
		require.NoError(t, err)
		require.Equal(t, want, string(out))
	}
	require.True(t, httpkit.Timestamp{}.IsZero())
}
