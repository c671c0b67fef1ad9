package stripe

import (
	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// refundFact returns what a refund says. One that we asked for is named by our
// reference, any other by that of the payment it acts upon.
func refundFact(of payment.Fact, r refundObject) (payment.Fact, error) {
	amount, err := fromStripe(r.Amount, r.Currency)
	if err != nil || !gateways.PlainID(r.ID) {
		return payment.Fact{}, errUnreadable
	}
	f := payment.Fact{
		Source: of.Source, Reference: of.Reference, Type: payment.Refund, GatewayReference: r.ID,
		State: r.state(), Amount: &amount, Account: of.Account, Mode: of.Mode, At: timeOf(r.Created),
	}
	f.Reason = whyState(f.State, r.Status)
	if r.Reason != "" {
		f.Reason = gateways.PlainReason(r.Reason, "", "")
	}
	if own := r.Metadata[metaReference]; gateways.OurReference(own) {
		f.Reference = own
	}
	return f, nil
}

// state returns what became of a refund. One that failed may have been approved
// before, unless nothing ever left the account for it.
func (r *refundObject) state() payment.State {
	state := stateIn(refundStates, r.Status)
	if state == payment.Reversed && r.BalanceTransaction.ID == "" && r.FailureTransaction.ID == "" {
		return payment.Declined
	}
	return state
}

// disputeFact returns what a dispute says. An open one does not say whether the
// money is gone; told is what the event about it says, or "".
func disputeFact(of payment.Fact, d disputeObject, told payment.State) (payment.Fact, error) {
	amount, err := fromStripe(d.Amount, d.Currency)
	if err != nil || !gateways.PlainID(d.ID) {
		return payment.Fact{}, errUnreadable
	}
	f := payment.Fact{
		Source: of.Source, Reference: of.Reference, Type: payment.Chargeback, GatewayReference: d.ID,
		State: stateIn(disputeStates, d.Status), Amount: &amount, Account: of.Account, Mode: of.Mode, At: timeOf(d.Created),
		Reason: gateways.PlainReason(d.Reason, "", ""),
	}
	if f.State == payment.Pending && len(d.BalanceTransactions) > 0 {
		f.State = payment.Approved
	}
	if d.Status != "lost" && told != "" {
		f.State = told // a lost dispute may bring a part back, and remains one
	}
	return f, nil
}
