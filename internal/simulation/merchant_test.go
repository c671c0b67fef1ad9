package simulation

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"encoding/json"
)

// manage is the merchant, who does something about an order now and then.
func (h *history) manage(ctx context.Context, o *shopOrder) {
	rng := h.rng(whoIn(ctx))
	for n := range 1 + rng.IntN(4) {
		pause(rng, 90*time.Second)
		if o.path("") == "" {
			continue
		}
		do := actions[rng.IntN(len(actions))]
		if o.later && n == 0 {
			do = raise
		}
		do(h, ctx, o, rng, fmt.Sprintf("%s %d", whoIn(ctx), n))
	}
}

// action is something that a merchant does.
type action func(h *history, ctx context.Context, o *shopOrder, rng *rand.Rand, key string)

// actions are all that a merchant does; what comes up twice is done more often.
var actions = []action{
	cancelOrder, callOff, callOff, reprice, readOrder, capture, capture, refund, refund, refundOrder, refundOrder, void, void, increase, raise,
}

func cancelOrder(h *history, ctx context.Context, o *shopOrder, rng *rand.Rand, _ string) {
	body := map[string]any{"reason": "no stock"}
	if release := []string{"", "none", "void", "refund", "refund"}[rng.IntN(5)]; release != "" {
		body["release"] = release
	}
	if body["release"] == "none" {
		o.keep()
	}
	if x := h.send(ctx, http.MethodPost, o.path("/cancel"), "", body); x.status == http.StatusOK && body["release"] == "refund" {
		o.giveBack()
	}
}

// callOff cancels an order that is paid, and gives its money back.
func callOff(h *history, ctx context.Context, o *shopOrder, rng *rand.Rand, _ string) {
	for range 4 {
		x := h.send(ctx, http.MethodGet, o.path(""), "", nil)
		if x.said.PaymentStatus != "pending" {
			break
		}
		pause(rng, 30*time.Second)
	}
	x := h.send(ctx, http.MethodPost, o.path("/cancel"), "", map[string]any{"reason": "recalled", "release": "refund"})
	if x.status == http.StatusOK {
		o.giveBack()
	}
}

func capture(h *history, ctx context.Context, o *shopOrder, rng *rand.Rand, key string) {
	h.operate(ctx, o, rng, key, "capture")
}

func refund(h *history, ctx context.Context, o *shopOrder, rng *rand.Rand, key string) {
	h.operate(ctx, o, rng, key, "refund")
}

func void(h *history, ctx context.Context, o *shopOrder, rng *rand.Rand, key string) {
	h.operate(ctx, o, rng, key, "void")
}

func refundOrder(h *history, ctx context.Context, o *shopOrder, rng *rand.Rand, key string) {
	h.insist(ctx, rng, o.path("/refund"), key, h.howMuch(rng))
}

func increase(h *history, ctx context.Context, o *shopOrder, rng *rand.Rand, key string) {
	h.operate(ctx, o, rng, key, "increase")
}

// raise has more reserved for an order that waits for its shipment. Then, or while
// that is under way, it takes more than the order once came to, or releases it all.
func raise(h *history, ctx context.Context, o *shopOrder, rng *rand.Rand, key string) {
	for range 6 {
		if x := h.send(ctx, http.MethodGet, o.path(""), "", nil); x.said.PaymentStatus == "authorized" {
			next := []string{"capture", "void", "void", "increase"}[rng.IntN(4)]
			if rng.IntN(2) == 0 {
				h.act("other of "+key, func(ctx context.Context) {
					rng := h.rng(whoIn(ctx))
					pause(rng, 30*time.Second)
					h.operate(ctx, o, rng, key+" other", next)
				})
				next = "capture"
			}
			h.operate(ctx, o, rng, key, "increase")
			h.operate(ctx, o, rng, key+" then", next)
			return
		}
		pause(rng, 20*time.Second)
	}
}

// operate does something with the latest payment of the order that came to
// something, or with any.
func (h *history) operate(ctx context.Context, o *shopOrder, rng *rand.Rand, key, what string) {
	x := h.send(ctx, http.MethodGet, o.path(""), "", nil)
	if len(x.said.Payments) == 0 {
		return
	}
	p := x.said.Payments[rng.IntN(len(x.said.Payments))]
	for _, q := range x.said.Payments {
		if q.Status != "failed" && q.Status != "pending" {
			p = q
		}
	}
	body := h.howMuch(rng)
	switch what {
	case "void":
		delete(body, "amount")
	case "increase": // by how much is never left open
		body["amount"] = fmt.Sprint(1 + rng.IntN(80))
	}
	h.insist(ctx, rng, "/v1/payments/"+p.ID+"/"+what, key, body)
}

// howMuch is how a merchant asks for an operation: for all or a part, and with what
// the PSP makes of it.
func (h *history) howMuch(rng *rand.Rand) map[string]any {
	body := map[string]any{}
	if rng.IntN(2) == 0 {
		body["amount"] = fmt.Sprint(1 + rng.IntN(80))
	}
	scenarios := []string{"approve", "approve", "decline", "pending_then_approve", "pending_then_decline"}
	if h.plan.on[classOdd] && rng.IntN(2) == 0 {
		scenarios = []string{"timeout_after_charge", "timeout_no_charge", "error_after_charge", "html_502_after_charge", "garbage", "slow"}
	}
	body["data"] = map[string]any{"scenario": scenarios[rng.IntN(len(scenarios))]}
	return body
}

// insist repeats a request until it is answered for good. Sometimes it is sent twice
// at once.
func (h *history) insist(ctx context.Context, rng *rand.Rand, path, key string, body map[string]any) {
	if rng.IntN(3) == 0 {
		h.act("twin of "+key, func(ctx context.Context) { h.send(ctx, http.MethodPost, path, key, body) })
	}
	for range 1 + rng.IntN(4) {
		x := h.send(ctx, http.MethodPost, path, key, body)
		if x.final() || x.status == http.StatusConflict && x.said.Code != "idempotency_in_progress" || x.status == http.StatusUnprocessableEntity {
			if rng.IntN(3) == 0 {
				h.send(ctx, http.MethodPost, path, key, body)
			}
			return
		}
		pause(rng, 30*time.Second)
	}
}

func reprice(h *history, ctx context.Context, o *shopOrder, rng *rand.Rand, _ string) {
	total := fmt.Sprint(1 + rng.IntN(500))
	h.send(ctx, http.MethodPatch, o.path(""), "", map[string]any{
		"total": total, "lines": []map[string]any{{"sku": "A-1", "name": "Lamp", "quantity": 1, "unit_price": total, "total": total}},
	})
}

func readOrder(h *history, ctx context.Context, o *shopOrder, _ *rand.Rand, _ string) {
	h.send(ctx, http.MethodGet, o.path(""), "", nil)
}

// entry is a line of the PSP's ledger.
type entry struct {
	Operation string `json:"operation"`
	Reference string `json:"reference"`
	Amount    string `json:"amount"`
	Currency  string `json:"currency"`
	State     string `json:"state"`
	ID        string `json:"id"`
	Payment   string `json:"payment"`
	Account   string `json:"account"`
}

// entries reads the PSP's ledger.
func (h *history) entries() []entry {
	var all []entry
	if err := json.Unmarshal(h.control(http.MethodGet, "/sandbox/operations", nil), &all); err != nil {
		h.violate("harness", "%v", err)
	}
	return all
}

func (h *history) readLedger() { h.ledger = h.entries() }

// control calls the PSP's control API.
func (h *history) control(method, path string, body any) []byte {
	var sent []byte
	if body != nil {
		sent, _ = json.Marshal(body)
	}
	recorder := httptest.NewRecorder()
	h.psp.Handler().ServeHTTP(recorder, httptest.NewRequest(method, path, bytes.NewReader(sent)))
	return recorder.Body.Bytes()
}

// forge has the PSP say, or somebody in its name, what is not so, or not so any
// more, about payments that exist.
func (h *history) forge(ctx context.Context) {
	rng := h.rng("forger")
	for range 2 + rng.IntN(5) {
		pause(rng, time.Minute)
		if h.sched.pass(&gate{who: whoIn(ctx), what: "forges"}, nil) == died {
			return
		}
		var charges []entry
		for _, e := range h.entries() {
			if e.Operation == "charge" || e.Operation == "authorize" {
				charges = append(charges, e)
			}
		}
		if len(charges) == 0 {
			continue
		}
		e := charges[rng.IntN(len(charges))]
		if claim := h.claim(rng, e); claim != nil {
			h.trace.note("somebody says of %s: %v", e.Reference, claim)
			h.control(http.MethodPost, "/sandbox/payments/"+e.Reference+"/notify", claim)
		}
	}
}

// claim chooses what is said of a payment.
func (h *history) claim(rng *rand.Rand, e entry) map[string]any {
	event := map[string]string{"charge": "paid", "authorize": "authorized"}[e.Operation]
	later := 1 + rng.IntN(30_000)
	switch rng.IntN(4) {
	case 0:
		if h.plan.on[classForged] {
			signature := []string{"bad", "none", "old"}[rng.IntN(3)]
			return map[string]any{"event": event, "signature": signature, "delay_ms": later}
		}
	case 1:
		if h.plan.on[classLies] {
			if rng.IntN(3) == 0 { // about nobody's payment
				h.control(http.MethodPost, "/sandbox/payments/NOBODYS0000000000000/notify", map[string]any{"event": event, "delay_ms": later})
				return nil
			}
			if rng.IntN(2) == 0 {
				return map[string]any{"event": event, "amount": nudged(e.Amount), "delay_ms": later}
			}
			other := map[string]string{"EUR": "USD"}[e.Currency]
			if other == "" {
				other = "EUR"
			}
			return map[string]any{"event": event, "amount": strings.Split(e.Amount, ".")[0], "currency": other, "delay_ms": later}
		}
	case 2:
		if h.plan.on[classFlips] && e.State == "declined" {
			h.flipped[e.Reference] = true
			return map[string]any{"event": event, "delay_ms": later}
		}
	case 3:
		if h.plan.on[classDesk] && e.State == "approved" && e.Operation == "charge" {
			if rng.IntN(2) == 0 { // and perhaps nobody is told
				h.trace.note("somebody gives %s back at the desk", e.Reference)
				h.around(e.Account, "/payments/"+e.Reference+"/refunds", map[string]any{
					"reference": "DESK-" + e.Reference, "amount": e.Amount, "currency": e.Currency,
				})
				return nil
			}
			return map[string]any{"event": "refunded", "delay_ms": later}
		}
	}
	return nil
}

// nudged is an amount that differs in its first digit.
func nudged(amount string) string {
	if amount[0] == '1' {
		return "2" + amount[1:]
	}
	return "1" + amount[1:]
}
