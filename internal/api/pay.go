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
	Payments []partBody      `json:"payments,omitempty" maxItems:"10" doc:"Several payments that pay the order together: all of them, or none. One may leave its amount out and takes the rest."`
}

type partBody struct {
	Method string          `json:"method" maxLength:"64"`
	Amount httpkit.Amount  `json:"amount,omitempty"`
	Data   json.RawMessage `json:"data,omitempty"`
}

// command is how the order is to be paid. An order that costs nothing may leave
// all of it out.
func (b *payBody) command() (moments.PayCommand, error) {
	if len(b.Payments) == 0 {
		return moments.PayCommand{Method: b.Method, Data: b.Data}, nil
	}
	if b.Method != "" || b.Data != nil {
		return moments.PayCommand{}, payment.Invalid("payments", "ambiguous", "stands instead of method and data, not beside them")
	}
	c := moments.PayCommand{Parts: make([]moments.PartCommand, len(b.Payments))}
	for i, part := range b.Payments {
		c.Parts[i] = moments.PartCommand{Method: part.Method, Amount: AmountBody{Amount: httpkit.StatedAmount(part.Amount)}.read, Data: part.Data}
	}
	return c, nil
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
	c, err := in.Body.command()
	if err != nil {
		return nil, unmoved(err)
	}
	c.Order, c.Claim = id, claimOf(ctx, a, "POST /v1/orders/{id}/pay", in.ID)
	c.Guard = func(o *payment.Order) error { return callerOf(ctx).mayUse(o.ClientToken) }
	return nil, a.answerPay(ctx, a.Moments.Pay, c)
}

// answerPay carries out a payment and returns its answer, as an error.
func (a *API) answerPay(ctx context.Context, pay func(context.Context, moments.PayCommand) (moments.Answer, error), c moments.PayCommand) error {
	c.Store, c.From, c.Actor = storeOf(ctx), addressOf(ctx), callerOf(ctx).key.ID
	if callerOf(ctx).key.Kind == payment.PublishableKey {
		c.Shopper = c.From
	}
	var renderErr error
	c.Render = func(o moments.Outcome) payment.Reply {
		reply, err := renderPay(ctx, o)
		renderErr = err
		return reply
	}
	answer, err := pay(ctx, c)
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
		return renderRefusal(ctx, o.Refusal, movedBeside(o))
	}
	t := o.Transaction()
	if r := o.Payment.Release; r != nil && r.Reason == payment.ReleaseTender && (t.State == payment.ActionRequired || t.State == payment.Approved) {
		return replyProblem(ctx, interrupted(o), true)
	}
	switch t.State {
	case payment.Approved:
		moved := httpkit.MoneyYes
		if t.Amount.IsZero() {
			moved = httpkit.MoneyNo
		}
		return replyPay(ctx, o, http.StatusOK, moved, true)
	case payment.ActionRequired: // others that pay together with it may have moved money
		return replyPay(ctx, o, http.StatusOK, movedBeside(o), true)
	case payment.Pending:
		if o.Payment.NextAction != nil {
			return replyPay(ctx, o, http.StatusOK, movedBeside(o), true)
		}
		return replyPay(ctx, o, http.StatusAccepted, movedBeside(o), true)
	case payment.Sending, payment.Unknown:
		return replyPay(ctx, o, http.StatusAccepted, httpkit.MoneyUnknown, false)
	case payment.Declined, payment.Reversed:
		p := httpkit.NewProblem(http.StatusPaymentRequired, "payment_declined", "The payment was declined. Another attempt is allowed.")
		p.Reason = reasonOf(t)
		return replyProblem(ctx, p.Moved(movedBeside(o)), true)
	case payment.NotSent:
		p := httpkit.NewProblem(http.StatusServiceUnavailable, "gateway_unavailable", "The payment did not reach the PSP.")
		p.Reason = reasonOf(t)
		return replyProblem(ctx, p.Moved(movedBeside(o)), false)
	}
	return payment.Reply{}, payment.Errorf(payment.KindInternal, "internal", "transaction in a state that nobody knows")
}

// renderRefusal answers a payment that a step refused before anything was sent.
func renderRefusal(ctx context.Context, refusal *payment.Error, moved httpkit.MoneyMoved) (payment.Reply, error) {
	p := problemOf(refusal)
	if p == nil {
		return payment.Reply{}, refusal
	}
	p = p.Moved(moved)
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
		v.hideForBrowser()
	}
	body, err := httpkit.EncodeJSON(v)
	return payment.Reply{Status: status, Body: body, Final: final}, err
}

// hideForBrowser takes out what a key for browsers does not show: what is kept of
// payment data, and what people of the shop wrote.
func (v *payView) hideForBrowser() {
	v.Order.CancelReason = ""
	v.Payment.hideForBrowser()
	for i := range v.Order.Payments {
		v.Order.Payments[i].hideForBrowser()
	}
}

func (v *PaymentView) hideForBrowser() {
	v.Details = nil
	for i := range v.Transactions {
		v.Transactions[i].StoreReference, v.Transactions[i].Purpose = "", ""
	}
}

func replyProblem(ctx context.Context, p *httpkit.Problem, final bool) (payment.Reply, error) {
	if p.MoneyMoved == "" {
		p = p.Moved(httpkit.MoneyNo)
	}
	answer, err := httpkit.ProblemAnswer(ctx, p)
	if err != nil {
		return payment.Reply{}, err
	}
	return payment.Reply{Status: answer.Status, Body: answer.Body, Final: final}, nil
}
