package main

import (
	"fmt"
	"time"
)

// article is what everybody buys; its stock tells whether an order was deducted
// once.
const article = "A-1"

// orderJSON is an order, perhaps with its payment in it.
func orderJSON(p *purchase, atOnce bool) string {
	total := euros(p.cents)
	more := ""
	if p.method == "wallet" { // what a shopper never comes back to has to end too
		more += fmt.Sprintf(`, "expires_at": %q`, time.Now().Add(abandonedAfter).UTC().Format(time.RFC3339))
	}
	if atOnce {
		more += `, "pay": {` + p.payJSON() + "}"
	}
	return fmt.Sprintf(`{"number": %q, "currency": "EUR", "total": %q,
		"lines": [{"sku": %q, "name": "Lamp", "quantity": 1, "unit_price": %q, "total": %q}],
		"customer": {"email": "a@example.org", "name": "A. Person"},
		"return_urls": {"success": "https://shop.example/thanks", "failure": "https://shop.example/oops"}%s}`,
		p.number, total, article, total, total, more)
}

// payJSON is how the purchase is paid; wallets are decided by their buttons.
func (p *purchase) payJSON() string {
	switch p.method {
	case "wallet":
		return `"method": "wallet"`
	case "split": // a part by gift card, the rest by card
		return fmt.Sprintf(`"payments": [{"method": "gift-card", "amount": %q, "data": {"code": %q}},
			{"method": "card", "data": {"scenario": %q}}]`, euros(1+p.cents/3), p.card, p.scenario)
	}
	return fmt.Sprintf(`"method": %q, "data": {"scenario": %q}`, p.method, p.scenario)
}

// euros writes cents as an amount.
func euros(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }
