package payment

import "time"

// Rest is what becomes of the money that a capture leaves reserved which is to be
// the last; "" of a capture that others may follow. It is settled when the capture is
// announced, and comes true when the capture is approved, however late.
type Rest string

// What becomes of a rest.
const (
	RestReleased Rest = "released" // by the PSP, along with the capture
	RestVoided   Rest = "voided"   // by us, as a release
	RestHeld     Rest = "held"     // until it lapses: the PSP cannot release a part
)

// Rest returns what becomes of what a last capture leaves.
func (c Capabilities) Rest() Rest {
	switch {
	case c.ReleasesRest:
		return RestReleased
	case c.Void && c.VoidRest:
		return RestVoided
	}
	return RestHeld
}

// seeToRest decides about what a last capture left that was just approved, whoever
// told so. While nobody knows, and where it was declined, what is reserved is still
// wanted.
func (o *Order) seeToRest(p *Payment, t *Transaction, at time.Time) {
	rest := p.Sums.Reserved()
	if t.State != Approved || t.Held || !rest.IsPositive() {
		return
	}
	switch t.Rest {
	case RestVoided:
		o.ReleaseLater(p, Release{Reason: ReleaseRest}, at)
	case RestHeld:
		o.Note(at, "system", "The capture was the last: "+rest.String()+" "+rest.Currency().String()+
			" stay reserved, since the PSP cannot release a part.")
	case RestReleased: // the PSP's word for it comes by itself
	}
}
