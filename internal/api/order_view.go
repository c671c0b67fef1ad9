package api

import (
	"encoding/json"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

// orderView is an order as the API shows it.
type orderView struct {
	ID                        string             `json:"id"`
	Store                     string             `json:"store"`
	Number                    string             `json:"number"`
	ClientToken               string             `json:"client_token" doc:"Lets a browser pay this order with a publishable key."`
	Status                    string             `json:"status" enum:"pending,processing,complete,cancelled"`
	PaymentStatus             string             `json:"payment_status" enum:"pending,authorized,partially_paid,paid,partially_refunded,refunded,voided"`
	Currency                  string             `json:"currency"`
	Total                     string             `json:"total"`
	Amounts                   orderAmountsView   `json:"amounts"`
	HasNewPaymentNotification bool               `json:"has_new_payment_notification"`
	Review                    *reviewView        `json:"review" doc:"Why a person has to look at the order, or null."`
	Payments                  []PaymentView      `json:"payments"`
	Lines                     []lineView         `json:"lines"`
	Shipping                  string             `json:"shipping"`
	Discount                  string             `json:"discount"`
	Tax                       string             `json:"tax"`
	TaxIncluded               bool               `json:"tax_included"`
	Customer                  customerBody       `json:"customer"`
	BillingAddress            addressBody        `json:"billing_address"`
	ShippingAddress           addressBody        `json:"shipping_address"`
	BasketID                  string             `json:"basket_id,omitempty"`
	PromotionCodes            []string           `json:"promotion_codes"`
	Locale                    string             `json:"locale,omitempty"`
	ReturnURLs                returnURLsBody     `json:"return_urls"`
	ExpiresAt                 *httpkit.Timestamp `json:"expires_at" nullable:"true"`
	Metadata                  map[string]string  `json:"metadata"`
	CancelReason              string             `json:"cancel_reason,omitempty" doc:"Only for secret keys."`
	PlacedAt                  *httpkit.Timestamp `json:"placed_at" nullable:"true"`
	PaidAt                    *httpkit.Timestamp `json:"paid_at" nullable:"true"`
	CancelledAt               *httpkit.Timestamp `json:"cancelled_at" nullable:"true"`
	CreatedAt                 httpkit.Timestamp  `json:"created_at"`
	UpdatedAt                 httpkit.Timestamp  `json:"updated_at"`
}

type reviewView struct {
	Kind string `json:"kind" doc:"The kind of the open case."`
}

// AmountsView are sums over transactions, fees included. Like all types that
// others embed it is exported: huma passes over those that are not.
type AmountsView struct {
	Authorized string `json:"authorized" doc:"Reserved, and neither captured nor voided."`
	Captured   string `json:"captured"`
	Refunded   string `json:"refunded"`
	Voided     string `json:"voided"`
}

type orderAmountsView struct {
	AmountsView
	Due string `json:"due" doc:"Of the total, neither paid nor reserved. Fees are not part of it."`
}

// PaymentView is a payment as the API shows it.
type PaymentView struct {
	ID            string             `json:"id"`
	Method        string             `json:"method"`
	Gateway       string             `json:"gateway"`
	Account       string             `json:"account"`
	Amount        string             `json:"amount" doc:"Of the order's total."`
	Fee           string             `json:"fee" doc:"Charged on top of the amount; negative for a discount."`
	Status        string             `json:"status" enum:"pending,authorized,partially_paid,paid,partially_refunded,refunded,voided,failed"`
	Amounts       AmountsView        `json:"amounts"`
	Details       map[string]string  `json:"details,omitempty" doc:"What is kept of what the shopper entered, for those who collect the money: an IBAN's last digits, a purchase order number. Only for secret keys."`
	NextAction    *nextActionView    `json:"next_action"`
	Release       *releaseView       `json:"release" doc:"Why and how money is on its way back, or null."`
	CaptureBefore *httpkit.Timestamp `json:"capture_before" nullable:"true" doc:"Until when the PSP keeps money reserved, where it told."`
	Transactions  []TransactionView  `json:"transactions"`
	CreatedAt     httpkit.Timestamp  `json:"created_at"`
}

type releaseView struct {
	Reason string `json:"reason" enum:"tender_incomplete,cancelled,surplus,paid_after_cancel,capture_final,by_request,not_covered"`
	State  string `json:"state" enum:"under_way,done,given_up" doc:"given_up: a person has to look, and a case says so."`
}

// TransactionView is a transaction as the API shows it.
type TransactionView struct {
	ID               string             `json:"id"`
	Type             string             `json:"type" enum:"authorize,authorize_and_capture,capture,refund,void,credit,chargeback"`
	State            string             `json:"state" enum:"sending,action_required,pending,approved,declined,not_sent,unknown,reversed"`
	Amount           string             `json:"amount"`
	Currency         string             `json:"currency"`
	Reference        string             `json:"reference" doc:"Ours: the merchant reference at the PSP."`
	GatewayReference string             `json:"gateway_reference"`
	StoreReference   string             `json:"store_reference,omitempty" doc:"The store's own word for it, as it was sent. Only for secret keys."`
	Purpose          string             `json:"purpose,omitempty" doc:"Why it was asked for, as it was sent. Only for secret keys."`
	Run              *string            `json:"run" doc:"The run that asked for it; null for what the PSP began."`
	Parent           *string            `json:"parent"`
	Held             bool               `json:"held,omitempty" doc:"Breaks a rule: on record, but not in the sums."`
	Reason           *reasonView        `json:"reason"`
	CreatedAt        httpkit.Timestamp  `json:"created_at"`
	SettledAt        *httpkit.Timestamp `json:"settled_at" nullable:"true"`
}

type reasonView struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Decline string `json:"decline,omitempty" enum:"soft,hard"`
}

type nextActionView struct {
	Type    string            `json:"type" enum:"redirect,post_form,display,client"`
	URL     string            `json:"url,omitempty"`
	Fields  map[string]string `json:"fields,omitempty"`
	Kind    string            `json:"kind,omitempty"`
	Content string            `json:"content,omitempty"`
	Data    json.RawMessage   `json:"data,omitempty"`
}

func viewOrder(o *payment.Order) orderView {
	v := orderView{
		ID: o.ID.String(), Store: o.Store, Number: o.Number, ClientToken: o.ClientToken,
		Status: string(o.Saved.Status), PaymentStatus: string(o.PaymentStatus()),
		Currency: o.Currency.String(), Total: o.Total.String(),
		Amounts:                   orderAmountsView{AmountsView: viewAmounts(o.Sums()), Due: o.Due().String()},
		HasNewPaymentNotification: o.NewNotification,
		Payments:                  make([]PaymentView, len(o.Payments)), Lines: make([]lineView, len(o.Lines)),
		Shipping: o.Shipping.String(), Discount: o.Discount.String(), Tax: o.Tax.String(), TaxIncluded: o.TaxIncluded,
		Customer: customerBody(o.Customer), BillingAddress: addressBody(o.BillingAddress),
		ShippingAddress: addressBody(o.ShippingAddress), BasketID: o.BasketID, PromotionCodes: orEmpty(o.PromotionCodes),
		Locale: o.Locale, ReturnURLs: returnURLsBody(o.ReturnURLs), ExpiresAt: stamp(o.ExpiresAt), Metadata: o.Metadata,
		CancelReason: o.Saved.CancelReason, PlacedAt: stamp(o.Saved.PlacedAt), PaidAt: stamp(o.Saved.PaidAt),
		CancelledAt: stamp(o.Saved.CancelledAt),
		CreatedAt:   httpkit.NewTimestamp(o.CreatedAt), UpdatedAt: httpkit.NewTimestamp(o.UpdatedAt),
	}
	if o.Review != "" {
		v.Review = &reviewView{Kind: string(o.Review)}
	}
	if v.Metadata == nil {
		v.Metadata = map[string]string{}
	}
	for i, p := range o.Payments {
		v.Payments[i] = viewPayment(o, p)
	}
	for i, l := range o.Lines {
		v.Lines[i] = lineView{SKU: l.SKU, Name: l.Name, Quantity: l.Quantity, UnitPrice: l.UnitPrice.String(), Total: l.Total.String()}
	}
	return v
}

func viewPayment(o *payment.Order, p *payment.Payment) PaymentView {
	v := PaymentView{
		ID: payment.PaymentID{Order: o.ID, N: p.N}.String(), Method: p.Method, Gateway: p.Gateway, Account: p.Account,
		Amount: p.Amount.String(), Fee: p.Fee.String(), Status: string(p.Status), Amounts: viewAmounts(p.Sums), Details: p.Details,
		NextAction: viewNextAction(p.NextAction), Release: viewRelease(p), CaptureBefore: stamp(p.CaptureBefore),
		Transactions: make([]TransactionView, len(p.Transactions)), CreatedAt: httpkit.NewTimestamp(p.CreatedAt),
	}
	for i, t := range p.Transactions {
		v.Transactions[i] = viewTransaction(o.ID, t)
	}
	return v
}

func viewTransaction(order payment.OrderID, t *payment.Transaction) TransactionView {
	v := TransactionView{
		ID: payment.TransactionID{Order: order, N: t.N}.String(), Type: string(t.Type), State: string(t.State),
		Amount: t.Amount.String(), Currency: t.Amount.Currency().String(), Reference: t.Reference,
		GatewayReference: t.GatewayReference, StoreReference: t.StoreReference, Purpose: t.Purpose, Held: t.Held,
		CreatedAt: httpkit.NewTimestamp(t.CreatedAt), SettledAt: stamp(t.SettledAt),
	}
	if t.Parent != 0 {
		parent := payment.TransactionID{Order: order, N: t.Parent}.String()
		v.Parent = &parent
	}
	if t.Run != 0 {
		v.Run = shown(payment.RunID{Order: order, N: t.Run}.String())
	}
	if t.Reason != (payment.Reason{}) {
		v.Reason = &reasonView{Code: t.Reason.Code, Message: t.Reason.Message, Decline: t.Reason.Decline}
	}
	return v
}

func viewAmounts(s payment.Sums) AmountsView {
	return AmountsView{
		Authorized: s.Reserved().String(), Captured: s.Captured.String(), Refunded: s.Refunded.String(), Voided: s.Voided.String(),
	}
}

// viewRelease says how the release of a payment's money stands. One that is not
// looked at any more, though money is left, was given up.
func viewRelease(p *payment.Payment) *releaseView {
	if p.Release == nil {
		return nil
	}
	v := &releaseView{Reason: string(p.Release.Reason), State: "done"}
	reserved, taken := p.Releasable()
	switch {
	case p.Release.Open():
		v.State = "under_way"
	case reserved.IsPositive() || taken.IsPositive():
		v.State = "given_up"
	}
	return v
}

func viewNextAction(n *payment.NextAction) *nextActionView {
	if n == nil {
		return nil
	}
	v := nextActionView(*n)
	return &v
}
