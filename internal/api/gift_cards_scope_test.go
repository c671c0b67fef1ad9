package api_test

import (
	"net/http"
	"testing"

	"github.com/paysvc/paysvc/internal/payment"
)

// The till of a warehouse captures and refunds; it makes no money.
func TestOnlyAnAdminKeyIssuesGiftCards(t *testing.T) {
	t.Parallel()
	b := boot(t)
	till := b.As(b.keyWith("demo", payment.ScopeOrders, payment.ScopePayments, payment.ScopeRefunds, payment.ScopeRead))
	card := map[string]any{"amount": "999999999999.99", "currency": "EUR"}
	till.Post("/v1/gift-cards", card).Refused(http.StatusForbidden, "forbidden")
	card["code"] = "GIFT-0001-OLD1"
	till.Post("/v1/gift-cards", card).Refused(http.StatusForbidden, "forbidden")
	issued := b.As(b.keyWith("demo", payment.ScopeAdmin)).Post("/v1/gift-cards", card).Is(http.StatusCreated).Text("id")
	till.Post("/v1/gift-cards/"+issued+"/deactivate", nil).Is(http.StatusOK) // which takes nobody's money
}
