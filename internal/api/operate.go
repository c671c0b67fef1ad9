package api

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

// PaymentPath names a payment in the path. It is exported because huma passes
// over embedded types that are not.
type PaymentPath struct {
	ID string `path:"id" maxLength:"40" example:"pay_…"`
}

// AmountBody is how much an operation is about.
type AmountBody struct {
	Amount   httpkit.StatedAmount `json:"amount,omitempty" doc:"All that is left, where it is missing. Null is refused."`
	Currency string               `json:"currency,omitempty" minLength:"3" maxLength:"3" doc:"Must be the order's, where it is sent."`
}

// read is AmountBody in the words of the domain, once the currency is known.
func (b AmountBody) read(currency payment.Currency) (*payment.Money, error) {
	if b.Currency != "" && b.Currency != currency.String() {
		return nil, payment.Invalid("currency", "currency_mismatch", "must be the order's currency")
	}
	if b.Amount == "" {
		return nil, nil
	}
	in := reader{currency: currency}
	amount := in.amount("amount", httpkit.Amount(b.Amount))
	if err := in.err(); err != nil {
		return nil, err
	}
	return &amount, nil
}

// DataBody is what simulators are told.
type DataBody struct {
	Data json.RawMessage `json:"data,omitempty" doc:"For PSPs of tests: handed over and not kept."`
}

type captureBody struct {
	AmountBody
	Final     bool         `json:"final,omitempty" doc:"No other capture follows: what this one leaves is released, where the PSP can do so."`
	Reference httpkit.Line `json:"reference,omitempty" maxLength:"64" doc:"The store's own word for it, such as a shipment."`
	DataBody
}

func (a *API) capture(ctx context.Context, in *struct {
	PaymentPath
	Body *captureBody
}) (*operationOutput, error) {
	b := orZero(in.Body)
	return nil, a.operatePayment(ctx, in.ID, moments.OperateCommand{
		Action: payment.ActCapture, Amount: b.read, Final: b.Final, StoreReference: string(b.Reference), Data: b.Data,
	})
}

type refundBody struct {
	AmountBody
	Reason    httpkit.Text `json:"reason,omitempty" maxLength:"250" doc:"Why money is given back, for people."`
	Reference httpkit.Line `json:"reference,omitempty" maxLength:"64" doc:"The store's own word for it, such as a return."`
	Offline   bool         `json:"offline,omitempty" doc:"The money was given back outside any PSP: it is only recorded."`
	DataBody
}

func (b refundBody) command() moments.OperateCommand {
	return moments.OperateCommand{
		Action: payment.ActRefund, Amount: b.read, Reason: strings.TrimSpace(string(b.Reason)), StoreReference: string(b.Reference),
		Offline: b.Offline, Data: b.Data,
	}
}

func (a *API) refund(ctx context.Context, in *struct {
	PaymentPath
	Body *refundBody
}) (*operationOutput, error) {
	return nil, a.operatePayment(ctx, in.ID, orZero(in.Body).command())
}

func (a *API) refundOrder(ctx context.Context, in *struct {
	OrderPath
	Body *refundBody
}) (*operationOutput, error) {
	return nil, a.operateOrder(ctx, in.ID, orZero(in.Body).command())
}

type voidBody struct {
	Offline bool         `json:"offline,omitempty" doc:"The money was released outside any PSP: it is only recorded."`
	Reason  httpkit.Text `json:"reason,omitempty" maxLength:"250" doc:"Why the money is released, for people."`
	DataBody
}

func (a *API) void(ctx context.Context, in *struct {
	PaymentPath
	Body *voidBody
}) (*operationOutput, error) {
	b := orZero(in.Body)
	return nil, a.operatePayment(ctx, in.ID, moments.OperateCommand{
		Action: payment.ActVoid, Offline: b.Offline, Reason: strings.TrimSpace(string(b.Reason)), Data: b.Data,
	})
}

type increaseBody struct {
	Amount   httpkit.Amount `json:"amount" doc:"How much more is reserved."`
	Currency string         `json:"currency,omitempty" minLength:"3" maxLength:"3" doc:"Must be the order's, where it is sent."`
	DataBody
}

func (a *API) increase(ctx context.Context, in *struct {
	PaymentPath
	Body increaseBody
}) (*operationOutput, error) {
	b := AmountBody{Amount: httpkit.StatedAmount(in.Body.Amount), Currency: in.Body.Currency}
	return nil, a.operatePayment(ctx, in.ID, moments.OperateCommand{
		Action: payment.ActIncrease, Amount: b.read, Data: in.Body.Data,
	})
}

type markBody struct {
	Reason httpkit.Text `json:"reason" minLength:"1" maxLength:"500" doc:"What the operator knows, for the timeline: where and when the money came, or who vouches for it."`
}

type markInput struct {
	PaymentPath
	Body markBody
}

func (a *API) markPaid(ctx context.Context, in *markInput) (*operationOutput, error) {
	return nil, a.mark(ctx, in, payment.ActMarkPaid)
}

func (a *API) markAuthorized(ctx context.Context, in *markInput) (*operationOutput, error) {
	return nil, a.mark(ctx, in, payment.ActMarkAuthorized)
}

// mark takes an operator's word for what became of a payment.
func (a *API) mark(ctx context.Context, in *markInput, action payment.Action) error {
	reason := strings.TrimSpace(string(in.Body.Reason))
	if reason == "" {
		return unmoved(payment.Invalid("reason", "required", "must say something"))
	}
	return a.operatePayment(ctx, in.ID, moments.OperateCommand{Action: action, Reason: reason})
}

func (a *API) completeOrder(ctx context.Context, in *OrderPath) (*operationOutput, error) {
	return nil, a.operateOrder(ctx, in.ID, moments.OperateCommand{Action: payment.ActComplete})
}

func (a *API) operatePayment(ctx context.Context, raw string, c moments.OperateCommand) error {
	id, err := payment.ParsePaymentID(raw)
	if err != nil || id.N == 0 {
		return unmoved(errPaymentNotFound)
	}
	c.Order, c.Payment = id.Order, id.N
	err = a.operate(ctx, c, "POST /v1/payments/{id}/"+strings.ReplaceAll(string(c.Action), "_", "-"), raw)
	if payment.KindOf(err) == payment.KindNotFound {
		err = errPaymentNotFound
	}
	return unmoved(err)
}

func (a *API) operateOrder(ctx context.Context, raw string, c moments.OperateCommand) error {
	id, err := payment.ParseOrderID(raw)
	if err != nil {
		return unmoved(err)
	}
	c.Order = id
	return unmoved(a.operate(ctx, c, "POST /v1/orders/{id}/"+string(c.Action), raw))
}

// operate carries out an operation and returns its answer, as an error.
func (a *API) operate(ctx context.Context, c moments.OperateCommand, operation, subject string) error {
	c.Store, c.Claim = storeOf(ctx), claimOf(ctx, a, operation, subject)
	c.Author, c.Actor, c.From = callerOf(ctx).key.Name, callerOf(ctx).key.ID, addressOf(ctx)
	var renderErr error
	c.Render = func(o moments.Outcome) payment.Reply {
		reply, err := renderOperation(ctx, o)
		renderErr = err
		return reply
	}
	answer, err := a.Moments.Operate(ctx, c)
	if err == nil {
		err = renderErr
	}
	if err != nil {
		return err
	}
	return asSent(answer)
}

func orZero[T any](sent *T) T {
	if sent == nil {
		return *new(T)
	}
	return *sent
}
