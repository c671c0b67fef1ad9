package api

import (
	"net/http"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

// movedBeside says whether money moved for a payment that has moved none itself, or
// not yet: that of others which are to pay the order together with it. Where the
// payment comes to nothing, theirs is given back.
func movedBeside(o moments.Outcome) httpkit.MoneyMoved {
	if o.Payment == nil {
		return httpkit.MoneyNo
	}
	moved := httpkit.MoneyNo
	for _, p := range o.Order.TenderOf(o.Payment) {
		if p == o.Payment {
			continue
		}
		if p.Sums.Authorized.IsPositive() {
			return httpkit.MoneyYes
		}
		if len(p.OpenTransactions()) > 0 {
			moved = httpkit.MoneyUnknown
		}
	}
	return moved
}

// interrupted answers several payments of which one wants the shopper before the
// last could be sent, or was lost while another was decided: none of them pays.
func interrupted(o moments.Outcome) *httpkit.Problem {
	p := httpkit.NewProblem(http.StatusPaymentRequired, "payment_declined",
		"One of several payments could not be completed. What was taken is given back; another attempt is allowed.")
	p.Reason = &httpkit.Reason{Code: string(payment.ReleaseTender), Message: "One of several payments could not be completed."}
	if o.Payment.Sums.Authorized.IsPositive() {
		return p.Moved(httpkit.MoneyYes)
	}
	return p.Moved(movedBeside(o))
}
