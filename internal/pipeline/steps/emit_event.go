package steps

import (
	"regexp"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// customType keeps the events of shops apart from ours: nobody can announce that
// an order was paid but the books.
var customType = regexp.MustCompile(`^custom(\.[a-z0-9_]{1,30}){1,3}$`)

// emitEvent emits an event of the shop's own about the order, each time that it
// runs.
type emitEvent struct {
	eventType string
}

var emitEventMaker = pipeline.Maker{Name: "emit-event", Make: func(decode func(any) error) (pipeline.Step, error) {
	var c struct {
		Type string `yaml:"type"`
	}
	if err := decode(&c); err != nil {
		return nil, err
	}
	if !customType.MatchString(c.Type) {
		return nil, payment.Invalid("type", "invalid", "must be like custom.gift_packed: custom and one to three words of a-z, 0-9 and _")
	}
	return emitEvent{eventType: c.Type}, nil
}}

func (emitEvent) Name() string { return "emit-event" }

func (s emitEvent) Do(run *pipeline.Run) error {
	event := payment.Event{Type: s.eventType, Status: string(run.Order.PaymentStatus())}
	if run.Payment != nil {
		event.Payment = run.Payment.N
	}
	run.Order.Emit(event, run.At)
	return nil
}
