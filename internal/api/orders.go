package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

// OrderPath names an order in the path. It is exported because huma passes over
// embedded types that are not.
type OrderPath struct {
	ID string `path:"id" maxLength:"40" example:"ord_…"`
}

type orderOutput struct{ Body orderView }

// createBody is an order, and perhaps how it is paid at once.
type createBody struct {
	OrderBody
	Pay *payBody `json:"pay,omitempty" doc:"Makes this call the first pay call too; the answer is then that of pay."`
}

func (a *API) createOrder(ctx context.Context, in *struct{ Body createBody }) (*orderOutput, error) {
	o, err := a.newOrder(ctx, &in.Body.OrderBody)
	if err != nil {
		return nil, unmoved(err)
	}
	claim := claimOf(ctx, a, "POST /v1/orders", "")
	if in.Body.Pay != nil {
		c, err := in.Body.Pay.command()
		if err != nil {
			return nil, unmoved(err)
		}
		c.New, c.Claim = o, claim
		return nil, a.answerPay(ctx, a.Moments.Pay, c)
	}
	var renderErr error
	answer, err := a.Moments.Create(ctx, moments.CreateCommand{New: o, Claim: claim, Render: func(o *payment.Order, created bool) payment.Reply {
		status := http.StatusOK
		if created {
			status = http.StatusCreated
		}
		body, err := httpkit.EncodeJSON(viewOrder(o))
		renderErr = err
		return payment.Reply{Status: status, Body: body, Final: true}
	}})
	if err == nil {
		err = renderErr
	}
	if err != nil {
		return nil, unmoved(err)
	}
	return nil, asSent(answer)
}

// newOrder reads an order that was sent.
func (a *API) newOrder(ctx context.Context, body *OrderBody) (*payment.Order, error) {
	store := storeOf(ctx)
	now := a.Now()
	details, err := body.details(func(url string) bool { return a.Moments.MayReturnTo(store, url) }, now)
	if err != nil {
		return nil, err
	}
	hash, err := contentHash(body)
	if err != nil {
		return nil, err
	}
	progress := payment.Progress{Status: payment.OrderPending}
	return &payment.Order{
		ID: payment.OrderID(a.IDs.New()), Store: store, ContentHash: hash, ClientToken: a.IDs.Token(),
		ReturnToken: a.IDs.Token(), Details: details, Progress: progress, Saved: progress, CreatedAt: now, UpdatedAt: now,
		Actor: callerOf(ctx).key.ID,
	}, nil
}

// contentHash tells the same order from another one under its number.
func contentHash(body *OrderBody) ([]byte, error) {
	content, err := httpkit.EncodeJSON(body)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(content)
	return hash[:], nil
}

// claimOf is the idempotency key of a request. Subject is what the path names:
// the same key and body for another order is another request.
func claimOf(ctx context.Context, a *API, operation, subject string) *payment.Claim {
	body := httpkit.BodyHash(ctx)
	request := operation + "\n" + subject + "\n" + hex.EncodeToString(body[:])
	if callerOf(ctx).key.Kind != payment.SecretKey {
		request += "\nbrowser" // which is not shown what a server was answered
	}
	fingerprint := sha256.Sum256([]byte(request))
	return &payment.Claim{
		Store: storeOf(ctx), Operation: operation, Key: httpkit.IdempotencyKey(ctx), Fingerprint: fingerprint[:], At: a.Now(),
	}
}

// asSent is an answer as bytes, the first time and each time after.
func asSent(answer moments.Answer) *httpkit.Answer {
	out := &httpkit.Answer{
		Status: answer.Status, MediaType: "application/json", Body: answer.Body, Replayed: answer.Replayed,
	}
	if answer.Status >= http.StatusBadRequest {
		out.MediaType = "application/problem+json"
	}
	if answer.Status == http.StatusAccepted || answer.Status == http.StatusServiceUnavailable {
		out.RetryAfterSeconds = retryAfterSeconds
	}
	return out
}

// retryAfterSeconds is when asking again may tell more.
const retryAfterSeconds = 5

// order reads the order that a path names, if the caller may use it.
func (a *API) order(ctx context.Context, id string) (*payment.Order, error) {
	parsed, err := payment.ParseOrderID(id)
	if err != nil {
		return nil, err
	}
	return a.readOrder(ctx, parsed)
}

func (a *API) getOrder(ctx context.Context, in *OrderPath) (*orderOutput, error) {
	o, err := a.order(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &orderOutput{Body: viewOrder(o)}, nil
}

// amendBody is what may be changed on an order that is not in play yet.
type amendBody struct {
	Total           *httpkit.Amount    `json:"total,omitempty"`
	Lines           *[]lineBody        `json:"lines,omitempty" maxItems:"500"`
	Shipping        *httpkit.Amount    `json:"shipping,omitempty"`
	Discount        *httpkit.Amount    `json:"discount,omitempty"`
	Tax             *httpkit.Amount    `json:"tax,omitempty"`
	TaxIncluded     *bool              `json:"tax_included,omitempty"`
	Customer        *customerBody      `json:"customer,omitempty"`
	BillingAddress  *addressBody       `json:"billing_address,omitempty"`
	ShippingAddress *addressBody       `json:"shipping_address,omitempty"`
	PromotionCodes  *[]string          `json:"promotion_codes,omitempty" maxItems:"20"`
	Locale          *string            `json:"locale,omitempty" maxLength:"35"`
	ReturnURLs      *returnURLsBody    `json:"return_urls,omitempty"`
	ExpiresAt       *httpkit.Timestamp `json:"expires_at,omitempty"`
	Metadata        *map[string]string `json:"metadata,omitempty"`
}

func (a *API) amendOrder(ctx context.Context, in *struct {
	OrderPath
	Body amendBody
}) (*orderOutput, error) {
	id, err := payment.ParseOrderID(in.ID)
	if err != nil {
		return nil, err
	}
	store := storeOf(ctx)
	o, err := a.Moments.Amend(ctx, moments.AmendCommand{Store: store, Order: id, Actor: callerOf(ctx).key.ID, Change: func(o *payment.Order) error {
		body := bodyOf(&o.Details)
		in.Body.applyTo(&body)
		details, err := body.details(func(url string) bool { return a.Moments.MayReturnTo(store, url) }, a.Now())
		if err != nil {
			return err
		}
		o.Details = details
		o.ContentHash, err = contentHash(&body)
		return err
	}})
	if err != nil {
		return nil, err
	}
	return &orderOutput{Body: viewOrder(o)}, nil
}

// bodyOf is an order as its store might have sent it.
func bodyOf(d *payment.Details) OrderBody {
	b := OrderBody{
		Number: d.Number, Currency: d.Currency.String(), Total: httpkit.Amount(d.Total.String()),
		Shipping: httpkit.Amount(d.Shipping.String()), Discount: httpkit.Amount(d.Discount.String()),
		Tax: httpkit.Amount(d.Tax.String()), TaxIncluded: d.TaxIncluded, Customer: customerBody(d.Customer),
		BillingAddress: addressBody(d.BillingAddress), ShippingAddress: addressBody(d.ShippingAddress),
		BasketID: d.BasketID, PromotionCodes: d.PromotionCodes, Locale: d.Locale,
		ReturnURLs: returnURLsBody(d.ReturnURLs), ExpiresAt: stamp(d.ExpiresAt), Metadata: d.Metadata,
	}
	for _, l := range d.Lines {
		b.Lines = append(b.Lines, lineBody{
			SKU: l.SKU, Name: l.Name, Quantity: l.Quantity,
			UnitPrice: httpkit.Amount(l.UnitPrice.String()), Total: httpkit.Amount(l.Total.String()),
		})
	}
	return b
}

// applyTo sets the fields that were sent.
func (b *amendBody) applyTo(o *OrderBody) {
	set(&o.Total, b.Total)
	set(&o.Lines, b.Lines)
	set(&o.Shipping, b.Shipping)
	set(&o.Discount, b.Discount)
	set(&o.Tax, b.Tax)
	set(&o.TaxIncluded, b.TaxIncluded)
	set(&o.Customer, b.Customer)
	set(&o.BillingAddress, b.BillingAddress)
	set(&o.ShippingAddress, b.ShippingAddress)
	set(&o.PromotionCodes, b.PromotionCodes)
	set(&o.Locale, b.Locale)
	set(&o.ReturnURLs, b.ReturnURLs)
	set(&o.Metadata, b.Metadata)
	if b.ExpiresAt != nil {
		o.ExpiresAt = b.ExpiresAt
	}
}

func set[T any](target *T, sent *T) {
	if sent != nil {
		*target = *sent
	}
}

type cancelBody struct {
	Reason  httpkit.Text `json:"reason" minLength:"1" maxLength:"250"`
	Release string       `json:"release,omitempty" enum:"void,refund,none" doc:"What happens to money that is held. void needs the scope payments too, and refund the scope refunds."`
}

// releaseScope is what a key needs beside orders to decide what happens to money
// that is held: what it needs to do the same with a payment.
var releaseScope = map[string]payment.Scope{"void": payment.ScopePayments, "refund": payment.ScopeRefunds}

func (a *API) cancelOrder(ctx context.Context, in *struct {
	OrderPath
	Body cancelBody
}) (*orderOutput, error) {
	if scope, moves := releaseScope[in.Body.Release]; moves && !slices.Contains(callerOf(ctx).key.Scopes, scope) {
		return nil, errScope(scope)
	}
	id, err := payment.ParseOrderID(in.ID)
	if err != nil {
		return nil, unmoved(err)
	}
	c := moments.CancelCommand{
		Store: storeOf(ctx), Order: id, Author: callerOf(ctx).key.Name, Reason: string(in.Body.Reason), Release: in.Body.Release,
		Actor: callerOf(ctx).key.ID, From: addressOf(ctx),
	}
	if httpkit.IdempotencyKey(ctx) != "" {
		c.Claim = claimOf(ctx, a, "POST /v1/orders/{id}/cancel", in.ID)
	}
	var renderErr error
	c.Render = func(o *payment.Order) payment.Reply {
		body, err := httpkit.EncodeJSON(viewOrder(o))
		renderErr = err
		return payment.Reply{Status: http.StatusOK, Body: body, Final: true}
	}
	answer, err := a.Moments.Cancel(ctx, c)
	if err == nil {
		err = renderErr
	}
	if err != nil {
		return nil, unmoved(err)
	}
	return nil, asSent(answer)
}
