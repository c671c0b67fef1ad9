package api

import (
	"strings"

	"github.com/paysvc/paysvc/internal/payment"
)

// section is a part of the document: operations that belong together.
type section struct {
	tag, about string
	operations []described
}

// described is what the document says of an operation beside its types.
type described struct {
	id, text string
	problems problems
}

// problems are the statuses that an operation answers its own problems with, and
// the codes that come with them: each text begins with one. Those of every
// operation stand in the document's introduction.
type problems map[int]string

const (
	noOrder      = "`not_found`: the store has no order of this id."
	closed       = "`order_not_open`: the order is closed. `payment_in_progress`: a payment is under way."
	repeats      = " `idempotency_in_progress`: the first request with this key still runs."
	reused       = " `idempotency_key_reused`: the key came with another body."
	noCase       = "`not_found`: the store has no case of this id."
	noEndpoint   = "`not_found`: the store has no webhook endpoint of this id."
	noGiftCard   = "`not_found`: the store has no gift card of this id."
	giftCardsOff = "`gift_cards_not_configured`: the operator has to set `PAYSVC_SECRET_KEY`. `gift_cards_other_key`: or to add the key to it that cards of the store are under."
	webhooksOff  = "`webhooks_not_configured`: the operator has to set `PAYSVC_SECRET_KEY`."
	version      = "`version_conflict`: the value is not the one that the precondition names."
)

// sections lists every operation, in the order of an order's life.
var sections = []section{
	{"Orders", "An order is the frozen snapshot of what is to be paid.", []described{
		{"create-order", "Keeps an order. Sent again with the same content, it answers the order that is there; with `pay`, it pays at once and answers as pay does.", problems{
			402: "`payment_declined`: with `pay`, as pay answers it.",
			409: "`order_number_taken`: the store has another order of this number." + repeats,
			422: "`total_mismatch`, `amount_invalid`, `currency_unknown`, `return_url_not_allowed`, `expires_at_past`, `card_data_refused`, `validation_failed`: see `errors`. With `pay`, what pay answers." + reused,
			503: "`gateway_unavailable`: with `pay`, as pay answers it.",
		}},
		{"list-orders", "Lists the store's orders. Filters combine; one that is not known is refused, so that a misspelt filter never lists all.", nil},
		{"get-order", "Reads an order with its payments and their transactions.", problems{404: noOrder}},
		{"amend-order", "Changes the fields that are sent and leaves the others, as long as no money is in play.", problems{
			404: noOrder, 409: closed, 422: "`total_mismatch`, `amount_invalid`, `return_url_not_allowed`, `expires_at_past`: see `errors`.",
		}},
		{"cancel-order", "Cancels an order for good. Attempts that wait for the shopper are closed at their PSP first; `release` says what happens to money that is held.", problems{
			403: "`forbidden`: the key may not do with the money what `release` says: void needs the scope payments too, refund the scope refunds.",
			404: noOrder,
			409: "`release_required`: the order holds money and `release` is missing. `action_not_allowed`: its money cannot be released that way. " + closed,
		}},
	}},
	{"Paying", "The moments of a payment: the shopper chooses, pays and comes back. PSPs notify the service at `/confirm/{gateway}/{account}` by themselves.", []described{
		{"repay-order", "Begins another attempt to pay an order that is pending: on the method of the last one where none is named. The old attempt is asked about first, and closed where it waits for the shopper. Answers as pay.", problems{
			402: "`payment_declined`: `reason` says why, and another attempt is allowed.",
			404: noOrder,
			409: "`order_already_paid`: the old attempt was paid after all. `payment_in_progress`: it may still be, and cannot be closed. `order_not_open`: the order is closed. `action_not_allowed`: nobody has tried to pay it yet. `too_many_attempts`: it was tried too often." + repeats,
			422: "`method_unavailable`, `payment_data_invalid`, `payments_do_not_cover_total`, `payments_exceed_total`: as for pay." + reused,
			503: "`gateway_unavailable`: nothing reached the PSP, and no money moved. `outcome_not_recorded`: `money_moved` is `unknown`; repeat the request with the same key, nothing is sent twice.",
		}},
		{"list-payment-methods", "Lists what the order can be paid with: currency, country, total and the gateways' own rules decide.", problems{404: noOrder}},
		{"validate-payment-data", "Checks what the shopper entered for a method, and charges nothing.", problems{
			404: noOrder, 422: "`payment_data_invalid`: see `errors`. `method_unavailable`: the order cannot be paid with the method.",
		}},
		{"pay-order", "Pays what is due, and answers what became of it: 200 paid, authorized or with a `next_action` for the shopper; 202 not known yet; 402 declined. An attempt that the shopper abandoned is closed and replaced. Several `payments` pay the order together: the hardest to give back comes last, and when one fails, what the others took is given back.", problems{
			402: "`payment_declined`: `reason` says why, and another attempt is allowed. `money_moved` is `yes` where another of several payments took money, which is given back.",
			404: noOrder,
			409: "`order_already_paid`: payments cover the order. `payment_in_progress`: a payment is under way that cannot be replaced. `order_not_open`: the order is closed. `too_many_attempts`: an order takes 200 payments, and these were tried." + repeats,
			422: "`method_unavailable`: unknown, inactive or excluded for this order. `payment_data_invalid`: see `errors`. `payments_do_not_cover_total`, `payments_exceed_total`: they must add up to what is due." + reused,
			503: "`gateway_unavailable`: nothing reached the PSP, and no money moved. `outcome_not_recorded`: `money_moved` is `unknown`; repeat the request with the same key, nothing is sent twice.",
		}},
		{"submit-order", "For shops that own the page that shoppers come back to from paying. The PSP is asked, for at most three seconds, if nothing is known yet. Decides nothing by itself.", problems{404: noOrder}},
		{"fail-order", "For shops that own the page that shoppers come back to from not paying. An order that turns out to be paid stays paid.", problems{404: noOrder}},
		{"get-order-status", "Reads where an order stands. Cheap enough to be asked again and again.", problems{404: noOrder}},
		{"stream-order-status", "Sends an event `status` with where the order stands, now and whenever that changes. Ends after fifteen minutes, or when the instance stops; connect again then.", problems{404: noOrder}},
	}},
	{"Payments and transactions", "A payment is an intent to pay; each exchange of money with a PSP is a transaction of it.", []described{
		{"get-payment", "Reads a payment with its transactions.", problems{404: "`not_found`: the store has no payment of this id."}},
		{"list-transactions", "Lists the transactions of all orders of the store.", nil},
	}},
	{"Order management", "What is done with money that payments hold. Each answers as pay does: 200 done; 202 not known yet; 402 the PSP declined; 409 `action_not_allowed`, which changed nothing, with `why_not`; 503 nothing reached the PSP.", []described{
		{"get-actions", "Lists what can be done with the order and its payments now, up to how much, and why the rest cannot. An operation that is sent is judged by the same rules.", problems{404: noOrder}},
		{"capture-payment", "Takes money that is reserved: all that is left, or an amount. With `final` no other capture follows, and what this one leaves is released where the PSP can do so; otherwise it stays reserved, and a note says so.", operated(payment.ActCapture)},
		{"refund-payment", "Gives back money that was taken: all that is left, or an amount. With `offline` it is only recorded.", operated(payment.ActRefund)},
		{"void-payment", "Releases all that is reserved and not captured. With `offline` it is only recorded.", operated(payment.ActVoid)},
		{"increase-payment", "Reserves more, where the PSP can.", operated(payment.ActIncrease)},
		{"mark-payment-paid", "Says that the money of a payment without a PSP has come: one that waits for it becomes paid, one that was authorized is captured. The order goes on as if a PSP had said so. The reason and the name of the key stand in the timeline.", operated(payment.ActMarkPaid)},
		{"mark-payment-authorized", "Says that the money of a payment without a PSP is sure to come: the order goes on as if it were reserved.", operated(payment.ActMarkAuthorized)},
		{"refund-order", "Spreads a refund over the payments of the order: what was paid last is given back first.", problems{
			402: "`payment_declined`: the PSP declined, `reason` says why. `money_moved` is `yes` where another payment's part was given back before.",
			404: noOrder,
			409: "`action_not_allowed`: `why_not` says why, as for each payment." + repeats,
			422: wrongAmount + reused,
			503: notReached,
		}},
		{"complete-order", "Says that nothing is left to do for the order: it was delivered.", problems{
			404: noOrder,
			409: "`action_not_allowed`: `why_not` says why: `order_not_covered`, `completed_already`, `order_cancelled`." + repeats,
			422: strings.TrimPrefix(reused, " "),
		}},
	}},
	{"Timeline and notes", "All that happened to an order, and what people say about it.", []described{
		{"get-timeline", "Reads notes, transactions, runs, notifications and events of an order, merged; the latest thousand of a longer history.", problems{404: noOrder}},
		{"list-notes", "Lists the notes of an order.", problems{404: noOrder}},
		{"add-note", "Leaves a note. Its author is the name of the key.", problems{404: noOrder, 409: "`order_full`: the order takes no more notes."}},
	}},
	{"Attributes", "JSON that a store keeps for an order, under keys of its own.", []described{
		{"get-attribute", "Reads an attribute, byte for byte as it was kept. `ETag` names its version.", problems{404: "`not_found`: there is no such order, or no such attribute."}},
		{"put-attribute", "Keeps any JSON of at most 64 KiB. With `If-Match` or `If-None-Match` only if nobody changed it meanwhile.", problems{
			404: noOrder, 409: "`too_many_attributes`, `attributes_too_large`: the order has as many as it can, or as much: 200, and 1 MiB of values.", 412: version,
		}},
		{"get-checkout-state", "Reads what a checkout keeps, as an attribute is read. Once the order is placed it is gone.", problems{404: "`not_found`: there is no such order, or no such value, or the order is placed."}},
		{"put-checkout-state", "Keeps any JSON of at most 64 KiB until the order is placed. With `If-Match` or `If-None-Match` only if nobody changed it meanwhile.", problems{
			404: noOrder, 409: "`order_placed`: the checkout is over. `too_many_attributes`, `attributes_too_large`: it keeps as many values as it can, or as much: 200, and 1 MiB.", 412: version,
		}},
		{"delete-checkout-state", "Deletes what a checkout keeps. With `If-Match` only if nobody changed it meanwhile.", problems{
			404: "`not_found`: there is no such order, or no such value.", 409: "`order_placed`: the checkout is over.", 412: version,
		}},
		{"delete-attribute", "Deletes an attribute. With `If-Match` only if nobody changed it meanwhile.", problems{
			404: "`not_found`: there is no such order, or no such attribute.", 412: version,
		}},
	}},
	{"Events", "What changed, for the store's own programs.", []described{
		{"list-events", "Reads events, oldest first. Keep the last `sequence` and read on with `after`: no event is left out, and none comes before another that was read already.", nil},
		{"redeliver-event", "Posts an event again: to all active endpoints that get its type, or to one. Each begins its schedule anew. Receivers know the event by its id.", problems{
			404: "`not_found`: the store has no event of this id.",
			409: "`nothing_to_redeliver`: no active endpoint gets the event.",
		}},
	}},
	{"Webhooks", "URLs of a store that events are posted to, signed as Standard Webhooks says. At least once, with the same `webhook-id` on each try; any 2xx within ten seconds acknowledges. Otherwise it is tried again after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h, and then parked.", []described{
		{"create-webhook-endpoint", "Has events from now on posted to a URL, with `https` and a public address. The secret that signs them is in this answer and never shown again.", problems{
			409: "`endpoints_full`: the store has as many endpoints as it can.",
			422: "`url_not_allowed`, `type_invalid`, `duplicate`: see `errors`.",
			503: webhooksOff,
		}},
		{"list-webhook-endpoints", "Lists the endpoints of the store, the oldest first.", nil},
		{"get-webhook-endpoint", "Reads an endpoint, and how it does.", problems{404: noEndpoint}},
		{"change-webhook-endpoint", "Changes the fields that are sent. While an endpoint is not active, nothing is kept for it: what happens meanwhile is read from the events.", problems{
			404: noEndpoint, 422: "`url_not_allowed`, `type_invalid`, `duplicate`: see `errors`.",
		}},
		{"delete-webhook-endpoint", "Deletes an endpoint. What was on its way to it is not posted any more.", problems{404: noEndpoint}},
		{"rotate-webhook-secret", "Makes a new secret. For a day the one before signs too: each message has both signatures.", problems{
			404: noEndpoint, 503: webhooksOff,
		}},
		{"list-webhook-deliveries", "Lists what was posted to the endpoint, is to be, or was given up; the newest event first. Kept for 35 days.", problems{404: noEndpoint}},
	}},
	{"Operators", "What only a person can decide, and what the service did by itself.", []described{
		{"list-cases", "Lists what only a person can decide: another amount, money on a cancelled order, an article out of stock. `what_to_do` says what that is.", nil},
		{"get-case", "Reads a case.", problems{404: noCase}},
		{"resolve-case", "Ends a case, with a word of the caller's own and a reason; both stand in the timeline with the name of the key. `action` says what is done with the money: `approve` and `decline` settle the transaction on the operator's word, and confirm decides on it as on what a PSP says; `refund` has the money given back and needs the scope `refunds`. Of several who resolve a case in different ways one succeeds; who says the same again gets the same answer.", problems{
			403: "`forbidden`: the API key does not have the scope `refunds`.",
			404: noCase,
			409: "`case_resolved`: it is resolved already, in another way. `action_not_allowed`: `why_not` says why: `not_for_this_kind`, `settled_already`, `currency_differs`, `amount_unclear`, `amount_invalid`, `no_transaction`, `nothing_to_refund`, `being_released`." + repeats,
			422: "`required`, `validation_failed`: see `errors`." + reused,
		}},
		{"mark-order-seen", "Clears the flag that says that a PSP told something which nobody has looked at.", problems{404: noOrder}},
		{"list-notifications", "Lists what PSPs sent, and what became of it. Their content is not shown: it may hold personal data.", nil},
		{"replay-notification", "Applies a kept notification again, and answers what became of it. What is known already changes nothing.", problems{
			404: "`not_found`: the store has no notification of this id.",
		}},
		{"list-jobs", "Lists the background work of the store that is not done: mails that wait, run, or were given up (`parked`). Deliveries of events are listed by endpoint.", nil},
		{"retry-job", "Tries a job again, now, and answers it as it stands then. One that runs already is left alone.", problems{
			404: "`not_found`: the store has no job of this id.",
			409: "`job_done`: the job is done. `job_waiting`: the same work waits in another job.",
		}},
		{"get-run", "Reads the journal of a run: which steps ran, how long they took, and what failed.", problems{404: "`not_found`: the store has no run of this id."}},
		{"list-pipelines", "Lists the pipelines of each method, with the steps that run.", nil},
		{"try-pipeline", "Says what a pipeline would do to an order as it stands, and with `pipelines` how edits of it would decide otherwise. The engine works on a copy in memory: nothing is written, and nobody is called.", problems{
			404: noOrder,
			422: "`pipelines_invalid`, `pipeline_unknown`, `method_required`, `method_not_taken`, `nothing_open`, `fact_not_taken`: see `errors`.",
		}},
	}},
	{"Gift cards", "Money that was paid in advance and is kept here: what the gateway `gift-card` takes from. Each card has a ledger, whose entries add up to its balance.", []described{
		{"issue-gift-card", "Issues a card. Its code is in this answer and never shown again; what is kept is a keyed hash. With `code` a card that exists elsewhere is moved here.", problems{
			409: "`gift_card_code_taken`: the store has a card with this code. `gift_card_issued`: the card was issued with another API key, which alone is shown the code again." + repeats,
			422: "`amount_invalid`, `currency_unknown`, `expires_at_past`, `code_invalid`, `validation_failed`: see `errors`." + reused,
			503: giftCardsOff,
		}},
		{"list-gift-cards", "Lists the cards of the store, the newest first.", nil},
		{"find-gift-card", "Reads the card of a code, such as a shopper has typed.", problems{
			404: "`not_found`: the store has no card with this code.",
			422: "`code_invalid`: the code is mistyped. Nobody was asked.",
			429: "`too_many_attempts`: too many codes that are none were looked up for the store within an hour. `rate_limited`: too many requests.",
			503: giftCardsOff,
		}},
		{"get-gift-card", "Reads a card with its ledger.", problems{404: noGiftCard}},
		{"deactivate-gift-card", "Blocks a card: it is not paid with any more. Money can still be given back to it.", problems{404: noGiftCard}},
		{"activate-gift-card", "Ends the block of a card.", problems{404: noGiftCard}},
	}},
	{"Shelves", "What stores may keep here, for the effects of paid orders: stock that is deducted, promotion codes that are counted, baskets that are deleted.", []described{
		{"list-stock", "Lists the articles and how many there are, by article number.", nil},
		{"put-stock", "Sets the stock of the articles that are sent, all or none, and leaves the others alone.", problems{422: "`duplicate`: an article stands in the list twice."}},
		{"get-stock", "Reads how many there are of an article.", problems{404: "`not_found`: the store has no such article."}},
		{"delete-stock", "Tracks an article no longer: orders of it do not look at the stock.", problems{404: "`not_found`: the store has no such article."}},
		{"list-promotion-codes", "Lists the codes, how often each was used and may be, by code.", nil},
		{"put-promotion-codes", "Sets the limits of the codes that are sent, all or none. How often a code was used is counted here and cannot be set.", problems{
			422: "`duplicate`: a code stands in the list twice.",
		}},
		{"get-promotion-code", "Reads a code, how often it was used and may be.", problems{404: "`not_found`: the store has no such code."}},
		{"delete-promotion-code", "Deletes a code and its count.", problems{404: "`not_found`: the store has no such code."}},
		{"get-basket", "Reads a basket, byte for byte as it was kept.", problems{404: "`not_found`: the store has no such basket."}},
		{"put-basket", "Keeps any JSON as a basket, until an order that names it in `basket_id` is placed.", nil},
		{"delete-basket", "Deletes a basket.", problems{404: "`not_found`: the store has no such basket."}},
	}},
}

// examples are bodies to begin with, of the operations whose types alone do not
// show what is usual.
var examples = map[string]map[string]any{
	"create-order": {
		"number": "10001", "currency": "EUR", "total": "129.95", "shipping": "9.95", "tax": "20.75", "tax_included": true,
		"lines":           []any{map[string]any{"sku": "A-1", "name": "Lamp", "quantity": 2, "unit_price": "60.00", "total": "120.00"}},
		"customer":        map[string]any{"id": "c-77", "email": "a@example.org", "name": "A. Person"},
		"billing_address": map[string]any{"country": "NL", "city": "Utrecht", "line1": "Oudegracht 1", "postal_code": "3511 AA"},
		"return_urls":     map[string]any{"success": "https://shop.example/thanks", "failure": "https://shop.example/oops"},
	},
	"create-webhook-endpoint": {"url": "https://shop.example/paysvc-events", "types": []any{"order.paid", "refund.*"}},
	"change-webhook-endpoint": {"active": true},
	"issue-gift-card":         {"amount": "50.00", "currency": "EUR", "metadata": map[string]any{"sold_with": "10001"}},
	"amend-order":             {"shipping": "0.00", "total": "120.00"},
	"cancel-order":            {"reason": "The shopper changed their mind."},
	"pay-order":               {"method": "card", "data": map[string]any{}},
	"repay-order":             {"method": "wallet"},
	"capture-payment":         {"amount": "50.00", "reference": "shipment-1"},
	"refund-payment":          {"amount": "10.00", "reason": "One lamp was broken.", "reference": "return-1"},
	"refund-order":            {"amount": "10.00", "reason": "One lamp was broken.", "reference": "return-1"},
	"void-payment":            {"reason": "Out of stock."},
	"increase-payment":        {"amount": "25.00"},
	"mark-payment-paid":       {"reason": "Transfer of 3 March, statement 17."},
	"mark-payment-authorized": {"reason": "The customer's bank vouches for it."},
	"validate-payment-data":   {"method": "card", "data": map[string]any{}},
	"resolve-case":            {"resolution": "money_found", "reason": "The PSP's dashboard shows the payment.", "action": "approve"},
	"try-pipeline": {
		"order": "ord_01kamn3gd8e1cb2hm0q4s6w8xz", "pipeline": "confirm", "fact": "approved",
		"pipelines": map[string]any{"status-ok": []any{map[string]any{"change": "send-order-mail", "when": "order.total >= 100"}}},
	},
}
