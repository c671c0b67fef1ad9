package api

import "github.com/paysvc/paysvc/internal/payment"

// operationRoutes are what is done with orders that are paid, and what can be.
func (a *API) operationRoutes() {
	add(a, get("/v1/orders/{id}/actions", "get-actions", "List what can be done with an order"), a.getActions)
	add(a, post("/v1/payments/{id}/capture", "capture-payment", "Take money that is reserved", payment.ScopePayments).money().names("reference"), a.capture)
	add(a, post("/v1/payments/{id}/refund", "refund-payment", "Give money of a payment back", payment.ScopeRefunds).money().names("reference"), a.refund)
	add(a, post("/v1/payments/{id}/void", "void-payment", "Release money that is reserved", payment.ScopePayments).money(), a.void)
	add(a, post("/v1/payments/{id}/increase", "increase-payment", "Reserve more", payment.ScopePayments).money(), a.increase)
	add(a, post("/v1/payments/{id}/mark-paid", "mark-payment-paid", "Mark a payment paid", payment.ScopePayments).money(), a.markPaid)
	add(a, post("/v1/payments/{id}/mark-authorized", "mark-payment-authorized", "Mark a payment authorized", payment.ScopePayments).money(), a.markAuthorized)
	add(a, post("/v1/orders/{id}/refund", "refund-order", "Give money of an order back", payment.ScopeRefunds).money().names("reference"), a.refundOrder)
	add(a, post("/v1/orders/{id}/complete", "complete-order", "Complete an order", payment.ScopeOrders, payment.ScopePayments).money(), a.completeOrder)
}

// What every operation on money answers its own problems with.
const (
	notReached  = "`gateway_unavailable`: nothing reached the PSP, and no money moved. `outcome_not_recorded`: `money_moved` is `unknown`; repeat the request with the same key, nothing is sent twice."
	wrongAmount = "`amount_exceeds`: more than there is; `max_amount` says how much that is. `amount_invalid`: zero, or not an amount of the currency. `currency_mismatch`: not the order's. `validation_failed`: see `errors`."
)

// operated are the problems of an operation on one payment.
func operated(a payment.Action) problems {
	all := problems{
		402: "`payment_declined`: the PSP declined, no money moved, and `reason` says why.",
		404: "`not_found`: the store has no payment of this id.",
		409: "`action_not_allowed`: `why_not` says why: " + refusals[a] + repeats,
		422: wrongAmount + reused,
		503: notReached,
	}
	switch a {
	case payment.ActMarkPaid, payment.ActMarkAuthorized:
		delete(all, 402)
		all[422] = "`required`, `validation_failed`: see `errors`." + reused
		all[503] = "`gateway_unavailable`: the payment's account is not configured any more."
	case payment.ActVoid:
		all[422] = "`validation_failed`: see `errors`." + reused
	case payment.ActIncrease:
		all[422] += " `required`: how much is missing."
	case payment.ActCapture, payment.ActRefund, payment.ActPay, payment.ActRepay, payment.ActCancel, payment.ActComplete:
	}
	return all
}

// refusals are the reasons why an action is not allowed, for the document.
var refusals = map[payment.Action]string{
	payment.ActCapture:        "`gateway_cannot`, `nothing_authorized`, `captured_already`, `voided_already`, `payment_failed`, `order_cancelled`, `order_not_covered`, `partial_not_supported`, `operation_in_progress`, `outcome_unknown`, `being_released`.",
	payment.ActRefund:         "`gateway_cannot`, `nothing_captured`, `refunded_already`, `partial_not_supported`, `operation_in_progress`, `outcome_unknown`, `being_released`.",
	payment.ActVoid:           "`gateway_cannot`, `nothing_authorized`, `captured_already`, `voided_already`, `payment_failed`, `operation_in_progress`, `outcome_unknown`, `being_released`.",
	payment.ActIncrease:       "`gateway_cannot`, `nothing_authorized`, `captured_already`, `voided_already`, `payment_failed`, `order_cancelled`, `operation_in_progress`, `outcome_unknown`, `being_released`.",
	payment.ActMarkPaid:       "`gateway_decides` (the payment has a PSP), `already_paid`, `refunded_already`, `nothing_to_pay`.",
	payment.ActMarkAuthorized: "`gateway_decides` (the payment has a PSP), `not_pending`, `order_cancelled`.",
}
