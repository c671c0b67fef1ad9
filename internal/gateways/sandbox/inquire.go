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

// errOnlyPayments is what cannot be closed.
var errOnlyPayments = errors.New("only a payment can be closed")

// words are the PSP's for the operations that follow a payment.
var words = map[payment.Type]string{
	payment.Authorize: "increase", payment.Capture: "capture", payment.Refund: "refund", payment.Void: "void",
}

// Inquire implements gateways.Inquirer. What followed the payment (a refund from
// the PSP's dashboard) is among the facts. What was done with a payment is asked
// about by both references.
func (g *Gateway) Inquire(ctx context.Context, q payment.Inquiry) ([]payment.Fact, error) {
	if q.Initial.Reference != "" && q.Initial.Reference != q.Reference {
		return g.inquireOperation(ctx, operation{word: words[q.Type], reference: q.Reference, of: q.Initial.Reference})
	}
	if !q.Type.Initial() {
		return nil, fmt.Errorf("inquire %s: the payment that it acts upon is not named", q.Reference)
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
	if !q.Type.Initial() || q.Initial.Reference != "" && q.Initial.Reference != q.Reference {
		return nil, fmt.Errorf("close %s: %w", q.Reference, errOnlyPayments)
	}
	a := g.client.Do(ctx, g.exchange("close", q.Reference, http.MethodPost, "/"+url.PathEscape(q.Reference)+"/close", nil))
	facts, err := g.learnt(q.Reference, a)
	if err != nil {
		return nil, fmt.Errorf("close %s: %w", q.Reference, err)
	}
	return facts, nil
}

// inquireOperation asks what became of an operation.
func (g *Gateway) inquireOperation(ctx context.Context, o operation) ([]payment.Fact, error) {
	path := "/" + url.PathEscape(o.of) + "/operations/" + url.PathEscape(o.reference)
	a := g.client.Do(ctx, g.exchange("inquire", o.reference, http.MethodGet, path, nil))
	facts, err := g.learntOfOperation(o, a)
	if err != nil {
		return nil, fmt.Errorf("inquire %s: %w", o.reference, err)
	}
	return facts, nil
}

// learntOfOperation reads what an answer says of the operation.
func (g *Gateway) learntOfOperation(o operation, a gateways.Answer) ([]payment.Fact, error) {
	switch {
	case a.Outcome != gateways.Answered:
		return nil, a.Err()
	case a.Status == http.StatusNotFound && saysNotFound(a):
		return nil, gateways.ErrNotFound
	case a.Status != http.StatusOK:
		return nil, a.Unreadable().Err()
	}
	object, err := decode[operatedObject](a.Body)
	if err != nil || !object.echoes() || !o.is(&object) {
		return nil, a.Unreadable().Err()
	}
	facts, err := g.operationFacts(&object, payment.SourceInquiry)
	if err != nil {
		return nil, a.Unreadable().Err()
	}
	return facts, nil
}

// saysNotFound tells whether these are the PSP's own words: a proxy's page of the
// same status says nothing.
func saysNotFound(a gateways.Answer) bool {
	e, err := decode[errorObject](a.Body)
	return err == nil && e.Error.Code == "not_found"
}

// learnt reads what an answer says of the payment.
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
	case http.StatusNotFound:
		if saysNotFound(a) {
			return nil, gateways.ErrNotFound
		}
	case http.StatusConflict:
		if e, err := decode[errorObject](a.Body); err == nil {
			p = e.Payment // it shows the payment as it stands
		}
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
