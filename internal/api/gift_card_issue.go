package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

type giftCardBody struct {
	Amount    httpkit.Amount     `json:"amount" example:"50.00"`
	Currency  string             `json:"currency" minLength:"3" maxLength:"3" example:"EUR"`
	ExpiresAt *httpkit.Timestamp `json:"expires_at,omitempty" nullable:"true" doc:"From when on it cannot be paid with; null for never."`
	Code      string             `json:"code,omitempty" maxLength:"80" doc:"The code of a card that exists: 10 to 40 letters and digits. Without it a code is made."`
	Metadata  map[string]string  `json:"metadata,omitempty" doc:"At most 50 entries."`
}

// newGiftCardView shows the code too: now and never again.
type newGiftCardView struct {
	GiftCardView
	Code string `json:"code" example:"7K3M-…" doc:"Pays. It is not shown again."`
}

type newGiftCardOutput struct{ Body newGiftCardView }

// issueGiftCard keeps its answer under the idempotency key sealed with the caller's
// API key: the database holds no code, and a caller who got no answer gets it.
func (a *API) issueGiftCard(ctx context.Context, in *struct {
	Authorization string `header:"Authorization" hidden:"true"`
	Body          giftCardBody
}) (*newGiftCardOutput, error) {
	card, code, err := a.newGiftCard(ctx, &in.Body)
	if err != nil {
		return nil, unmoved(err)
	}
	body, err := httpkit.EncodeJSON(newGiftCardView{viewGiftCard(card), code.Reveal()})
	if err != nil {
		return nil, err
	}
	claim := claimOf(ctx, a, "POST /v1/gift-cards", "")
	seal := seal{secret: in.Authorization, about: claim.Store + "\n" + claim.Key}
	sealed, err := seal.close(body, a.Random)
	if err != nil {
		return nil, err
	}
	err = a.Books.GiftCards.IssueGiftCard(ctx, card, code, claim, payment.Reply{Status: http.StatusCreated, Body: sealed, Final: true}, a.by(ctx))
	replayed := false
	if claimed, ok := errors.AsType[*payment.Claimed](err); ok {
		body, err = issuedBefore(claim, claimed, seal)
		replayed = true
	}
	if err != nil {
		return nil, unmoved(err)
	}
	return nil, asSent(moments.Answer{Reply: payment.Reply{Status: http.StatusCreated, Body: body}, Replayed: replayed})
}

// issuedBefore is the answer to a request that is repeated.
func issuedBefore(claim *payment.Claim, claimed *payment.Claimed, s seal) ([]byte, error) {
	switch {
	case !bytes.Equal(claimed.Fingerprint, claim.Fingerprint):
		return nil, payment.Errorf(payment.KindInvalid, "idempotency_key_reused", "the Idempotency-Key was used for another request")
	case claimed.Reply == nil:
		return nil, payment.Errorf(payment.KindConflict, "idempotency_in_progress", "the first request with this key still runs")
	}
	body, ok := s.open(claimed.Reply.Body)
	if !ok {
		return nil, payment.Errorf(payment.KindConflict, "gift_card_issued",
			"the gift card was issued with another API key, and its code is shown to that one only")
	}
	return body, nil
}

// newGiftCard reads a card that was sent, and makes its code unless it has one.
func (a *API) newGiftCard(ctx context.Context, b *giftCardBody) (payment.GiftCard, payment.GiftCardCode, error) {
	currency, err := payment.ParseCurrency(b.Currency)
	if err != nil {
		return payment.GiftCard{}, payment.GiftCardCode{},
			payment.Invalid("currency", "currency_unknown", "must be an ISO 4217 currency code in capital letters")
	}
	now, in := a.Now(), reader{currency: currency}
	amount := in.amount("amount", b.Amount)
	in.check(len(in.fields) > 0 || amount.IsPositive(), "amount", "amount_invalid", "must be more than nothing")
	in.limits(&OrderBody{Metadata: b.Metadata})
	card := payment.GiftCard{
		ID: payment.GiftCardID(a.IDs.New()), Store: storeOf(ctx), Initial: amount, Balance: amount, Active: true,
		Metadata: b.Metadata, CreatedAt: now, UpdatedAt: now,
	}
	if b.ExpiresAt != nil {
		card.ExpiresAt = b.ExpiresAt.Time()
		in.check(card.ExpiresAt.After(now), "expires_at", "expires_at_past", "must be in the future")
	}
	code, ok := payment.ParseGiftCardCode(b.Code)
	if b.Code == "" {
		code, ok = a.IDs.GiftCardCode(), true
	}
	in.check(ok, "code", "code_invalid", "must be 10 to 40 letters and digits; one of 20 needs the check character of our own")
	if len(in.fields) > 0 {
		return card, code, &payment.Error{
			Kind: payment.KindInvalid, Code: in.fields[0].Code, Message: "the gift card has a field that is wrong: see errors",
			Fields: in.fields,
		}
	}
	card.Last4 = code.Last4()
	return card, code, nil
}
