package payment

import "time"

// EffectKind is what an effect does outside the money.
type EffectKind string

// The kinds of effects.
const (
	DeductStock        EffectKind = "deduct_stock"
	TrackPromotionCode EffectKind = "track_promotion_code"
	DeleteBasket       EffectKind = "delete_basket"
	SendOrderMail      EffectKind = "send_order_mail"
)

// EffectState is how far an effect is.
type EffectState string

// The states of an effect. Due and UndoDue wait to be carried out.
const (
	EffectDue     EffectState = "due"
	EffectDone    EffectState = "done"
	EffectUndoDue EffectState = "undo_due"
	EffectUndone  EffectState = "undone"
	EffectFailed  EffectState = "failed" // for good; a case is open
)

// Effect is an entry of the order's effect ledger: something that happens once
// per order and key. Steps only stage it; it is carried out after the commit, in
// a transaction of its own that also marks it, so a crash repeats nothing and
// orders never wait for each other's rows.
type Effect struct {
	Key   string // e.g. "track_promotion_code:SUMMER"
	Kind  EffectKind
	State EffectState
	// Subject is what it acts upon: a promotion code, a basket id.
	Subject string
	DueAt   time.Time // zero when nothing waits
	Tries   int
	Note    string // what went wrong last

	change Change
}

// Change tells what happened to the effect since it was loaded.
func (e *Effect) Change() Change { return e.change }

// events are what the world is told when an effect is ordered or taken back.
var effectEvents = map[EffectKind]struct{ do, undo string }{
	DeductStock:        {do: "stock.deduct", undo: "stock.restore"},
	TrackPromotionCode: {do: "promotion.track", undo: "promotion.untrack"},
	DeleteBasket:       {do: "basket.delete"},
}

// Do stages an effect. It does nothing when the effect is ordered or done
// already; one that was undone is done anew.
func (o *Order) Do(kind EffectKind, subject string, at time.Time) (staged bool) {
	key := effectKey(kind, subject)
	e := o.Effects[key]
	switch {
	case e == nil:
		e = &Effect{Key: key, Kind: kind, Subject: subject, State: EffectDue, DueAt: at, change: Added}
		if o.Effects == nil {
			o.Effects = make(map[string]*Effect)
		}
		o.Effects[key] = e
	case e.State == EffectUndone:
		e.set(EffectDue, at)
	case e.State == EffectUndoDue:
		e.set(EffectDone, time.Time{}) // the undoing had not begun
	default:
		return false
	}
	if name := effectEvents[kind].do; name != "" {
		o.Emit(Event{Type: name, Effect: key}, at)
	}
	return true
}

// Undo takes an effect back, once, if it was ordered or done.
func (o *Order) Undo(kind EffectKind, subject string, at time.Time) (staged bool) {
	e := o.Effects[effectKey(kind, subject)]
	switch {
	case e == nil:
		return false
	case e.State == EffectDone:
		e.set(EffectUndoDue, at)
	case e.State == EffectDue:
		e.set(EffectUndone, time.Time{}) // it had not begun
	default:
		return false
	}
	if name := effectEvents[kind].undo; name != "" {
		o.Emit(Event{Type: name, Effect: e.Key}, at)
	}
	return true
}

func (e *Effect) set(state EffectState, due time.Time) {
	e.State, e.DueAt, e.Tries, e.Note = state, due, 0, ""
	e.change = e.change.touched()
}

func effectKey(kind EffectKind, subject string) string {
	if subject == "" {
		return string(kind)
	}
	return string(kind) + ":" + subject
}
