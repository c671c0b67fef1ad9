package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

// GiftCards keeps the gift cards of stores.
type GiftCards interface {
	IssueGiftCard(ctx context.Context, c payment.GiftCard, code payment.GiftCardCode, claim *payment.Claim, reply payment.Reply, by payment.AuditEntry) error
	GiftCard(ctx context.Context, store string, id payment.GiftCardID) (payment.GiftCard, []payment.GiftCardEntry, error)
	GiftCardByCode(ctx context.Context, l payment.GiftCardLookup) (payment.GiftCard, error)
	ListGiftCards(ctx context.Context, store string, p payment.Page) ([]payment.GiftCard, string, error)
	ActivateGiftCard(ctx context.Context, store string, id payment.GiftCardID, active bool, by payment.AuditEntry) (payment.GiftCard, error)
}

// giftCardRoutes lists the routes of the gift cards that the service keeps.
func (a *API) giftCardRoutes() {
	const orders, payments, read, admin = payment.ScopeOrders, payment.ScopePayments, payment.ScopeRead, payment.ScopeAdmin
	const all, one = "/v1/gift-cards", "/v1/gift-cards/{id}"
	add(a, post(all, "issue-gift-card", "Issue a gift card", admin).money().created().exempt("code"), a.issueGiftCard)
	add(a, get(all, "list-gift-cards", "List gift cards"), a.listGiftCards)
	add(a, get(one, "get-gift-card", "Read a gift card and its ledger"), a.getGiftCard)
	add(a, post(one+"/deactivate", "deactivate-gift-card", "Block a gift card", payments, admin), a.deactivateGiftCard)
	add(a, post(one+"/activate", "activate-gift-card", "Take a gift card again", payments, admin), a.activateGiftCard)
	add(a, post(all+"/balance", "find-gift-card", "Read the balance of a code", orders, payments, read, admin).exempt("code"), a.findGiftCard)
}

// GiftCardView is a gift card without its code.
type GiftCardView struct {
	ID        string             `json:"id"`
	Last4     string             `json:"last4" doc:"The last four characters of its code."`
	Currency  string             `json:"currency"`
	Initial   string             `json:"initial" doc:"What was put on it."`
	Balance   string             `json:"balance" doc:"What is on it."`
	Active    bool               `json:"active" doc:"Whether it can be paid with, as far as the store says."`
	ExpiresAt *httpkit.Timestamp `json:"expires_at" nullable:"true" doc:"From when on it cannot be paid with; null for never."`
	Metadata  map[string]string  `json:"metadata"`
	CreatedAt httpkit.Timestamp  `json:"created_at"`
	UpdatedAt httpkit.Timestamp  `json:"updated_at"`
}

type giftCardOutput struct{ Body GiftCardView }

func viewGiftCard(c payment.GiftCard) GiftCardView {
	v := GiftCardView{
		ID: c.ID.String(), Last4: c.Last4, Currency: c.Balance.Currency().String(), Initial: c.Initial.String(),
		Balance: c.Balance.String(), Active: c.Active, ExpiresAt: stamp(c.ExpiresAt), Metadata: c.Metadata,
		CreatedAt: httpkit.NewTimestamp(c.CreatedAt), UpdatedAt: httpkit.NewTimestamp(c.UpdatedAt),
	}
	if v.Metadata == nil {
		v.Metadata = map[string]string{}
	}
	return v
}

type giftCardEntryView struct {
	Kind      string            `json:"kind" enum:"issue,take,return"`
	Amount    string            `json:"amount" doc:"What was put on the card; negative for what was taken."`
	Balance   string            `json:"balance" doc:"What was on it then."`
	Order     *string           `json:"order" doc:"The order that was paid, or got money back."`
	Reference *string           `json:"reference" doc:"Our reference of the transaction."`
	At        httpkit.Timestamp `json:"at"`
}

func viewGiftCardEntry(e payment.GiftCardEntry) giftCardEntryView {
	v := giftCardEntryView{
		Kind: string(e.Kind), Amount: e.Amount.String(), Balance: e.Balance.String(), At: httpkit.NewTimestamp(e.At),
	}
	if e.Kind != payment.GiftCardIssue {
		v.Order, v.Reference = shown(e.Order.String()), shown(e.Reference)
	}
	return v
}

type giftCardLedgerView struct {
	GiftCardView
	Entries []giftCardEntryView `json:"entries" doc:"The ledger, newest first; the latest 200 of a longer one."`
}

type giftCardLedgerOutput struct{ Body giftCardLedgerView }

// GiftCardPath names a gift card in the path.
type GiftCardPath struct {
	ID string `path:"id" maxLength:"40" example:"gcd_…"`
}

func (a *API) listGiftCards(ctx context.Context, in *struct{ httpkit.Page }) (*listOutput[GiftCardView], error) {
	cards, next, err := a.Books.GiftCards.ListGiftCards(ctx, storeOf(ctx), pageOf(in.Page))
	if err != nil {
		return nil, unlisted(err)
	}
	return listed(cards, next, viewGiftCard), nil
}

func (a *API) getGiftCard(ctx context.Context, in *GiftCardPath) (*giftCardLedgerOutput, error) {
	id, err := payment.ParseGiftCardID(in.ID)
	if err != nil {
		return nil, err
	}
	card, entries, err := a.Books.GiftCards.GiftCard(ctx, storeOf(ctx), id)
	if err != nil {
		return nil, err
	}
	out := &giftCardLedgerOutput{Body: giftCardLedgerView{viewGiftCard(card), make([]giftCardEntryView, len(entries))}}
	for i, e := range entries {
		out.Body.Entries[i] = viewGiftCardEntry(e)
	}
	return out, nil
}

func (a *API) deactivateGiftCard(ctx context.Context, in *GiftCardPath) (*giftCardOutput, error) {
	return a.switchGiftCard(ctx, in.ID, false)
}

func (a *API) activateGiftCard(ctx context.Context, in *GiftCardPath) (*giftCardOutput, error) {
	return a.switchGiftCard(ctx, in.ID, true)
}

func (a *API) switchGiftCard(ctx context.Context, sent string, active bool) (*giftCardOutput, error) {
	id, err := payment.ParseGiftCardID(sent)
	if err != nil {
		return nil, err
	}
	card, err := a.Books.GiftCards.ActivateGiftCard(ctx, storeOf(ctx), id, active, a.by(ctx))
	if err != nil {
		return nil, err
	}
	return &giftCardOutput{Body: viewGiftCard(card)}, nil
}

type giftCardCodeBody struct {
	Code string `json:"code" minLength:"1" maxLength:"80" doc:"As it is typed: case, spaces and dashes do not matter."`
}

// findGiftCard has the code in its body: an address stands in logs.
func (a *API) findGiftCard(ctx context.Context, in *struct {
	Body giftCardCodeBody
}) (*giftCardOutput, error) {
	code, ok := payment.ParseGiftCardCode(in.Body.Code)
	if !ok {
		return nil, errCodeInvalid
	}
	card, err := a.Books.GiftCards.GiftCardByCode(ctx, payment.GiftCardLookup{Store: storeOf(ctx), Code: code})
	if errors.Is(err, payment.ErrGiftCardTries) {
		return nil, tooManyCodes()
	}
	if err != nil {
		return nil, err
	}
	return &giftCardOutput{Body: viewGiftCard(card)}, nil
}

// codesRetryAfterSeconds is when asking again may be worth it: a sixth of what was
// tried in an hour is forgotten by then.
const codesRetryAfterSeconds = 600

func tooManyCodes() error {
	p := httpkit.NewProblem(http.StatusTooManyRequests, "too_many_attempts",
		"Too many codes that are none were looked up for the store within an hour. For a while no more are.")
	p.RetryAfterSeconds = codesRetryAfterSeconds
	return p
}

var errCodeInvalid = payment.Invalid("code", "code_invalid", "must be the code of a gift card; this one is mistyped")
