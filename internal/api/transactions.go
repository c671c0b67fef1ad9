package api

import (
	"context"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

// orderedPaymentView is a payment with the order that it pays.
type orderedPaymentView struct {
	PaymentView
	OrderID  string `json:"order_id"`
	Number   string `json:"number" doc:"The store's number of the order."`
	Currency string `json:"currency"`
}

type paymentOutput struct{ Body orderedPaymentView }

func (a *API) getPayment(ctx context.Context, in *PaymentPath) (*paymentOutput, error) {
	id, err := payment.ParsePaymentID(in.ID)
	if err != nil {
		return nil, errPaymentNotFound
	}
	o, err := a.readOrder(ctx, id.Order)
	if payment.KindOf(err) == payment.KindNotFound {
		return nil, errPaymentNotFound
	}
	if err != nil {
		return nil, err
	}
	p := o.Payment(id.N)
	if p == nil {
		return nil, errPaymentNotFound
	}
	return &paymentOutput{Body: orderedPaymentView{
		PaymentView: viewPayment(o, p), OrderID: o.ID.String(), Number: o.Number, Currency: o.Currency.String(),
	}}, nil
}

var errPaymentNotFound = payment.NotFound("a payment of this id")

// transactionQuery selects transactions.
type transactionQuery struct {
	httpkit.Page
	Period
	Type      string         `query:"type" enum:"authorize,authorize_and_capture,capture,refund,void,credit,chargeback"`
	State     string         `query:"state" enum:"sending,action_required,pending,approved,declined,not_sent,unknown,reversed"`
	Gateway   string         `query:"gateway" maxLength:"64"`
	Method    string         `query:"method" maxLength:"64"`
	MinAmount httpkit.Amount `query:"min_amount" doc:"At least this much, in each transaction's own currency."`
	MaxAmount httpkit.Amount `query:"max_amount" doc:"At most this much, in each transaction's own currency."`
	Q         string         `query:"q" maxLength:"254" doc:"Our reference of the transaction, or the PSP's."`
}

// listedTransactionView is a transaction with what it belongs to.
type listedTransactionView struct {
	TransactionView
	OrderID string `json:"order_id"`
	Number  string `json:"number" doc:"The store's number of the order."`
	Payment string `json:"payment"`
	Method  string `json:"method"`
	Gateway string `json:"gateway"`
	Account string `json:"account"`
}

func (a *API) listTransactions(ctx context.Context, in *transactionQuery) (*listOutput[listedTransactionView], error) {
	rows, next, err := a.Books.Transactions.ListTransactions(ctx, payment.TransactionFilter{
		Store: storeOf(ctx), Type: in.Type, State: in.State, Gateway: in.Gateway, Method: in.Method, Q: in.Q,
		From: in.From.Time(), To: in.To.Time(), MinAmount: string(in.MinAmount), MaxAmount: string(in.MaxAmount),
	}, pageOf(in.Page))
	if err != nil {
		return nil, unlisted(err)
	}
	return listed(rows, next, viewListedTransaction), nil
}

func viewListedTransaction(t payment.ListedTransaction) listedTransactionView {
	return listedTransactionView{
		TransactionView: viewTransaction(t.Order, &t.Transaction), OrderID: t.Order.String(), Number: t.Number,
		Payment: payment.PaymentID{Order: t.Order, N: t.Payment}.String(),
		Method:  t.Method, Gateway: t.Gateway, Account: t.Account,
	}
}
