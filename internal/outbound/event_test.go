package outbound_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/outbound"
	"github.com/paysvc/paysvc/internal/payment"
)

func TestAnEventNamesItsOrderOrNone(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	order, open := payment.OrderID{15: 1}, payment.CaseID{15: 2}
	for name, c := range map[string]struct {
		event payment.Event
		body  string
	}{
		"of an order": {
			payment.Event{N: 3, Type: "case.opened", Sequence: 9, Order: order, Number: "10001", Case: open, CaseKind: "surplus", Status: "open", At: at},
			`{"id": "` + payment.EventID{Order: order, N: 3}.String() + `", "type": "case.opened", "sequence": 9, "order_sequence": 3,
				"order_id": "` + order.String() + `", "number": "10001", "created_at": "2026-03-01T12:00:00Z",
				"data": {"case": "` + open.String() + `", "kind": "surplus", "status": "open"}}`,
		},
		"of a case without one": {
			payment.Event{N: 1, Type: "case.opened", Sequence: 9, Case: open, CaseKind: "endpoint_disabled", Status: "open", At: at},
			`{"id": "` + payment.EventID{Order: payment.OrderID(open), N: 1}.String() + `", "type": "case.opened", "sequence": 9,
				"order_sequence": null, "order_id": null, "number": null, "created_at": "2026-03-01T12:00:00Z",
				"data": {"case": "` + open.String() + `", "kind": "endpoint_disabled", "status": "open"}}`,
		},
	} {
		body, err := outbound.EventOf(c.event).Body()
		require.NoError(t, err)
		require.JSONEq(t, c.body, string(body), name)
	}
}
