package payment

import "time"

// CaseKind says what a person has to decide.
type CaseKind string

// The kinds of cases.
const (
	CaseAmountMismatch   CaseKind = "amount_mismatch"
	CaseCurrencyMismatch CaseKind = "currency_mismatch"
	CaseAccountMismatch  CaseKind = "account_mismatch"
	CaseModeMismatch     CaseKind = "mode_mismatch"
	// CaseSurplus is money on an order that was covered already.
	CaseSurplus CaseKind = "surplus"
	// CasePaidAfterCancel is money on an order that was cancelled.
	CasePaidAfterCancel CaseKind = "paid_after_cancel"
	// CaseChargeback is a shopper's bank that took the money back.
	CaseChargeback CaseKind = "chargeback"
	// CaseReversed is an approval that the PSP took back.
	CaseReversed CaseKind = "approval_reversed"
	// CaseOverLimit is a fact that breaks the sums: more refunded than captured.
	CaseOverLimit CaseKind = "over_limit"
	// CaseOrphan is a notification that fits no transaction.
	CaseOrphan CaseKind = "orphan_notification"
	// CaseRejectedNotification is an authentic notification that contradicts
	// itself, or an earlier one under the same event id.
	CaseRejectedNotification CaseKind = "rejected_notification"
	// CaseOutOfStock is an order that is paid and cannot be delivered.
	CaseOutOfStock CaseKind = "out_of_stock"
	// CaseFailedEffect is an effect that failed for good.
	CaseFailedEffect CaseKind = "failed_effect"
	// CaseExpiredHeld is an order whose time is over while it holds a part of its
	// price.
	CaseExpiredHeld CaseKind = "expired_holding_money"
	// CaseFailedRun is a pipeline that failed for good.
	CaseFailedRun CaseKind = "failed_run"
	// CaseUnknownOutcome is a transaction that the PSP was asked about as often as
	// the schedule says, and nobody knows what became of it.
	CaseUnknownOutcome CaseKind = "unknown_outcome"
	// CaseStuckRelease is money that should be given back, and could not.
	CaseStuckRelease CaseKind = "stuck_refund"
	// CaseAuthorizationExpiring is reserved money that is about to lapse.
	CaseAuthorizationExpiring CaseKind = "authorization_expiring"
	// CaseReconciliation is something that the PSP's list and our books say
	// differently.
	CaseReconciliation CaseKind = "reconciliation_difference"
)

// Case is something only a person can decide. One case is open per kind and
// subject; opening it again changes nothing.
type Case struct {
	ID          CaseID
	Store       string
	Order       OrderID // zero for an orphan
	Kind        CaseKind
	Transaction int    // number of the transaction, 0 for none
	Subject     string // what else it is about: a notification, an effect key
	State       string // open or resolved
	OpenedAt    time.Time
	Detail      string // for people; no personal data
}

// openCase stages a case about a transaction and holds the order for review.
func (o *Order) openCase(kind CaseKind, t *Transaction, at time.Time) {
	o.OpenCase(Case{Kind: kind, Transaction: t.N, Detail: caseDetails[kind], OpenedAt: at})
}

// OpenCase stages a case of the order, holds the order for review, and leaves a
// note in its timeline.
func (o *Order) OpenCase(c Case) {
	for _, staged := range o.Staged.Cases {
		if staged.Kind == c.Kind && staged.Transaction == c.Transaction && staged.Subject == c.Subject {
			return
		}
	}
	c.Store, c.Order, c.State = o.Store, o.ID, "open"
	o.Staged.Cases = append(o.Staged.Cases, c)
	if o.Review == "" {
		o.Review = c.Kind
	}
}

// caseDetails says for each kind about a transaction what is wrong.
var caseDetails = map[CaseKind]string{
	CaseAmountMismatch:   "The PSP reports another amount than was asked.",
	CaseCurrencyMismatch: "The PSP reports another currency than was asked.",
	CaseAccountMismatch:  "The PSP reports another account than was asked.",
	CaseModeMismatch:     "The PSP reports test money for a live payment, or the other way round.",
	CaseSurplus:          "Money was taken for an order that was covered already.",
	CasePaidAfterCancel:  "Money was taken for an order that is cancelled.",
	CaseChargeback:       "The shopper's bank took money back.",
	CaseReversed:         "The PSP took back an approval.",
	CaseOverLimit:        "The PSP reports more than the payment holds.",
	CaseUnknownOutcome:   "Nobody knows what became of the money: the PSP was asked as often as the schedule says.",
	CaseStuckRelease:     "Money should be given back, and it could not.",
}
