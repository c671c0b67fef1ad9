package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// errOnlyPayments keeps "no such payment" from being read as the fate of a
// capture or a refund: those are asked about through their payment.
var errOnlyPayments = errors.New("the PSP can be asked about payments only")

// Inquire implements gateways.Inquirer. What followed the payment (a refund
// from the PSP's dashboard) is among the facts.
func (g *Gateway) Inquire(ctx context.Context, q payment.Inquiry) ([]payment.Fact, error) {
	if !q.Type.Initial() {
		return nil, fmt.Errorf("inquire %s: %w", q.Reference, errOnlyPayments)
	}
	a := g.client.Do(ctx, g.exchange("inquire", q.Reference, http.MethodGet, "/"+url.PathEscape(q.Reference), nil))
	facts, err := g.learnt(q.Reference, a)
	if err != nil {
		return nil, fmt.Errorf("inquire %s: %w", q.Reference, err)
	}
	return facts, nil
}

// Close implements gateways.Closer.
func (g *Gateway) Close(ctx context.Context, q payment.Inquiry) ([]payment.Fact, error) {
	if !q.Type.Initial() {
		return nil, fmt.Errorf("close %s: %w", q.Reference, errOnlyPayments)
	}
	a := g.client.Do(ctx, g.exchange("close", q.Reference, http.MethodPost, "/"+url.PathEscape(q.Reference)+"/close", nil))
	facts, err := g.learnt(q.Reference, a)
	if err != nil {
		return nil, fmt.Errorf("close %s: %w", q.Reference, err)
	}
	return facts, nil
}

// learnt reads what an answer says of the payment. Only the PSP's own words can
// say that there is none: a proxy's page of the same status cannot.
func (g *Gateway) learnt(reference string, a gateways.Answer) ([]payment.Fact, error) {
	if a.Outcome != gateways.Answered {
		return nil, a.Err()
	}
	var p *paymentObject
	switch a.Status {
	case http.StatusOK:
		if object, err := decode[paymentObject](a.Body); err == nil {
			p = &object
		}
	case http.StatusNotFound, http.StatusConflict:
		e, err := decode[errorObject](a.Body)
		if err == nil && a.Status == http.StatusNotFound && e.Error.Code == "not_found" {
			return nil, gateways.ErrNotFound
		}
		p = e.Payment // a conflict shows the payment as it stands
	}
	if p == nil || !p.echoes() || p.Reference != reference {
		return nil, a.Unreadable().Err()
	}
	facts, err := g.facts(p, payment.SourceInquiry)
	if err != nil {
		return nil, a.Unreadable().Err()
	}
	return facts, nil
}
