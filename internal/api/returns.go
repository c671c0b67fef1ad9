package api

import (
	"context"
	"net/http"
	"net/netip"

	"github.com/go-chi/chi/v5"

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
	ctx context.Context, id string, moment func(context.Context, *payment.Order, netip.Addr) (*payment.Order, error),
) (*orderOutput, error) {
	o, err := a.order(ctx, id)
	if err != nil {
		return nil, err
	}
	if o, err = moment(ctx, o, addressOf(ctx)); err != nil {
		return nil, err
	}
	return &orderOutput{Body: viewOrder(o)}, nil
}

// pages are the routes of shoppers. Every address below them is a page, so that a
// link which lost a part of itself is answered by one too.
func (a *API) pages(r chi.Router) {
	for path, page := range map[string]http.HandlerFunc{"/order-submit": a.orderSubmit, "/order-failed": a.orderFailed} {
		r.Get(path+"/{token}", page)
		r.Head(path+"/{token}", page)
		r.Post(path+"/{token}", page) // some PSPs send the browser back with a form
		r.Handle(path, http.HandlerFunc(a.lost))
		r.Handle(path+"/*", http.HandlerFunc(a.lost))
	}
	r.Get("/order-status/{token}", a.orderStanding)
	r.Head("/order-status/{token}", a.orderStanding)
	r.Handle("/order-status", http.HandlerFunc(a.lost))
	r.Handle("/order-status/*", http.HandlerFunc(a.lost))
}

// lost answers a link that cannot name an order.
func (a *API) lost(w http.ResponseWriter, r *http.Request) { a.refuse(w, r, payment.ErrOrderNotFound) }

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

// failed tells whether the order is known not to be paid: its last attempt
// failed, or it was cancelled.
func failed(o *payment.Order) bool {
	p := o.LatestPayment()
	return !o.Covered() && (o.Saved.Status == payment.OrderCancelled || p != nil && p.Status == payment.StatusFailed)
}

func (a *API) page(
	w http.ResponseWriter, r *http.Request,
	moment func(context.Context, *payment.Order, netip.Addr) (*payment.Order, error), success func(*payment.Order) bool,
) {
	o, err := a.Moments.OrderOfSlug(r.Context(), chi.URLParam(r, "token"))
	if err == nil {
		o, err = moment(r.Context(), o, addressOf(r.Context()))
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

// orderStanding shows where an order stands, and changes nothing.
func (a *API) orderStanding(w http.ResponseWriter, r *http.Request) {
	o, err := a.Moments.OrderOfSlug(r.Context(), chi.URLParam(r, "token"))
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	a.show(w, r, o)
}
