package stripe

import (
	"context"
	"net/http"
	"time"

	"github.com/stripe/stripe-go/v85"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

const (
	// searchedAround is how far Stripe's date of a payment may be from that of its
	// announcement, on either side: a request under way and clocks that differ.
	searchedAround = 5 * time.Minute
	// pageItems keeps a page well below the largest answer that is read, and
	// pagesMax bounds the search of a busy account.
	pageItems = 50
	pagesMax  = 10
)

// item is what a page says of a session, an intent or a refund.
type item struct {
	ID                string            `json:"id"`
	ClientReferenceID string            `json:"client_reference_id"`
	Metadata          map[string]string `json:"metadata"`
}

func (i item) reference() string {
	if i.ClientReferenceID != "" {
		return i.ClientReferenceID
	}
	return i.Metadata[metaReference]
}

// find returns Stripe's id of the payment with our reference, that was announced
// then. The search index
// lags behind, so only what it finds counts; that there is none only the lists
// can say, which are up to date, once all of them have been read.
func (a asking) find(ctx context.Context, announced time.Time) (string, error) {
	id, err := a.search(ctx)
	if id != "" || err != nil {
		return id, err
	}
	between := &stripe.RangeQueryParams{
		GreaterThanOrEqual: announced.Add(-searchedAround).Unix(), LesserThanOrEqual: announced.Add(searchedAround).Unix(),
	}
	id, err = a.among(ctx, func(ctx context.Context, after *string) error {
		params := &stripe.CheckoutSessionListParams{CreatedRange: between}
		params.Single, params.Limit, params.StartingAfter = true, stripe.Int64(pageItems), after
		return a.g.api().V1CheckoutSessions.List(ctx, params).Err()
	})
	if id != "" || err != nil {
		return id, err
	}
	id, err = a.among(ctx, func(ctx context.Context, after *string) error {
		params := &stripe.PaymentIntentListParams{CreatedRange: between}
		params.Single, params.Limit, params.StartingAfter = true, stripe.Int64(pageItems), after
		return a.g.api().V1PaymentIntents.List(ctx, params).Err()
	})
	if id == "" && err == nil {
		return "", gateways.ErrNotFound
	}
	return id, err
}

// search asks the index of intents. It is not there for every country.
func (a asking) search(ctx context.Context) (string, error) {
	answer := a.safely(ctx, func(ctx context.Context) error {
		params := &stripe.PaymentIntentSearchParams{}
		params.Query = "metadata['" + metaReference + "']:'" + a.reference + "'"
		params.Single, params.Limit = true, stripe.Int64(1)
		return a.g.api().V1PaymentIntents.Search(ctx, params).Err()
	})
	if answer.Status == http.StatusBadRequest {
		if e, err := decode[errorObject](answer.Body); err == nil && e.Error.Type == "invalid_request_error" {
			return "", nil
		}
	}
	page, err := pageOf(answer, "search_result")
	if err != nil || len(page.Data) == 0 {
		return "", err
	}
	if page.Data[0].reference() != a.reference || !gateways.PlainID(page.Data[0].ID) {
		return "", unreadable()
	}
	return page.Data[0].ID, nil
}

// among looks through a list, page by page, to its end.
func (a asking) among(ctx context.Context, next func(ctx context.Context, after *string) error) (string, error) {
	var after *string
	for range pagesMax {
		page, err := a.page(ctx, "list", func(ctx context.Context) error { return next(ctx, after) })
		if err != nil {
			return "", err
		}
		for _, i := range page.Data {
			if i.reference() == a.reference {
				return i.ID, nil
			}
		}
		if !page.HasMore {
			return "", nil
		}
		if len(page.Data) == 0 {
			return "", unreadable()
		}
		after = stripe.String(page.Data[len(page.Data)-1].ID)
	}
	return "", payment.Errorf(payment.KindUnavailable, "gateway_unavailable", "the PSP lists too many objects")
}

func (a asking) page(ctx context.Context, object string, request func(context.Context) error) (list[item], error) {
	return pageOf(a.safely(ctx, request), object)
}

// pageOf reads a page. A page that does not say so is not an empty one.
func pageOf(a gateways.Answer, object string) (list[item], error) {
	page, err := answered[list[item]](a)
	if err != nil {
		return list[item]{}, notAsked(err)
	}
	if page.Object != object || page.Data == nil {
		return list[item]{}, unreadable()
	}
	for _, i := range page.Data {
		if !gateways.PlainID(i.ID) {
			return list[item]{}, unreadable()
		}
	}
	return page, nil
}
