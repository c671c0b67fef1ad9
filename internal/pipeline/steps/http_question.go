package steps

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// sentAttributeMaxBytes keeps questions small: larger attributes are left out.
const sentAttributeMaxBytes = 4 << 10

// The question that is posted. Of the customer it holds the store's own id and
// the countries, and no name, address or mail address.
type (
	askedRun struct {
		Type    string        `json:"type"` // always pipeline.step
		Step    string        `json:"step"`
		Run     string        `json:"run"`
		Order   askedOrder    `json:"order"`
		Payment *askedPayment `json:"payment,omitempty"`
		Method  *askedMethod  `json:"method,omitempty"`
		Fact    *askedFact    `json:"fact,omitempty"`
		// Operation is what somebody wants done with money that payments hold.
		Operation *askedOperation `json:"operation,omitempty"`
	}

	askedOrder struct {
		ID              string                    `json:"id"`
		Number          string                    `json:"number"`
		Store           string                    `json:"store"`
		Currency        string                    `json:"currency"`
		Total           string                    `json:"total"`
		Due             string                    `json:"due"`
		Status          string                    `json:"status"`
		PaymentStatus   string                    `json:"payment_status"`
		CustomerID      string                    `json:"customer_id"`
		BillingCountry  string                    `json:"billing_country"`
		ShippingCountry string                    `json:"shipping_country"`
		Lines           []askedLine               `json:"lines"`
		Metadata        map[string]string         `json:"metadata"`
		Attributes      map[string]jsontext.Value `json:"attributes"`
	}

	askedLine struct {
		SKU      string `json:"sku"`
		Quantity int64  `json:"quantity"`
	}

	askedPayment struct {
		ID     string `json:"id"`
		Amount string `json:"amount"`
		Fee    string `json:"fee"`
		Status string `json:"status"`
		Mode   string `json:"mode"`
	}

	askedMethod struct {
		Name    string `json:"name"`
		Gateway string `json:"gateway"`
		Account string `json:"account"`
	}

	askedOperation struct {
		Action    string `json:"action"`
		Amount    string `json:"amount,omitempty"`
		Reason    string `json:"reason,omitempty"`
		Reference string `json:"reference,omitempty"` // the store's own
		Author    string `json:"author"`
		Final     bool   `json:"final"`
		Offline   bool   `json:"offline"`
	}

	askedFact struct {
		State    string `json:"state"`
		Type     string `json:"type"`
		Source   string `json:"source"`
		Amount   string `json:"amount"`
		Reason   string `json:"reason"`
		Changed  bool   `json:"changed"`
		Mismatch bool   `json:"mismatch"`
	}
)

// question renders what the shop is asked.
func question(run *pipeline.Run) ([]byte, error) {
	id, step, _ := strings.Cut(run.CallID(), "/")
	q := askedRun{Type: "pipeline.step", Step: step, Run: id, Order: askedOrderOf(run.Order)}
	if p := run.Payment; p != nil {
		q.Payment = &askedPayment{
			ID: payment.PaymentID{Order: run.Order.ID, N: p.N}.String(), Amount: p.Amount.String(), Fee: p.Fee.String(),
			Status: string(p.Status), Mode: string(p.Mode),
		}
		q.Method = &askedMethod{Name: p.Method, Gateway: p.Gateway, Account: p.Account}
	}
	if f := run.Finding(); f != nil {
		q.Fact = &askedFact{
			State: string(f.Transaction.State), Type: string(f.Transaction.Type), Source: string(f.Source),
			Amount: f.Transaction.Amount.String(), Reason: f.Transaction.Reason.Code, Changed: f.Changed, Mismatch: f.Mismatch,
		}
	}
	if op := run.Operation; op != nil {
		q.Operation = askedOperationOf(op)
	}
	// An attribute is whatever JSON its writer kept, byte for byte.
	body, err := json.Marshal(q, json.Deterministic(true), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return nil, fmt.Errorf("the question cannot be written: %w", err)
	}
	return body, nil
}

func askedOperationOf(op *pipeline.Operation) *askedOperation {
	asked := &askedOperation{
		Action: string(op.Action), Reason: op.Reason, Reference: op.StoreReference, Author: op.Author,
		Final: op.Final, Offline: op.Offline,
	}
	if amount, some := op.Amount(); some {
		asked.Amount = amount.String()
	}
	return asked
}

func askedOrderOf(o *payment.Order) askedOrder {
	asked := askedOrder{
		ID: o.ID.String(), Number: o.Number, Store: o.Store, Currency: o.Currency.String(), Total: o.Total.String(),
		Due: o.Due().String(), Status: string(o.Progress.Status), PaymentStatus: string(o.PaymentStatus()),
		CustomerID: o.Customer.ID, BillingCountry: o.BillingAddress.Country, ShippingCountry: o.ShippingAddress.Country,
		Lines: make([]askedLine, len(o.Lines)), Metadata: o.Metadata, Attributes: make(map[string]jsontext.Value),
	}
	for i, l := range o.Lines {
		asked.Lines[i] = askedLine{SKU: l.SKU, Quantity: l.Quantity}
	}
	for key, a := range o.Attributes {
		if len(a.Value) <= sentAttributeMaxBytes {
			asked.Attributes[key] = jsontext.Value(a.Value)
		}
	}
	return asked
}
