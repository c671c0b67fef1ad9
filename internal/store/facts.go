package store

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/paysvc/paysvc/internal/payment"
)

// tolerant keeps text of a PSP that is not UTF-8 from making a row impossible to
// write: bad bytes become U+FFFD.
var tolerant = json.JoinOptions(json.Deterministic(true), jsontext.AllowInvalidUTF8(true))

// factJSON is a fact that a notification told, kept so that it can be applied
// again. The amount is a decimal string beside its currency.
type factJSON struct {
	Source           payment.Source      `json:"source"`
	Reference        string              `json:"reference,omitempty"`
	Type             payment.Type        `json:"type,omitempty"`
	GatewayReference string              `json:"gateway_reference,omitempty"`
	State            payment.State       `json:"state"`
	Amount           string              `json:"amount,omitempty"`
	Currency         string              `json:"currency,omitempty"`
	Account          string              `json:"account,omitempty"`
	Mode             payment.Mode        `json:"mode,omitempty"`
	Reason           payment.Reason      `json:"reason,omitzero"`
	NextAction       *payment.NextAction `json:"next_action,omitempty"`
	Details          map[string]string   `json:"details,omitempty"`
	At               time.Time           `json:"at,omitzero"`
}

func encodeFacts(facts []payment.Fact) ([]byte, error) {
	out := make([]factJSON, len(facts))
	for i, f := range facts {
		out[i] = factJSON{
			Source: f.Source, Reference: f.Reference, Type: f.Type, GatewayReference: f.GatewayReference, State: f.State,
			Account: f.Account, Mode: f.Mode, Reason: f.Reason, NextAction: f.NextAction,
			Details: f.Details,
		}
		if !f.At.IsZero() {
			out[i].At = f.At.UTC()
		}
		if f.Amount != nil {
			out[i].Amount, out[i].Currency = f.Amount.String(), f.Amount.Currency().String()
		}
	}
	body, err := json.Marshal(out, tolerant)
	if err != nil {
		return nil, fmt.Errorf("encode facts: %w", err)
	}
	return body, nil
}

func decodeFacts(body []byte) ([]payment.Fact, error) {
	var in []factJSON
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("stored facts: %w", err)
	}
	facts := make([]payment.Fact, len(in))
	for i, f := range in {
		amount, err := decodeMoney(f.Amount, f.Currency)
		if err != nil {
			return nil, err
		}
		facts[i] = payment.Fact{
			Source: f.Source, Reference: f.Reference, Type: f.Type, GatewayReference: f.GatewayReference, State: f.State,
			Amount: amount, Account: f.Account, Mode: f.Mode, Reason: f.Reason, NextAction: f.NextAction,
			Details: f.Details, At: f.At,
		}
	}
	return facts, nil
}

// decodeMoney reads what Money.String wrote, beside its currency; both are empty
// for none. What a PSP claims may be negative, or more than we would ask for.
func decodeMoney(amount, currency string) (*payment.Money, error) {
	if currency == "" {
		return nil, nil
	}
	c, err := payment.ParseCurrency(currency)
	if err != nil {
		return nil, fmt.Errorf("stored currency: %w", err)
	}
	whole, fraction, _ := strings.Cut(amount, ".")
	minor, err := strconv.ParseInt(whole+fraction, 10, 64)
	if err != nil || len(fraction) != c.Digits() {
		return nil, fmt.Errorf("stored amount of %s is malformed", c)
	}
	m := payment.FromMinor(minor, c)
	return &m, nil
}
