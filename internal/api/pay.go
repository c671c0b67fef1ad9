package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

// payBody says how an order is paid: on one method, or on several.
type payBody struct {
	Method   string          `json:"method,omitempty" maxLength:"64"`
	Data     json.RawMessage `json:"data,omitempty" doc:"What the shopper entered, in the method's own form. Handed to the PSP and not kept."`
	Payments []partBody      `json:"payments,omitempty" maxItems:"10"`
}

type partBody struct {
	Method string          `json:"method" maxLength:"64"`
	Amount httpkit.Amount  `json:"amount,omitempty"`
	Data   json.RawMessage `json:"data,omitempty"`
}

// choice is the one method that pays for all. An order that costs nothing may
// leave it out.
func (b *payBody) choice() (method string, data json.RawMessage, err error) {
	if len(b.Payments) == 0 {
		return b.Method, b.Data, nil
	}
	if b.Method != "" || len(b.Payments) > 1 {
		return "", nil, payment.Invalid("payments", "split_tender_unavailable", "an order is paid by one payment")
	}
	if b.Payments[0].Amount != "" {
		return "", nil, payment.Invalid("payments[0].amount", "payments_do_not_cover_total", "leave it out: one payment takes all that is due")
	}
	return b.Payments[0].Method, b.Payments[0].Data, nil
}

// payView is the answer of pay when it is not a problem.
type payView struct {
	Order       orderView       `json:"order"`
	Payment     PaymentView     `json:"payment"`
	NextAction  *nextActionView `json:"next_action" doc:"What the shopper must do now, or null."`
	MoneyMoved  string          `json:"money_moved" enum:"no,yes,unknown"`
	RedirectURL string          `json:"redirect_url,omitempty" doc:"Where the shopper goes when nothing is left to do."`
}

type payOutput struct{ Body payView }

func (a *API) pay(ctx context.Context, in *struct {
	OrderPath
	Body payBody
}) (*payOutput, error) {
	id, err := payment.ParseOrderID(in.ID)
	if err != nil {
		return nil, unmoved(err)
	}
	method, data, err := in.Body.choice()
	if err != nil {
		return nil, unmoved(err)
	}
	return nil, a.answerPay(ctx, moments.PayCommand{
		Store: storeOf(ctx), Order: id, Claim: claimOf(ctx, a, "POST /v1/orders/{id}/pay", in.ID), Method: method, Data: data,
		From: addressOf(ctx), Actor: callerOf(ctx).key.ID,
		Guard: func(o *payment.Order) error { return callerOf(ctx).mayUse(o.ClientToken) },
	})
}

// answerPay carries out a payment and returns its answer, as an error.
func (a *API) answerPay(ctx context.Context, c moments.PayCommand) error {
	var renderErr error
	c.Render = func(o moments.Outcome) payment.Reply {
		reply, err := renderPay(ctx, o)
		renderErr = err
		return reply
	}
	answer, err := a.Moments.Pay(ctx, c)
	if err == nil {
		err = renderErr
	}
	if err != nil {
		return unmoved(err)
	}
	return asSent(answer)
}

// renderPay turns what became of an attempt into the answer that is promised
// for it. One that reports an unknown outcome is not final.
func renderPay(ctx context.Context, o moments.Outcome) (payment.Reply, error) {
	if o.Refusal != nil {
		return renderRefusal(ctx, o.Refusal)
	}
	t := o.Transaction()
	switch t.State {
	case payment.Approved:
		moved := httpkit.MoneyYes
		if t.Amount.IsZero() {
			moved = httpkit.MoneyNo
		}
		return replyPay(ctx, o, http.StatusOK, moved, true)
	case payment.ActionRequired:
		return replyPay(ctx, o, http.StatusOK, httpkit.MoneyNo, true)
	case payment.Pending:
		if o.Payment.NextAction != nil {
			return replyPay(ctx, o, http.StatusOK, httpkit.MoneyNo, true)
		}
		return replyPay(ctx, o, http.StatusAccepted, httpkit.MoneyNo, true)
	case payment.Sending, payment.Unknown:
		return replyPay(ctx, o, http.StatusAccepted, httpkit.MoneyUnknown, false)
	case payment.Declined, payment.Reversed:
		p := httpkit.NewProblem(http.StatusPaymentRequired, "payment_declined", "The payment was declined. Another attempt is allowed.")
		p.Reason = reasonOf(t)
		return replyProblem(ctx, p, true)
	case payment.NotSent:
		p := httpkit.NewProblem(http.StatusServiceUnavailable, "gateway_unavailable", "The payment did not reach the PSP.")
		p.Reason = reasonOf(t)
		return replyProblem(ctx, p, false)
	}
	return payment.Reply{}, payment.Errorf(payment.KindInternal, "internal", "transaction in a state that nobody knows")
}

// renderRefusal answers a payment that a step refused before anything was sent.
func renderRefusal(ctx context.Context, refusal *payment.Error) (payment.Reply, error) {
	p := problemOf(refusal)
	if p == nil {
		return payment.Reply{}, refusal
	}
	return replyProblem(ctx, p, p.Status < http.StatusInternalServerError)
}

func reasonOf(t *payment.Transaction) *httpkit.Reason {
	if t.Reason == (payment.Reason{}) {
		return nil
	}
	return &httpkit.Reason{Code: t.Reason.Code, Message: t.Reason.Message, Decline: t.Reason.Decline}
}

func replyPay(ctx context.Context, o moments.Outcome, status int, moved httpkit.MoneyMoved, final bool) (payment.Reply, error) {
	v := payView{
		Order: viewOrder(o.Order), Payment: viewPayment(o.Order, o.Payment), NextAction: viewNextAction(o.Payment.NextAction),
		MoneyMoved: string(moved), RedirectURL: o.Redirect,
	}
	if callerOf(ctx).key.Kind != payment.SecretKey {
		v.hideDetails()
	}
	body, err := httpkit.EncodeJSON(v)
	return payment.Reply{Status: status, Body: body, Final: final}, err
}

// hideDetails takes out what a key for browsers does not show.
func (v *payView) hideDetails() {
	v.Payment.Details = nil
	for i := range v.Order.Payments {
		v.Order.Payments[i].Details = nil
	}
}

func replyProblem(ctx context.Context, p *httpkit.Problem, final bool) (payment.Reply, error) {
	answer, err := httpkit.ProblemAnswer(ctx, p.Moved(httpkit.MoneyNo))
	if err != nil {
		return payment.Reply{}, err
	}
	return payment.Reply{Status: answer.Status, Body: answer.Body, Final: final}, nil
}
