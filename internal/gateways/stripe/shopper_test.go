package stripe_test

import (
	"net/url"
	"time"
)

// What shoppers, banks and the shop's people at the dashboard do at the fake.

// pay completes the page of a session: "approved", "bank" for a payment that a
// bank confirms later, "voucher" for one that is made with a voucher or a transfer
// later, or "declined" for a card that is refused.
func (f *fake) pay(session, how string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.sessions[session]
	intent, ok := s["payment_intent"].(string)
	if !ok {
		form, _ := url.ParseQuery(f.keys["session "+session].form)
		form.Set("currency", s["currency"].(string))
		intent = f.createIntent(form, "payment_intent_data", s["amount_total"].(int64))["id"].(string)
		s["payment_intent"] = intent
	}
	f.attempt(f.intents[intent], how)
	if how == "declined" {
		return
	}
	s["status"], s["url"] = "complete", nil
	if f.intents[intent]["status"] == "succeeded" {
		s["payment_status"] = "paid"
	}
	f.emit("checkout.session.completed", s)
}

// bank says how a payment by bank ended.
func (f *fake) bank(session string, paid bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.sessions[session]
	p := f.intents[s["payment_intent"].(string)]
	if !paid {
		f.attempt(p, "declined")
		f.emit("checkout.session.async_payment_failed", s)
		return
	}
	f.attempt(p, "approved")
	s["payment_status"] = "paid"
	f.emit("checkout.session.async_payment_succeeded", s)
}

// confirm is what the shop's page does with an intent.
func (f *fake) confirm(intent, how string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.attempt(f.intents[intent], how)
}

func (f *fake) attempt(p object, how string) {
	switch how {
	case "3ds", "voucher":
		p["status"] = "requires_action"
		f.emit("payment_intent.requires_action", p)
	case "bank":
		p["status"] = "processing"
		f.emit("payment_intent.processing", p)
	case "declined":
		c := f.charge(p, "failed")
		p["status"], p["latest_charge"] = "requires_payment_method", c["id"]
		p["last_payment_error"] = object{
			"type": "card_error", "code": "card_declined", "decline_code": "lost_card", "message": "Your card was declined.",
		}
		f.emit("payment_intent.payment_failed", p)
	case "approved":
		c := f.charge(p, "succeeded")
		p["latest_charge"], p["last_payment_error"] = c["id"], nil
		if p["capture_method"] == "manual" {
			p["status"], p["amount_capturable"] = "requires_capture", p["amount"]
			f.emit("payment_intent.amount_capturable_updated", p)
			return
		}
		c["captured"], c["amount_captured"] = true, p["amount"]
		p["status"], p["amount_received"] = "succeeded", p["amount"]
		f.emit("payment_intent.succeeded", p)
	}
}

func (f *fake) charge(p object, status string) object {
	id := f.id("ch")
	c := object{
		"id": id, "object": "charge", "amount": p["amount"], "amount_captured": int64(0), "amount_refunded": int64(0), "captured": false,
		"billing_details": object{"address": nil, "email": nil, "name": nil, "phone": nil, "tax_id": nil}, "created": f.now().Unix(),
		"currency": p["currency"], "disputed": false, "livemode": false, "metadata": p["metadata"], "paid": status == "succeeded",
		"payment_intent": p["id"], "refunded": false, "status": status, "payment_method_details": object{"type": "card", "card": object{
			"brand": "visa", "exp_month": 1, "exp_year": 2030, "capture_before": f.now().Add(5 * 24 * time.Hour).Unix(),
		}},
		"refunds": object{"object": "list", "data": []object{}, "has_more": false, "url": "/v1/charges/" + id + "/refunds"},
	}
	f.charges[id] = c
	return c
}

// capture takes an amount at the dashboard, and lets go of the rest.
func (f *fake) capture(intent string, amount int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.take(f.intents[intent], amount)
}

func (f *fake) take(p object, amount int64) {
	c := f.charges[p["latest_charge"].(string)]
	c["captured"], c["amount_captured"] = true, amount
	rest := p["amount_capturable"].(int64) - amount
	p["status"], p["amount_received"], p["amount_capturable"] = "succeeded", amount, int64(0)
	if rest > 0 {
		f.addRefund(c, rest, "succeeded", nil)
	}
	f.emit("charge.captured", c)
	f.emit("payment_intent.succeeded", p)
}

// cancelAtDashboard lets go of what an intent reserved.
func (f *fake) cancelAtDashboard(intent string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cancel(f.intents[intent], "requested_by_customer")
}

func (f *fake) cancel(p object, reason string) {
	reserved := p["status"] == "requires_capture"
	p["status"], p["amount_capturable"], p["canceled_at"] = "canceled", int64(0), f.now().Unix()
	if p["cancellation_reason"] = any(reason); reason == "" {
		p["cancellation_reason"] = nil
	}
	if reserved {
		c := f.charges[p["latest_charge"].(string)]
		f.emit("refund.created", f.addRefund(c, p["amount"].(int64), "succeeded", nil))
		f.emit("charge.refunded", c)
	}
	f.emit("payment_intent.canceled", p)
}

func (f *fake) addRefund(c object, amount int64, status string, moved any) object {
	r := object{
		"id": f.id("re"), "object": "refund", "amount": amount, "balance_transaction": moved, "charge": c["id"],
		"created": f.now().Unix(), "currency": c["currency"], "metadata": object{}, "payment_intent": c["payment_intent"],
		"reason": nil, "status": status,
	}
	f.refunds[r["id"].(string)] = r
	list := c["refunds"].(object)
	list["data"] = append([]object{r}, list["data"].([]object)...)
	return r
}

// refund gives money back at the dashboard.
func (f *fake) refund(intent string, amount int64, status string) (id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.charges[f.intents[intent]["latest_charge"].(string)]
	r := f.addRefund(c, amount, status, "txn_1")
	c["amount_refunded"] = amount
	f.emit("refund.created", r)
	f.emit("charge.refunded", c)
	return r["id"].(string)
}

// settle says what became of the newest refund of an intent.
func (f *fake) settle(intent, status string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.charges[f.intents[intent]["latest_charge"].(string)]
	r := c["refunds"].(object)["data"].([]object)[0]
	r["status"] = status
	typ := "refund.updated"
	if status == "failed" {
		typ, r["failure_reason"] = "refund.failed", "expired_or_canceled_card"
		if r["balance_transaction"] != nil {
			r["failure_balance_transaction"] = "txn_2"
		}
	}
	f.emit(typ, r)
}

// dispute begins one with this status.
func (f *fake) dispute(intent string, amount int64, status string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.charges[f.intents[intent]["latest_charge"].(string)]
	c["disputed"] = true
	d := object{
		"id": f.id("dp"), "object": "dispute", "amount": amount, "balance_transactions": []any{}, "charge": c["id"],
		"created": f.now().Unix(), "currency": c["currency"], "enhanced_eligibility_types": []any{}, "is_charge_refundable": false,
		"livemode": false, "metadata": object{}, "payment_intent": intent, "reason": "fraudulent", "status": status,
		"evidence": object{"enhanced_evidence": object{}}, "evidence_details": object{
			"due_by": nil, "has_evidence": false, "past_due": false, "submission_count": 0, "enhanced_eligibility": object{},
		},
	}
	f.disputes = append(f.disputes, d)
	f.emit("charge.dispute.created", d)
}

// disputed says what became of the newest dispute: an event and its status.
func (f *fake) disputed(typ, status string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d := f.disputes[len(f.disputes)-1]
	d["status"] = status
	f.emit("charge.dispute."+typ, d)
}
