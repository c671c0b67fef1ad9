package payment

import "slices"

// CaseAction is what is done with the money as a case is resolved.
type CaseAction string

// The actions.
const (
	// CaseActNone leaves the money as it is.
	CaseActNone CaseAction = "none"
	// CaseActApprove settles the transaction on a person's word: the money moved, as
	// much as the PSP reported.
	CaseActApprove CaseAction = "approve"
	// CaseActDecline settles it: no money moved.
	CaseActDecline CaseAction = "decline"
	// CaseActRefund has the money given back.
	CaseActRefund CaseAction = "refund"
)

// caseRule is what holds for the cases of a kind.
type caseRule struct {
	// detail says what is wrong, where the kind alone tells; advice what to do.
	detail, advice string
	// actions may be taken as a case is resolved, beside none.
	actions []CaseAction
	// recurs tells that the same may go wrong again: once a case is resolved, the
	// next one is opened anew. What is not said to recur is a fact, which PSPs and
	// inquiries repeat for weeks: it is a case once.
	recurs bool
}

// Recurs tells whether what was resolved may be opened anew.
func (k CaseKind) Recurs() bool { return caseRules[k].recurs }

// Detail says what is wrong, where the kind alone tells.
func (k CaseKind) Detail() string { return caseRules[k].detail }

// WhatToDo tells a person what to do about a case of the kind.
func (k CaseKind) WhatToDo() string { return caseRules[k].advice }

// Actions lists what may be done with the money as a case of the kind is resolved.
func (k CaseKind) Actions() []CaseAction {
	return append([]CaseAction{CaseActNone}, caseRules[k].actions...)
}

// Allows tells whether a case of the kind may be resolved with an action.
func (k CaseKind) Allows(a CaseAction) bool { return slices.Contains(k.Actions(), a) }

// CaseKinds lists every kind, in the order of the alphabet.
func CaseKinds() []CaseKind {
	kinds := make([]CaseKind, 0, len(caseRules))
	for k := range caseRules {
		kinds = append(kinds, k)
	}
	slices.Sort(kinds)
	return kinds
}

var judged = []CaseAction{CaseActApprove, CaseActDecline}

var caseRules = map[CaseKind]caseRule{
	CaseAmountMismatch: {
		detail:  "The PSP reports another amount than was asked.",
		advice:  "Look the transaction up at the PSP. If it moved what it reports, resolve with approve: that much counts, and the rest stays due. If it moved nothing, resolve with decline.",
		actions: judged,
	},
	CaseCurrencyMismatch: {
		detail:  "The PSP reports another currency than was asked.",
		advice:  "Give the money back at the PSP, then resolve with decline: money of another currency cannot pay the order.",
		actions: judged,
	},
	CaseAccountMismatch: {
		detail:  "The PSP reports another account than was asked.",
		advice:  "Compare the account in the settings with the one at the PSP. If the money is yours, resolve with approve; if not, with decline.",
		actions: judged,
	},
	CaseModeMismatch: {
		detail:  "The PSP reports test money for a live payment, or the other way round.",
		advice:  "Check which keys and webhooks the account has. Resolve with decline, unless real money came and was only reported wrongly: then with approve.",
		actions: judged,
	},
	CaseSurplus: {
		detail:  "Money was taken for an order that was covered already.",
		advice:  "Resolve with refund to give the second payment back. Where the store's settings refund it automatically, the case resolves itself once the money is back.",
		actions: []CaseAction{CaseActRefund},
	},
	CasePaidAfterCancel: {
		detail:  "Money was taken for an order that is cancelled.",
		advice:  "Resolve with refund to give it back, or make a new order with the shopper and resolve without an action. Where the settings refund it automatically, the case resolves itself.",
		actions: []CaseAction{CaseActRefund},
	},
	CaseChargeback: {
		detail: "The shopper's bank took money back.",
		advice: "Answer the dispute at the PSP before its deadline, and hold back what was not shipped yet. Resolve once it is decided.",
	},
	CaseReversed: {
		detail: "The PSP took back an approval.",
		advice: "Stop the shipment: the order is not covered any more. Ask the shopper to pay again, or cancel the order.",
	},
	CaseOverLimit: {
		detail: "The PSP reports more than the payment holds.",
		advice: "Compare the payment with the PSP's dashboard: a refund that was made there twice, or a capture that we do not know. Correct it there; what is held out of the sums here stays on record.",
	},
	CaseOrphan: {
		advice: "Look up whose payment it is at the PSP: another system may use the same account, or our database was restored. Replay the notification once its order is here; it resolves itself when it is applied.",
	},
	CaseRejectedNotification: {
		advice: "Look the payment up at the PSP. A gateway that cannot read what its PSP sends needs an update; an event that came twice with other content is the PSP's to explain.",
	},
	CaseOutOfStock: {
		detail: "The order has articles that are not in stock.",
		advice: "Order the articles, or agree with the shopper on a refund. The payment is good.",
		recurs: true,
	},
	CaseFailedEffect: {
		detail: "Something that should happen for the order failed and was given up.",
		advice: "See in the timeline what failed, and do it by hand; a command to the storefront can be sent again with its event. The payment is good.",
		recurs: true,
	},
	CaseExpiredHeld: {
		detail:  "The time to pay the order is over, and it holds a part of its price.",
		advice:  "Resolve with refund to give the part back, then cancel the order; or agree with the shopper on the rest and give the order more time.",
		actions: []CaseAction{CaseActRefund},
		recurs:  true,
	},
	CaseFailedRun: {
		advice: "See in the run what failed. The money facts are in the books; what is missing is what the steps after it do. Repair the cause, then replay the notification, or do the rest by hand.",
		recurs: true,
	},
	CaseUnknownOutcome: {
		detail:  "Nobody knows what became of the money: the PSP was asked as often as the schedule says.",
		advice:  "Look the transaction up at the PSP under our reference. Resolve with approve if the money moved, with decline if it did not. Until then nothing else is charged. It resolves itself when the PSP says.",
		actions: judged,
		recurs:  true,
	},
	CaseStuckRelease: {
		detail:  "Money should be given back, and it could not.",
		advice:  "See in the timeline why the PSP refuses. Resolve with refund to try again, or give the money back by other means and record that as an offline refund.",
		actions: []CaseAction{CaseActRefund},
		recurs:  true,
	},
	CaseAuthorizationExpiring: {
		detail: "Reserved money is about to lapse.",
		advice: "Capture what is shipped, or void the payment, before the PSP gives the money up. It resolves itself when nothing is reserved any more.",
		recurs: true,
	},
	CaseReconciliation: {
		detail: "The PSP's list and our books differ.",
		advice: "Compare both sides. What the PSP has and we do not may be of another system, or from before a restore; what we have and it does not must be looked up there.",
	},
	CaseEndpointDisabled: {
		advice: "Repair the receiver, make the endpoint active again, and read what it missed from the events.",
		recurs: true,
	},
}
