package api

import (
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"time"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

//go:embed standing.html
var standingHTML string

var standingPage = template.Must(template.New("standing").Parse(standingHTML))

// pagePolicy lets our page show itself and nothing else.
const pagePolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// standing is what a page of ours shows: where an order stands, or why there is
// no order to show.
type standing struct {
	words
	Shop                    string // "" when it is not known
	Number, Total, Currency string // of the order, "" when there is none
	BackURL                 string // of the shop, "" when it gave none
	Page                    string // asks again, "" for the page itself
	RequestID               string // for those who ask the shop what went wrong
}

// words are what the page says.
type words struct {
	State         string // paid, failed, pending or off: the mark and its colour
	Heading, Text string
	Hint          string // what the shopper can do, "" for nothing
	Instructions  string // how to pay outside of any PSP
	Refresh       int    // seconds until the page asks again, 0 for never
}

// show is the page for orders whose store gave no return URLs. It renews itself
// while the outcome is open, without any script.
func (a *API) show(w http.ResponseWriter, r *http.Request, o *payment.Order) {
	s := standing{
		words: wordsOf(o, a.Now()), Shop: a.Moments.StoreTitle(o.Store),
		Number: o.Number, Total: o.Total.Add(o.Fees()).String(), Currency: o.Currency.String(), Page: "/order-status/" + o.ReturnSlug(),
	}
	if s.BackURL = o.FailureURL(); s.State == "paid" {
		s.BackURL = o.SuccessURL()
	}
	a.render(w, r, http.StatusOK, s)
}

func (a *API) render(w http.ResponseWriter, r *http.Request, status int, s standing) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", pagePolicy)
	w.WriteHeader(status)
	if err := standingPage.Execute(w, s); err != nil {
		a.Log.Warn().Err(err).Str("request_id", httpkit.RequestID(r.Context())).Msg("order page")
	}
}

const (
	hintAgain = "Go back to the shop to try again or to choose another way to pay."
	hintAsk   = "Please ask the shop before you pay again."
)

// wordsOf says where an order stands. It promises nothing that the books don't
// hold: that a shopper was not charged is said only where no money can be.
func wordsOf(o *payment.Order, now time.Time) words {
	switch {
	case o.Saved.Status == payment.OrderCancelled:
		return cancelledWords(o)
	case o.PaymentStatus() == payment.StatusRefunded:
		return words{State: "off", Heading: "Refunded", Text: "Your payment for this order has been refunded."}
	case o.Covered() && instructionsOf(o) != "":
		return words{
			State: "paid", Heading: "Order received", Text: "Thank you. Your payment is still to come.", Instructions: instructionsOf(o),
		}
	case o.Covered():
		return words{State: "paid", Heading: "Thank you", Text: "Your payment has been received."}
	case o.Review != "":
		return words{State: "pending", Heading: "Being checked", Text: "Your payment is being checked.", Hint: hintAsk}
	case len(o.OpenTransactions()) > 0:
		return openWords(o, now)
	case o.PaymentStatus() == payment.StatusVoided:
		return words{State: "off", Heading: "Released", Text: "The amount that was reserved for this order has been released."}
	case brokenUp(o) && !o.Expired(now):
		return words{
			State: "failed", Heading: "Not paid", Text: "The payment was not completed. What a part of it took has been given back, or is on its way.",
			Hint: hintAgain,
		}
	case !untouched(o):
		return words{State: "pending", Heading: "Not paid in full", Text: "The payment of this order is not complete.", Hint: hintAsk}
	case o.Expired(now):
		return words{
			State: "failed", Heading: "Not paid", Text: "The time to pay for this order has passed. You have not been charged.",
			Hint: "Go back to the shop to order again.",
		}
	case failed(o):
		return words{State: "failed", Heading: "Not paid", Text: "The payment was not completed. You have not been charged.", Hint: hintAgain}
	}
	return words{State: "pending", Heading: "Not paid yet", Text: "No payment has been made for this order.", Hint: "Go back to the shop to pay."}
}

func cancelledWords(o *payment.Order) words {
	w := words{State: "off", Heading: "Order cancelled", Text: "This order has been cancelled. You have not been charged."}
	if !untouched(o) {
		w.Text, w.Hint = "This order has been cancelled.", "If you have paid for it, please ask the shop about your payment."
	}
	return w
}

// openWords are for an order whose outcome nobody knows yet.
func openWords(o *payment.Order, now time.Time) words {
	w := words{State: "pending", Refresh: refreshAfter(o, now)}
	open := o.OpenTransactions()
	only := func(is func(*payment.Transaction) bool) bool {
		return !slices.ContainsFunc(open, func(t *payment.Transaction) bool { return !is(t) })
	}
	switch {
	case only(func(t *payment.Transaction) bool { return t.State == payment.ActionRequired }):
		w.Heading, w.Text = "Not paid yet", "The payment has not been completed. If you have just paid, this page will show it."
		w.Hint = hintAgain
	case only((*payment.Transaction).AwaitsTransfer):
		w.Heading, w.Text, w.Refresh = "Order received", "It will be paid once your payment has arrived.", 0
		w.Instructions = instructionsOf(o)
	default:
		w.Heading, w.Text = "One moment", "Your payment is being confirmed. This page renews itself."
		w.Hint = "There is no need to pay again meanwhile."
	}
	return w
}

// instructionsOf says how the order is still to be paid, "" for nothing.
func instructionsOf(o *payment.Order) string {
	p := o.LatestPayment()
	if p == nil || p.NextAction == nil || p.NextAction.Kind != "instructions" {
		return ""
	}
	return p.NextAction.Content
}

// refreshAfter is in how many seconds the page asks again: often while a shopper
// waits in front of it, rarely where it was left open.
func refreshAfter(o *payment.Order, now time.Time) int {
	var began time.Time
	for _, t := range o.OpenTransactions() {
		if t.CreatedAt.After(began) {
			began = t.CreatedAt
		}
	}
	switch waited := now.Sub(began); {
	case waited < time.Minute:
		return 3
	case waited < 10*time.Minute:
		return 15
	default:
		return 60
	}
}

// untouched tells whether the order holds no money and none can be on its way:
// no transaction ever did more than not to be sent, or to be declined.
func untouched(o *payment.Order) bool {
	for _, p := range o.Payments {
		for _, t := range p.Transactions {
			if t.State != payment.Declined && t.State != payment.NotSent {
				return false
			}
		}
	}
	return o.Review == "" && o.Held().IsZero() && o.Sums().Authorized.IsZero() // which bounds the other sums
}

// brokenUp tells of an order whose payments were to pay it together and came to
// nothing: whatever they took does not pay it any more, and may be tried again.
func brokenUp(o *payment.Order) bool {
	if !o.Due().Equal(o.Total) {
		return false
	}
	dropped := false
	for _, p := range o.Payments {
		switch {
		case p.Release != nil && p.Release.Reason == payment.ReleaseTender:
			dropped = true
		case p.Sums.Authorized.IsPositive():
			return false
		}
	}
	return dropped
}
