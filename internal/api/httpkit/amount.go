package httpkit

import (
	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
)

// Amount is an amount of money in a body or query, as it was written: digits
// with at most four decimals, no sign, no exponent. Whether it fits its
// currency is checked where the currency is known. Anything else is answered
// with 422 amount_invalid and the field.
type Amount string

// Schema serves huma.
func (Amount) Schema(huma.Registry) *huma.Schema {
	longest := 20
	return &huma.Schema{
		Type:               huma.TypeString,
		MaxLength:          &longest,
		Pattern:            `^[0-9]{1,15}(\.[0-9]{1,4})?$`,
		PatternDescription: "an amount: digits with at most four decimals",
		Description:        "An amount in the order's currency, with at most its ISO 4217 digits.",
		Examples:           []any{"129.95"},
		Extensions:         map[string]any{extensionErrorCode: CodeAmountInvalid},
	}
}

// StatedAmount is an Amount of which null is not the same as none: where none means
// all, a caller who has lost the amount must not move everything. Null reads as an
// amount that no currency has.
type StatedAmount string

// Schema serves huma.
func (StatedAmount) Schema(r huma.Registry) *huma.Schema { return Amount("").Schema(r) }

// UnmarshalJSON implements json.Unmarshaler.
func (a *StatedAmount) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*a = "null"
		return nil
	}
	return json.Unmarshal(text, (*string)(a))
}
