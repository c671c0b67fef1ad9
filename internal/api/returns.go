package api

import (
	"context"
	_ "embed"
	"html/template"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

func (a *API) submit(ctx context.Context, in *OrderPath) (*orderOutput, error) {
	return a.comeBack(ctx, in.ID, a.Moments.Submit)
}

func (a *API) fail(ctx context.Context, in *OrderPath) (*orderOutput, error) {
	return a.comeBack(ctx, in.ID, a.Moments.Fail)
}

// comeBack is a return of the shopper that the store's own page reports.
func (a *API) comeBack(
	ctx context.Context, id string, moment func(context.Context, *payment.Order) (*payment.Order, error),
) (*orderOutput, error) {
	o, err := a.order(ctx, id)
	if err != nil {
		return nil, err
	}
	if o, err = moment(ctx, o); err != nil {
		return nil, err
	}
	return &orderOutput{Body: viewOrder(o)}, nil
}

// orderSubmit is where the PSP sends the browser back to. It asks, displays and
// cleans up; nothing that a browser sends here decides anything.
func (a *API) orderSubmit(w http.ResponseWriter, r *http.Request) {
	a.page(w, r, a.Moments.Submit, func(o *payment.Order) bool { return !failed(o) })
}

// orderFailed is where the PSP sends a browser back to that did not pay. An
// order that turns out to be paid sends it on to success.
func (a *API) orderFailed(w http.ResponseWriter, r *http.Request) {
	a.page(w, r, a.Moments.Fail, (*payment.Order).Covered)
}

// failed tells whether the last attempt is known to have failed.
func failed(o *payment.Order) bool {
	p := o.LatestPayment()
	return p != nil && p.Status == payment.StatusFailed && !o.Covered()
}

func (a *API) page(
	w http.ResponseWriter, r *http.Request,
	moment func(context.Context, *payment.Order) (*payment.Order, error), success func(*payment.Order) bool,
) {
	o, err := a.Moments.OrderOfSlug(r.Context(), chi.URLParam(r, "token"))
	if err == nil {
		o, err = moment(r.Context(), o)
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	target := o.FailureURL()
	if success(o) {
		target = o.SuccessURL()
	}
	if target != "" {
		http.Redirect(w, r, target, http.StatusSeeOther) //nolint:gosec // the store registered its origin
		return
	}
	a.show(w, r, o)
}

//go:embed standing.html
var standingHTML string

var standingPage = template.Must(template.New("standing").Parse(standingHTML))

// pagePolicy lets our page show itself and nothing else.
const pagePolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// standing is what our own page shows of an order.
type standing struct {
	Number, Total, Currency string
	State, Heading, Text    string
	Refresh                 int // seconds until the page asks again, 0 for never
	Page                    string
}

func (a *API) orderStanding(w http.ResponseWriter, r *http.Request) {
	o, err := a.Moments.OrderOfSlug(r.Context(), chi.URLParam(r, "token"))
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	a.show(w, r, o)
}

// show is the page for orders whose store gave no return URLs. It renews itself
// while the outcome is open, without any script.
func (a *API) show(w http.ResponseWriter, r *http.Request, o *payment.Order) {
	s := standing{
		Number: o.Number, Total: o.Total.String(), Currency: o.Currency.String(), Page: "/order-status/" + o.ReturnSlug(),
	}
	switch {
	case o.Covered():
		s.State, s.Heading, s.Text = "paid", "Thank you", "Your payment has been received."
	case failed(o), o.Saved.Status == payment.OrderCancelled:
		s.State, s.Heading, s.Text = "failed", "Not paid", "The payment was not completed. You have not been charged."
	case len(o.OpenTransactions()) > 0:
		s.State, s.Heading, s.Text, s.Refresh = "pending", "One moment", "Your payment is being confirmed. This page renews itself.", 3
	default:
		s.State, s.Heading, s.Text = "pending", "Not paid yet", "No payment has been made for this order."
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Referrer-Policy", "no-referrer")
	if err := standingPage.Execute(w, s); err != nil {
		a.Log.Warn().Err(err).Str("request_id", httpkit.RequestID(r.Context())).Msg("order page")
	}
}
