// Package sandbox is a simulator of a payment service provider with a ledger
// of its own. It imports nothing of the service, so that it cannot share a
// mistake with it: tests compare our books with this ledger.
//
// # Merchant API
//
// Every request carries "Authorization: Bearer <APIKey of the account>". A
// reference is 1-64 characters of A-Z a-z 0-9 . _ : - and is the idempotency
// key within its account, shared by payments and all that is done with them:
// the same reference and content gives the same object as it is by now, other
// content 409 reference_conflict. Amounts are decimal strings with at most
// the digits of the currency, above zero; answers carry exactly that many.
//
//	POST /sandbox/v1/payments
//	  {"reference", "amount": "129.95", "currency": "EUR", "capture": true,
//	   "flow": "direct"|"redirect" (default direct), "scenario" (default approve),
//	   "description", "success_url", "failure_url", "notify_url"}
//	  200 with the payment; redirect needs both return URLs; notify_url
//	  defaults to the account's.
//	GET  /sandbox/v1/payments/{reference}          200 payment, 404 not_found
//	POST /sandbox/v1/payments/{reference}/close    200 payment (now cancelled, or as
//	  it failed before); 409 already_paid or payment_pending, with the payment
//	POST /sandbox/v1/payments/{reference}/increases
//	POST /sandbox/v1/payments/{reference}/captures
//	POST /sandbox/v1/payments/{reference}/refunds
//	POST /sandbox/v1/payments/{reference}/voids
//	  {"reference", "amount", "currency", "scenario"} (a void may leave out
//	  amount: all of the uncaptured rest; a capture may say "final": true)
//	  200 {"operation": operation, "payment": payment}
//	GET  /sandbox/v1/payments/{reference}/operations/{reference}
//	  200 {"operation": operation, "payment": payment}, 404 not_found
//	GET  /sandbox/v1/operations?from=&to=&limit= (1-500, 100) &cursor=
//	  200 {"data": [{"operation": operation, "payment": {"id", "reference",
//	  "account", "mode"}}, …], "next_cursor": "…"|null}: what came to state
//	  approved or reversed at or after from and before to, oldest first.
//
// A payment, always with all of these fields but redirect_url, which is there
// only while state is action_required, and capture_before, which only an
// approved authorization has:
//
//	{"id": "sbx_…", "reference", "account", "mode": "test"|"live",
//	 "amount", "currency", "operation": "charge"|"authorize",
//	 "state": "action_required|pending|approved|declined|cancelled|expired|voided",
//	 "authorized", "captured", "refunded", "voided", "charged_back",
//	 "capture_before": RFC 3339,
//	 "reason": null | {"code", "message", "decline": "soft"|"hard"|""},
//	 "redirect_url", "version": 3, "operations": [operation, …]}
//
// An operation, at being when it came to its state:
//
//	{"id": "sbo_…",
//	 "operation": "charge|authorize|increase|capture|refund|void|chargeback",
//	 "reference", "amount", "currency",
//	 "state": "action_required|pending|approved|declined|cancelled|expired|reversed",
//	 "reason": null | {…}, "parent"?, "at": RFC 3339}
//
// The first operation is the charge or authorization and has the payment's
// reference; operations that began at the PSP have their own id as reference.
// One of those is the void of what a final capture left, once that is approved:
// its parent is the capture's reference. An increase reserves more, as long as
// something is reserved; amount stays that of the first operation, authorized
// grows. capture_before is a promise only: an authorization ends when the
// control API says so. A declined request is a 200 whose state says so.
//
// Errors are {"error": {"code", "message", "max_amount"?}, "payment"?}: 400
// invalid_json, 401 unauthorized, 404 not_found, 409 reference_conflict,
// already_paid, payment_pending, not_allowed, 413 body_too_large, 422
// invalid_<field>, unknown_scenario, currency_mismatch, amount_exceeds (with
// max_amount), 503 closed.
//
// # Scenarios
//
// approve, decline (do_not_honor, soft), insufficient_funds (soft), lost_card
// (hard), action_required (pay only), pending_then_approve and
// pending_then_decline (settle and notify after Delays.Pending), wrong_amount
// (one minor unit less; one more where nothing would be left) and
// wrong_currency (USD, or EUR instead of USD), both also in ledger and
// inquiry. Of what is done with a payment only, already_done: booked, and
// answered 409 not_allowed as though it had been made by an earlier request.
// Booked, but answered badly: timeout_after_charge (silence until
// the client leaves or Delays.Silence is over, then the connection is cut),
// error_after_charge (500), html_502_after_charge, garbage (200, no JSON),
// no_echo ({"id", "state"} of the payment, or {"operation": {"id", "state"}}),
// slow (after Delays.Slow). timeout_no_charge books nothing and is silent.
// With flow redirect the answer misbehaves at once and the outcome is that of
// the Pay button. A repeated reference is always answered plainly.
//
// # Notifications
//
//	POST <notify_url>
//	Sandbox-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256(WebhookSecret, t + "." + body)>
//	{"id": "evt_…", "event", "created": RFC 3339, "version",
//	 "payment": payment, "operation": operation}
//
// event is paid, authorized, increased, captured, refunded, voided, failed,
// cancelled, expired, chargeback, refund_reversed, refund_failed or
// chargeback_reversed; operation is the one that it is about, so a refund
// that failed is event failed with operation.operation refund, and payment is
// untouched by it. An authorization that expired is event expired with the
// void of what was left of it. The last three take back what was approved:
// operation.state is reversed (of a refund_failed while it was pending,
// declined). id and body stay the same on every try, t and v1 do not.
// version is the payment's; it grows with every change and every
// notification. Any 2xx ends the tries, anything else is tried again along
// Delays.Retries. What a merchant request answers at once is notified only
// with Config.NotifyDirect; the page, pending scenarios and the control API
// always notify. Nothing orders the notifications of a payment.
//
// # Control API
//
// For development and tests, without authentication: see control.go.
package sandbox
