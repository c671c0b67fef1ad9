package sandbox

import (
	"time"

	"github.com/shopspring/decimal"
)

// answer is how a request is answered once its booking is done.
type answer int

const (
	answerPlainly answer = iota
	answerNever
	answerError
	answerHTML
	answerGarbage
	answerBare
	answerSlowly
	answerDone // as though it had been asked for before
)

// scenario is how the simulator plays one request.
type scenario struct {
	// state is that of the booked operation: approved, declined, pending or
	// action_required; "" books nothing.
	state string
	// settleTo is what a pending operation becomes.
	settleTo string
	reason   *reason
	answer   answer
	distort  func(decimal.Decimal, string) (decimal.Decimal, string)
}

// scenarioNamed knows every scenario of the package documentation.
func scenarioNamed(name string) (scenario, bool) {
	switch name {
	case "", "approve":
		return scenario{state: stateApproved}, true
	case "decline":
		return scenario{state: stateDeclined, reason: doNotHonor()}, true
	case "insufficient_funds":
		return scenario{state: stateDeclined, reason: &reason{Code: name, Message: "The account does not hold enough money.", Decline: "soft"}}, true
	case "lost_card":
		return scenario{state: stateDeclined, reason: &reason{Code: name, Message: "The card was reported lost.", Decline: "hard"}}, true
	case "action_required":
		return scenario{state: stateActionRequired}, true
	case "pending_then_approve":
		return scenario{state: statePending, settleTo: stateApproved}, true
	case "pending_then_decline":
		return scenario{state: statePending, settleTo: stateDeclined}, true
	case "wrong_amount":
		return scenario{state: stateApproved, distort: func(d decimal.Decimal, c string) (decimal.Decimal, string) {
			return wrongAmount(d, c), c
		}}, true
	case "wrong_currency":
		return scenario{state: stateApproved, distort: wrongCurrency}, true
	default:
		return badAnswerNamed(name)
	}
}

// badAnswerNamed knows the scenarios that differ in the answer only.
func badAnswerNamed(name string) (scenario, bool) {
	switch name {
	case "timeout_no_charge":
		return scenario{answer: answerNever}, true
	case "timeout_after_charge":
		return scenario{state: stateApproved, answer: answerNever}, true
	case "error_after_charge":
		return scenario{state: stateApproved, answer: answerError}, true
	case "html_502_after_charge":
		return scenario{state: stateApproved, answer: answerHTML}, true
	case "garbage":
		return scenario{state: stateApproved, answer: answerGarbage}, true
	case "no_echo":
		return scenario{state: stateApproved, answer: answerBare}, true
	case "slow":
		return scenario{state: stateApproved, answer: answerSlowly}, true
	case "already_done":
		return scenario{state: stateApproved, answer: answerDone}, true
	default:
		return scenario{}, false
	}
}

// play gives an operation the scenario's outcome. Decisions of the shopper
// and of the clock come later and do not pass here.
func (sc scenario) play(o *operation, now time.Time, pending time.Duration) {
	o.settle(sc.state, sc.reason, now)
	if sc.state == statePending {
		o.SettleAt, o.SettleTo = now.Add(pending), sc.settleTo
	}
	if sc.distort != nil {
		o.Amount, o.Currency = sc.distort(o.Amount, o.Currency)
	}
}

func doNotHonor() *reason {
	return &reason{Code: "do_not_honor", Message: "The issuer declined without giving a reason.", Decline: "soft"}
}

// reasonOf is why an operation ended in a state, nil for an approval.
func reasonOf(state string) *reason {
	switch state {
	case stateDeclined:
		return doNotHonor()
	case stateCancelled:
		return &reason{Code: "cancelled", Message: "The payment was cancelled before it was made.", Decline: "soft"}
	case stateExpired:
		return &reason{Code: "expired", Message: "The payment was not made in time.", Decline: "soft"}
	default:
		return nil
	}
}
