package payment

import (
	"strings"
	"time"
	"unicode"
)

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

// ErrCaseNotFound is a case that does not exist, or belongs to another store.
var ErrCaseNotFound = NotFound("a case of this id")

// Case is something only a person can decide. One case is open per kind,
// transaction and subject; what was reported before is not reported anew, unless
// it is of a kind that recurs.
type Case struct {
	ID          CaseID
	Store       string
	Order       OrderID // zero for what fits no order
	Kind        CaseKind
	Payment     int    // number of the payment, 0 for none
	Transaction int    // number of the transaction, 0 for none
	Subject     string // what else it is about: a notification, an effect key, what a PSP claims
	State       string // CaseOpen or CaseResolved
	OpenedAt    time.Time
	Detail      string // for people; no personal data
	// Amount is the money at risk; nil where nobody can say.
	Amount *Money
	// Claimed is what the PSP reports in place of the amount that was asked; nil
	// where the case is about something else.
	Claimed *Money
	// Number and Currency are those of the order; they are filled in where cases are
	// read.
	Number   string
	Currency Currency
	// Resolution is how it ended; zero while it is open.
	Resolution Resolution
}

// The states of a case.
const (
	CaseOpen     = "open"
	CaseResolved = "resolved"
)

// repeats tells whether a case says again what another one said. A kind that
// recurs says so only while the other is open.
func (c Case) repeats(other Case) bool {
	return c.Kind == other.Kind && c.Transaction == other.Transaction && c.Subject == other.Subject &&
		(other.State == CaseOpen || !c.Kind.Recurs())
}

// openCase stages a case about a transaction and holds the order for review.
func (o *Order) openCase(kind CaseKind, t *Transaction, at time.Time) {
	o.OpenCase(Case{Kind: kind, Transaction: t.N, Detail: caseRules[kind].detail, OpenedAt: at})
}

// openConflict stages the case of a fact that claims something else than was
// asked. Another claim is another case.
func (o *Order) openConflict(kind CaseKind, t *Transaction, f Fact, at time.Time) {
	c := Case{Kind: kind, Transaction: t.N, Subject: claimOf(kind, f), Detail: caseRules[kind].detail, OpenedAt: at}
	if kind == CaseAmountMismatch || kind == CaseCurrencyMismatch {
		c.Claimed = f.Amount
		if kind == CaseAmountMismatch && f.Amount.Cmp(t.Amount) > 0 {
			c.Amount = f.Amount
		}
	}
	o.OpenCase(c)
}

// claimOf is what a fact claims, as the subject of the case about it.
func claimOf(kind CaseKind, f Fact) string {
	if kind == CaseAccountMismatch {
		return CaseSubject(f.Account)
	}
	if kind == CaseModeMismatch {
		return CaseSubject(string(f.Mode))
	}
	return f.Amount.String() + " " + f.Amount.Currency().String()
}

// OpenCase stages a case of the order and holds the order for review. Whether it
// is new is known once the books say which cases the order has: see WorkCases.
func (o *Order) OpenCase(c Case) {
	c.Store, c.Order, c.State = o.Store, o.ID, CaseOpen
	o.locate(&c)
	for _, staged := range o.Staged.Cases {
		if c.repeats(staged) {
			return
		}
	}
	o.Staged.Cases = append(o.Staged.Cases, c)
	if o.Review == "" {
		o.Review = c.Kind
	}
}

// locate fills in what follows from the transaction, or the payment, that a case
// is about.
func (o *Order) locate(c *Case) {
	c.Subject = CaseSubject(c.Subject)
	if c.Transaction == 0 {
		if c.Payment != 0 && c.Subject == "" {
			c.Subject = PaymentID{Order: o.ID, N: c.Payment}.String()
		}
		return
	}
	p, t := o.Transaction(c.Transaction)
	if t == nil {
		return
	}
	c.Payment = p.N
	if amount := t.Amount; c.Amount == nil {
		c.Amount = &amount
	}
}

// caseSubjectMax bounds the subject of a case, in bytes: it is part of an index,
// and what PSPs claim has no bound of its own.
const caseSubjectMax = 200

// CaseSubject makes a subject of whatever a PSP says: a fact must not become
// impossible to record because of it.
func CaseSubject(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if len(s) <= caseSubjectMax {
		return s
	}
	return strings.ToValidUTF8(s[:caseSubjectMax], "")
}
