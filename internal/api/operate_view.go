package api

import (
	"cmp"
	"context"
	"net/http"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

// operationView is the answer of what is done with money that payments hold, when
// it is not a problem.
type operationView struct {
	Order        orderView         `json:"order"`
	Payment      PaymentView       `json:"payment" doc:"Of several, the first that the operation is about; of an order as a whole, the latest."`
	Transactions []TransactionView `json:"transactions" doc:"Those of this request, with what became of each."`
	NextAction   *nextActionView   `json:"next_action" doc:"Always null: the shopper has nothing to do."`
	MoneyMoved   string            `json:"money_moved" enum:"no,yes,unknown"`
}

type operationOutput struct{ Body operationView }

// renderOperation turns what became of an operation into the answer that is
// promised for it. Of several transactions the worst decides.
func renderOperation(ctx context.Context, o moments.Outcome) (payment.Reply, error) {
	if o.Refusal != nil {
		return renderRefusal(ctx, o.Refusal, httpkit.MoneyNo)
	}
	if len(o.Transactions) == 0 && o.Payment != nil { // what began the payment was marked
		o.Transactions = []*payment.Transaction{o.Transaction()}
	}
	worst, moved := worstOf(o.Transactions)
	if worst == nil {
		return replyOperation(o, http.StatusOK, moved, true)
	}
	switch worst.State {
	case payment.Approved:
		return replyOperation(o, http.StatusOK, moved, true)
	case payment.Pending, payment.ActionRequired:
		return replyOperation(o, http.StatusAccepted, moved, true)
	case payment.Sending, payment.Unknown:
		return replyOperation(o, http.StatusAccepted, moved, false)
	case payment.Declined, payment.Reversed:
		return replyNotDone(ctx, worst, moved, httpkit.NewProblem(http.StatusPaymentRequired, "payment_declined", "The PSP declined."))
	case payment.NotSent:
		return replyNotDone(ctx, worst, moved, httpkit.NewProblem(http.StatusServiceUnavailable, "gateway_unavailable", "The request did not reach the PSP."))
	}
	return payment.Reply{}, payment.Errorf(payment.KindInternal, "internal", "transaction in a state that nobody knows")
}

// replyNotDone answers an operation that was not done, or not all of it.
func replyNotDone(ctx context.Context, t *payment.Transaction, moved httpkit.MoneyMoved, p *httpkit.Problem) (payment.Reply, error) {
	p.Reason = reasonOf(t)
	if moved == httpkit.MoneyYes {
		p.Detail += " A part was done before: the order's transactions say which."
	}
	answer, err := httpkit.ProblemAnswer(ctx, p.Moved(moved))
	if err != nil {
		return payment.Reply{}, err
	}
	return payment.Reply{Status: answer.Status, Body: answer.Body, Final: p.Status < http.StatusInternalServerError}, nil
}

// worstOf returns the transaction of which the outcome is furthest from done, nil
// for none, and whether any of them moved money.
func worstOf(all []*payment.Transaction) (worst *payment.Transaction, moved httpkit.MoneyMoved) {
	moved = httpkit.MoneyNo
	for _, t := range all {
		if worst == nil || badness(t.State) > badness(worst.State) {
			worst = t
		}
		switch {
		case t.State == payment.Sending || t.State == payment.Unknown:
			moved = httpkit.MoneyUnknown
		case t.State == payment.Approved && !t.Amount.IsZero() && moved == httpkit.MoneyNo:
			moved = httpkit.MoneyYes
		}
	}
	return worst, moved
}

func badness(s payment.State) int {
	switch s {
	case payment.Approved:
		return 0
	case payment.NotSent:
		return 1
	case payment.Declined, payment.Reversed:
		return 2
	case payment.Pending, payment.ActionRequired:
		return 3
	case payment.Unknown, payment.Sending:
		return 4
	}
	return 5
}

func replyOperation(o moments.Outcome, status int, moved httpkit.MoneyMoved, final bool) (payment.Reply, error) {
	v := operationView{
		Order: viewOrder(o.Order), Transactions: make([]TransactionView, len(o.Transactions)), MoneyMoved: string(moved),
		Payment: viewPayment(o.Order, cmp.Or(o.Payment, o.Order.LatestPayment())),
	}
	for i, t := range o.Transactions {
		v.Transactions[i] = viewTransaction(o.Order.ID, t)
	}
	body, err := httpkit.EncodeJSON(v)
	return payment.Reply{Status: status, Body: body, Final: final}, err
}
