package outbound

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
)

// Event is an event as stores get it, from the API and by delivery alike. The
// objects that it names are read anew: it tells that they changed, not how they
// are.
type Event struct {
	ID            string    `json:"id" doc:"The same each time the event is delivered."`
	Type          string    `json:"type" example:"order.paid"`
	Sequence      int64     `json:"sequence" doc:"Orders the events of the store, with gaps: goes into after."`
	OrderSequence *int      `json:"order_sequence" doc:"Numbers the events of the order from 1, without gaps; null without an order."`
	OrderID       *string   `json:"order_id" doc:"Null for what happens to a case that fits no order."`
	Number        *string   `json:"number" doc:"The store's number of the order; null without an order."`
	CreatedAt     time.Time `json:"created_at" doc:"RFC 3339, UTC."`
	Data          EventData `json:"data"`
}

// EventData is what an event is about. The last three fields are those of
// commands: what the store's own system has to know to carry an effect out.
type EventData struct {
	Payment     string        `json:"payment,omitempty"`
	Transaction string        `json:"transaction,omitempty"`
	Effect      string        `json:"effect,omitempty"`
	Case        string        `json:"case,omitempty"`
	Kind        string        `json:"kind,omitempty" doc:"Of an event about a case: its kind."`
	Status      string        `json:"status,omitempty" doc:"The new status or state of what the event is about."`
	Amount      string        `json:"amount,omitempty"`
	Currency    string        `json:"currency,omitempty"`
	Code        string        `json:"code,omitempty" doc:"Of a command: the promotion code."`
	BasketID    string        `json:"basket_id,omitempty" doc:"Of a command: the basket."`
	Lines       []CommandLine `json:"lines,omitempty" doc:"Of a command: what is to be deducted from the stock."`
}

// CommandLine is how much of an article an order has.
type CommandLine struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

// EventOf puts an event into the shape in which stores get it.
func EventOf(e payment.Event) Event {
	v := Event{
		ID: e.ID().String(), Type: e.Type, Sequence: e.Sequence, CreatedAt: e.At.UTC().Truncate(time.Microsecond),
		Data: EventData{Effect: e.Effect, Status: e.Status},
	}
	if e.Order != (payment.OrderID{}) {
		v.OrderSequence, v.OrderID, v.Number = &e.N, new(e.Order.String()), &e.Number
	}
	if e.Payment != 0 {
		v.Data.Payment = payment.PaymentID{Order: e.Order, N: e.Payment}.String()
	}
	if e.Transaction != 0 {
		v.Data.Transaction = payment.TransactionID{Order: e.Order, N: e.Transaction}.String()
	}
	if e.Case != (payment.CaseID{}) {
		v.Data.Case, v.Data.Kind = e.Case.String(), string(e.CaseKind)
	}
	if e.Amount != nil {
		v.Data.Amount, v.Data.Currency = e.Amount.String(), e.Amount.Currency().String()
	}
	return v
}

// CommandOf is an event about an effect, with what carrying it out takes.
func CommandOf(e payment.Event, o *payment.Order) Event {
	v := EventOf(e)
	kind, subject, _ := strings.Cut(e.Effect, ":")
	switch payment.EffectKind(kind) {
	case payment.TrackPromotionCode:
		v.Data.Code = subject
	case payment.DeleteBasket:
		v.Data.BasketID = subject
	case payment.DeductStock:
		for _, l := range o.Lines {
			if l.SKU != "" {
				v.Data.Lines = append(v.Data.Lines, CommandLine{SKU: l.SKU, Quantity: l.Quantity})
			}
		}
	case payment.SendOrderMail: // is never a command: mails are ours
	}
	return v
}

// Body is the event as JSON.
func (e Event) Body() ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e); err != nil {
		return nil, fmt.Errorf("encode event %s: %w", e.ID, err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
