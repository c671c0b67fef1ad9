package httpkit

import "github.com/danielgtaylor/huma/v2"

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
