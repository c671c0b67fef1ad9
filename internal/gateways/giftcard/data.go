package giftcard

import (
	stdjson "encoding/json"

	"github.com/go-json-experiment/json"

	"github.com/paysvc/paysvc/internal/payment"
)

// ValidateData implements gateways.DataValidator: it tells a code from a typo, and
// not whether there is such a card.
func (g *Gateway) ValidateData(kind string, data stdjson.RawMessage) (payment.DataSummary, error) {
	if kind != method {
		return payment.DataSummary{}, payment.Errorf(payment.KindInvalid, "method_unavailable", "the gateway has no such method")
	}
	code, err := codeOf(data)
	if err != nil {
		return payment.DataSummary{}, err
	}
	return payment.DataSummary{Brand: "Gift card", Masked: code.String()}, nil
}

// codeOf reads {"code": "…"}.
func codeOf(data stdjson.RawMessage) (payment.GiftCardCode, error) {
	var d struct {
		Code string `json:"code"`
	}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &d, json.RejectUnknownMembers(true)); err != nil {
			return payment.GiftCardCode{}, payment.Invalid("data", "invalid_json", "must be a JSON object with the field code, which is text")
		}
	}
	if d.Code == "" {
		return payment.GiftCardCode{}, payment.Invalid("data.code", "required", "is required")
	}
	code, ok := payment.ParseGiftCardCode(d.Code)
	if !ok {
		return payment.GiftCardCode{}, payment.Invalid("data.code", "invalid", "must be the code of a gift card; this one is mistyped")
	}
	return code, nil
}
