package offline

import (
	stdjson "encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/paysvc/paysvc/internal/payment"
)

// input is something that a shopper enters for a method.
type input struct {
	name     string
	required bool
	// check returns what is kept of a value, "" for nothing, and what is wrong with
	// it, "" for nothing. The problem repeats nothing of the value.
	check func(value string) (kept, problem string)
}

// inputsOf lists what a method asks for; most ask for nothing.
func inputsOf(method string) []input {
	switch method {
	case directDebit:
		return []input{
			{"account_holder", true, checkHolder},
			{"iban", true, checkIBAN},
			{"bic", false, checkBIC},
		}
	case purchaseOrderNumber:
		return []input{{"purchase_order_number", true, checkNumber}}
	}
	return nil
}

// form tells a page what to ask for, nil for nothing.
func form(method string) map[string]any {
	inputs := inputsOf(method)
	if len(inputs) == 0 {
		return nil
	}
	fields := make([]any, len(inputs))
	for i, in := range inputs {
		fields[i] = map[string]any{"name": in.name, "required": in.required}
	}
	return map[string]any{"kind": "form", "fields": fields}
}

// ValidateData implements gateways.DataValidator.
func (g *Gateway) ValidateData(method string, data stdjson.RawMessage) (payment.DataSummary, error) {
	m, ok := g.methods[method]
	if !ok {
		return payment.DataSummary{}, payment.Errorf(payment.KindInvalid, "method_unavailable", "the gateway has no such method")
	}
	kept, err := read(method, data)
	if err != nil {
		return payment.DataSummary{}, err
	}
	return payment.DataSummary{Brand: m.Title, Masked: kept["iban"] + kept["purchase_order_number"]}, nil
}

// Reserve implements gateways.Reserver: a purchase order pays for one order.
// Case does not tell two numbers apart.
func (g *Gateway) Reserve(method string, o *payment.Order, data stdjson.RawMessage) []payment.Reservation {
	kept, err := read(method, data)
	number := kept["purchase_order_number"]
	if err != nil || number == "" || g.unique == UniqueNowhere {
		return nil
	}
	r := payment.Reservation{
		Scope: "purchase_order_number", Value: strings.ToUpper(number), Field: "data.purchase_order_number",
	}
	if g.unique == UniquePerCustomer {
		r.Scope, r.Subject = "purchase_order_number_of_customer", o.Customer.ID
	}
	return []payment.Reservation{r}
}

// read checks what the shopper entered and returns what is kept of it. The error
// names every field that is wrong.
func read(method string, data stdjson.RawMessage) (map[string]string, error) {
	entered := map[string]string{}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &entered); err != nil {
			return nil, malformed(err)
		}
	}
	var wrong []payment.FieldError
	report := func(field, code, message string) {
		wrong = append(wrong, payment.FieldError{Field: field, Code: code, Message: message})
	}
	kept := map[string]string{}
	for _, in := range inputsOf(method) {
		value := strings.TrimSpace(entered[in.name])
		delete(entered, in.name)
		if value == "" {
			if in.required {
				report("data."+in.name, "required", "is required")
			}
			continue
		}
		keep, problem := in.check(value)
		if problem != "" {
			report("data."+in.name, "invalid", problem)
		}
		if keep != "" {
			kept[in.name] = keep
		}
	}
	for _, name := range slices.Sorted(maps.Keys(entered)) {
		report(fieldNamed(name), "unknown_field", "is not asked for by this method")
	}
	if len(wrong) > 0 {
		return nil, &payment.Error{
			Kind: payment.KindInvalid, Code: "data_invalid", Message: "the payment data is not valid", Fields: wrong,
		}
	}
	return kept, nil
}

// malformed says which field is wrong of data that is no object of texts, as far
// as that can be said without repeating a value.
func malformed(err error) error {
	if e, ok := errors.AsType[*json.SemanticError](err); ok && e.JSONPointer != "" {
		return payment.Invalid(fieldNamed(e.JSONPointer.LastToken()), "wrong_type", "must be text")
	}
	return payment.Invalid("data", "invalid_json", "must be a JSON object of texts")
}

func fieldNamed(name string) string {
	const nameMaxBytes = 40
	if name == "" || len(name) > nameMaxBytes || strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz_-") != "" {
		return "data" // whatever that is, it is no field's name
	}
	return "data." + name
}
