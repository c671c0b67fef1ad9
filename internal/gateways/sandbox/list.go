package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

const (
	operationsPath = "/sandbox/v1/operations"
	listMax        = 500
)

// movementsObject is a page of what moved money, in the PSP's words.
type movementsObject struct {
	Data []struct {
		Operation operationObject `json:"operation"`
		Payment   struct {
			ID        string `json:"id"`
			Reference string `json:"reference"`
			Account   string `json:"account"`
			Mode      string `json:"mode"`
		} `json:"payment"`
	} `json:"data"`
	NextCursor string `json:"next_cursor"`
}

// List implements gateways.Lister. An operation belongs to the time at which it
// came to its state.
func (g *Gateway) List(ctx context.Context, from, to time.Time, cursor string) ([]payment.Fact, string, error) {
	query := url.Values{
		"from": {from.UTC().Format(time.RFC3339Nano)}, "to": {to.UTC().Format(time.RFC3339Nano)}, "limit": {strconv.Itoa(listMax)},
	}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	e := g.exchange("list", "", http.MethodGet, "", nil)
	e.URL = g.config().BaseURL + operationsPath + "?" + query.Encode()
	a := g.client.Do(ctx, e)
	facts, next, err := g.listed(a)
	if err != nil {
		return nil, "", fmt.Errorf("list operations: %w", err)
	}
	return facts, next, nil
}

// listed reads a page. One of which a part cannot be read says nothing: a hole
// in it would look like money that never moved.
func (g *Gateway) listed(a gateways.Answer) (facts []payment.Fact, next string, err error) {
	if a.Outcome != gateways.Answered {
		return nil, "", a.Err()
	}
	page, err := decode[movementsObject](a.Body)
	if err != nil || a.Status != http.StatusOK || page.Data == nil {
		return nil, "", a.Unreadable().Err()
	}
	for _, m := range page.Data {
		typ, known := types[m.Operation.Operation]
		if !known || m.Payment.Account == "" || m.Payment.Mode == "" || !gateways.PlainID(m.Payment.ID) {
			return nil, "", a.Unreadable().Err()
		}
		of := payment.Fact{Source: payment.SourceInquiry, Account: g.ourAccount(m.Payment.Account), Mode: payment.Mode(m.Payment.Mode)}
		if gateways.OurReference(m.Payment.Reference) {
			of.Reference = m.Payment.Reference
		}
		f, err := operationFact(of, m.Operation, typ)
		if err != nil {
			return nil, "", a.Unreadable().Err()
		}
		if typ.Initial() && !m.Operation.increases() {
			f.GatewayReference = m.Payment.ID // by this name the payment is told
		}
		facts = append(facts, f)
	}
	return facts, page.NextCursor, nil
}
