package payment

import (
	"bytes"
	"slices"
	"time"
)

// Resolution says how a case ended, and who says so.
type Resolution struct {
	Word   string // a short word of whoever resolves: "refunded"
	Reason string
	Action CaseAction
	By     string // "system", or the name of a key
	At     time.Time
}

// Same tells whether both end a case in the same way, whoever says it and when.
func (r Resolution) Same(other Resolution) bool {
	return r.Word == other.Word && r.Reason == other.Reason && r.Action == other.Action
}

// CaseEnd has cases of the order resolved: the one that it names, or all open ones
// that it fits.
type CaseEnd struct {
	Case CaseID // zero for those that fit
	// Kinds are the kinds that it fits; Payment, Transaction and Subject count where
	// they are given.
	Kinds       []CaseKind
	Payment     int
	Transaction int
	Subject     string
	Resolution
}

func (e CaseEnd) fits(c Case) bool {
	if e.Case != (CaseID{}) {
		return e.Case == c.ID
	}
	return slices.Contains(e.Kinds, c.Kind) && (e.Payment == 0 || e.Payment == c.Payment) &&
		(e.Transaction == 0 || e.Transaction == c.Transaction) && (e.Subject == "" || e.Subject == c.Subject)
}

// ErrCaseResolved is a case that is to be resolved and is not open any more.
var ErrCaseResolved = Errorf(KindConflict, "case_resolved", "the case is resolved already, in another way")

// ResolveCases stages the end of cases. That one which is named is not open any
// more is an error of the stretch, which then changes nothing.
func (o *Order) ResolveCases(e CaseEnd) { o.Staged.CaseEnds = append(o.Staged.CaseEnds, e) }

// WorkCases works what is staged about cases into those that the order has: what
// says again what was said is dropped, what ends is marked, the world and the
// timeline are told, and Review is the kind of the oldest case that is open then.
// It is called once, at the end of a stretch that staged anything about cases.
func (o *Order) WorkCases(known []Case) error {
	o.Staged.Cases = slices.DeleteFunc(o.Staged.Cases, func(c Case) bool { return slices.ContainsFunc(known, c.repeats) })
	inSequence(o.Staged.Cases)
	for _, c := range o.Staged.Cases {
		o.tellCase(CaseOpenedEvent, c, c.OpenedAt)
		o.Note(c.OpenedAt, "system", "A case is open ("+string(c.Kind)+"): "+c.Detail)
	}
	open := slices.DeleteFunc(slices.Concat(known, o.Staged.Cases), func(c Case) bool { return c.State != CaseOpen })
	for _, e := range o.Staged.CaseEnds {
		left := slices.DeleteFunc(slices.Clone(open), e.fits)
		if e.Case != (CaseID{}) && len(left) == len(open) {
			return ErrCaseResolved
		}
		for _, c := range open {
			if e.fits(c) {
				o.endCase(c, e.Resolution)
			}
		}
		open = left
	}
	o.Review = ""
	if len(open) > 0 {
		o.Review = slices.MinFunc(open, Case.compare).Kind
	}
	return nil
}

func (o *Order) endCase(c Case, r Resolution) {
	c.State, c.Resolution = CaseResolved, r
	o.Staged.Resolved = append(o.Staged.Resolved, c)
	o.tellCase(CaseResolvedEvent, c, r.At)
	text := "The case " + string(c.Kind) + " is resolved: " + r.Word
	if r.Action != CaseActNone {
		text += ", with " + string(r.Action)
	}
	o.Note(r.At, r.By, text+". "+r.Reason)
}

func (o *Order) tellCase(eventType string, c Case, at time.Time) {
	e := c.event()
	e.Type = eventType
	o.Emit(e, at)
}

// compare orders cases by age.
func (c Case) compare(other Case) int {
	if order := c.OpenedAt.Compare(other.OpenedAt); order != 0 {
		return order
	}
	return bytes.Compare(c.ID[:], other.ID[:])
}

// inSequence gives out the ids of cases that are opened together anew, so that the
// first of them is the oldest.
func inSequence(cases []Case) {
	ids := make([]CaseID, len(cases))
	for i, c := range cases {
		ids[i] = c.ID
	}
	slices.SortFunc(ids, func(a, b CaseID) int { return bytes.Compare(a[:], b[:]) })
	for i := range cases {
		cases[i].ID = ids[i]
	}
}

// AppliedAfterAll is how a case about a notification resolves itself.
func AppliedAfterAll(at time.Time) Resolution {
	return Resolution{
		Word: "applied", Reason: "The notification was applied after all.", Action: CaseActNone, By: "system", At: at,
	}
}

// Settled resolves the case of a notification that was given up, once it is
// applied after all; nil is no notification.
func (o *Order) Settled(n *Notification) {
	if n == nil || n.State != NotificationApplied || n.Tries == 0 || o.Review == "" {
		return
	}
	o.ResolveCases(CaseEnd{Kinds: []CaseKind{CaseFailedRun}, Subject: CaseSubject(n.EventID), Resolution: AppliedAfterAll(o.UpdatedAt)})
}

// endCases resolves the cases of a payment that what was just learnt has settled:
// an unknown outcome that is decided, money that was not wanted and is back, money
// that was to be given back, a reservation that lapsed or was used. Only an order
// that is held for review has any.
func (o *Order) endCases(p *Payment, moved []*Transaction, at time.Time) {
	if o.Review == "" {
		return
	}
	end := func(word, reason string, transaction int, kinds ...CaseKind) {
		o.ResolveCases(CaseEnd{Kinds: kinds, Payment: p.N, Transaction: transaction, Resolution: Resolution{
			Word: word, Reason: reason, Action: CaseActNone, By: "system", At: at,
		}})
	}
	for _, t := range moved {
		if !t.State.Open() {
			end("decided", "It is known now what became of the money.", t.N, CaseUnknownOutcome)
		}
	}
	if !p.Sums.Reserved().IsPositive() {
		end("decided", "Nothing is reserved any more.", 0, CaseAuthorizationExpiring)
	}
	if p.anyOpen() {
		return
	}
	if reserved, taken := p.Releasable(); p.Release != nil && !reserved.IsPositive() && !taken.IsPositive() {
		end("released", "Nothing is left to give back.", 0, CaseStuckRelease)
	}
	if !p.Sums.Reserved().IsPositive() && p.Sums.Captured.Cmp(p.Sums.Refunded) == 0 {
		word := "released"
		if p.Sums.Refunded.IsPositive() {
			word = "refunded"
		}
		end(word, "The payment holds no money any more.", 0, CaseSurplus, CasePaidAfterCancel)
	}
}
