package main

import (
	"crypto/sha256"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/paysvc/paysvc/internal/payment"
)

// history is made-up evidence: one order over 1000 cents that was paid by card at
// the first try, of which the storefront was told and the PSP has notified.
type history struct {
	t     testing.TB
	order uuid.UUID
	evidence
}

func paidOnce(t testing.TB) *history {
	t.Helper()
	id := uuid.MustParse("0190b1a0-0000-7000-8000-000000000001")
	body := sha256.Sum256([]byte("paid"))
	h := &history{t: t, order: id}
	h.evidence = evidence{
		books: &books{
			orders:        map[uuid.UUID]orderRow{id: {Number: "1", Status: "processing", PaymentStatus: "paid", Total: 1000}},
			payments:      []paymentRow{{Order: id, N: 1, Status: "paid", Amount: 1000, Authorized: 1000, Captured: 1000}},
			transactions:  []transactionRow{{Order: id, N: 2, Payment: 1, Type: "authorize_and_capture", State: "approved", Amount: 1000, Reference: "R1"}},
			notifications: map[string]notificationRow{"evt_1": {State: "applied", Body: body}},
			claims:        map[string]claimRow{"pay-1": {Order: id, Payment: 1}},
			stock:         99, deducted: 1,
			paidEvents: map[uuid.UUID]int{id: 1},
		},
		ledger:  ledger{"R1": {charge("R1", 1000)}},
		sent:    map[string]int{"R1": 1},
		acked:   []acknowledgement{{event: "evt_1", body: body}},
		answers: map[string][]said{"pay-1": {h.told(http.StatusOK, "yes")}},
		stocked: 100,
	}
	return h
}

func charge(reference string, minor int64) operation {
	return operation{Kind: "charge", Reference: reference, State: "approved", ID: "sbo_" + reference, minor: minor, At: noon()}
}

func noon() time.Time { return time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC) }

// told is an answer a minute after the charge.
func (h *history) told(status int, moved string) said {
	return said{
		request: request{path: "/v1/orders/x/pay", key: "pay-1", instant: true}, at: noon().Add(time.Minute), status: status, moved: moved,
		names: payment.OrderID(h.order).String(), hash: sha256.Sum256([]byte(moved)),
	}
}

// pay adds another payment of the order that the PSP charged.
func (h *history) pay(reference string) {
	n := len(h.books.payments) + 1
	h.books.payments = append(h.books.payments, paymentRow{Order: h.order, N: n, Status: "paid", Amount: 1000, Authorized: 1000, Captured: 1000})
	h.books.transactions = append(h.books.transactions, transactionRow{
		Order: h.order, N: 10 + n, Payment: n, Type: "authorize_and_capture", State: "approved", Amount: 1000, Reference: reference,
	})
	h.ledger[reference], h.sent[reference] = []operation{charge(reference, 1000)}, 1
}

func (h *history) transaction() *transactionRow { return &h.books.transactions[0] }

// openCase puts the order before a person.
func (h *history) openCase(kind string) {
	h.books.cases = append(h.books.cases, caseRow{Order: h.order, Kind: kind})
}

// set changes what the books say of the order.
func (h *history) set(status, paymentStatus string) {
	o := h.books.orders[h.order]
	o.Status, o.PaymentStatus = status, paymentStatus
	h.books.orders[h.order] = o
}

// wrongs are the kinds of what is wrong, in the order of the report.
func (h *history) wrongs() []string {
	v := judge(h.evidence)
	kinds := []string{}
	for _, kind := range wrongs() {
		if len(v.found[kind]) > 0 {
			kinds = append(kinds, kind)
			h.t.Logf("%s: %v", kind, v.found[kind])
		}
	}
	return kinds
}
