package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
)

// operation is a line of the PSP's ledger.
type operation struct {
	Kind      string    `json:"operation"`
	Reference string    `json:"reference"`
	Amount    string    `json:"amount"`
	Currency  string    `json:"currency"`
	State     string    `json:"state"`
	At        time.Time `json:"at"`
	ID        string    `json:"id"`

	minor int64
}

func (o operation) approved() bool { return o.State == "approved" }

// begins tells whether the operation is a charge or an authorization.
func (o operation) begins() bool { return o.Kind == "charge" || o.Kind == "authorize" }

// ledger is the PSP's truth: the operations of a payment by the reference with
// which it began, the first of them first.
type ledger map[string][]operation

// readLedger reads what the PSP has under each reference.
func readLedger(psp http.Handler, references []string) (ledger, error) {
	l := ledger{}
	for _, reference := range references {
		rec := httptest.NewRecorder()
		psp.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/sandbox/operations?reference="+url.QueryEscape(reference), http.NoBody))
		var lines []operation
		if err := json.Unmarshal(rec.Body.Bytes(), &lines); err != nil {
			return nil, fmt.Errorf("read the PSP's ledger: %w", err)
		}
		for i := range lines {
			if err := lines[i].weigh(); err != nil {
				return nil, err
			}
		}
		if len(lines) > 0 && lines[0].begins() {
			l[reference] = lines
		}
	}
	return l, nil
}

// weigh reads the amount. A wrong currency counts by its own minor units.
func (o *operation) weigh() error {
	currency, err := payment.ParseCurrency(o.Currency)
	if err != nil {
		return err
	}
	amount, err := payment.ParseMoney(o.Amount, currency)
	if err != nil {
		return err
	}
	o.minor = amount.Minor()
	return nil
}

// givenBack tells whether nothing is left of what an operation began.
func (l ledger) givenBack(o operation) bool {
	h := l.held(o.Reference)
	return o.begins() && h.authorized == h.voided+h.refunded
}

// addCards adds what was taken from gift cards, as if a PSP had done it. Their
// ledger is kept by the service, apart from the payments.
func (l ledger) addCards(entries []cardEntry) {
	for _, e := range entries {
		o := operation{Kind: "charge", Reference: e.Reference, State: "approved", ID: e.Reference, At: e.At, minor: e.Amount}
		under := e.Reference
		if e.Kind == "return" {
			o.Kind, under = "refund", e.Taken
		}
		l[under] = append(l[under], o)
	}
}
