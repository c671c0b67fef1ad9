package jobs

import (
	"context"
	"errors"
	"hash/fnv"
	"net/http"
	"strconv"
	"time"

	"github.com/paysvc/paysvc/internal/outbound"
	"github.com/paysvc/paysvc/internal/payment"
)

// deliveryWaits is how long a delivery waits after each try that failed; after
// the last it is parked. It is the schedule of Standard Webhooks, three days.
var deliveryWaits = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour,
	20 * time.Hour, 24 * time.Hour,
}

const (
	// restMax bounds how long an endpoint rests that does not answer, and
	// restAskedMax how long one that asks to be left alone.
	restMax      = 5 * time.Minute
	restAskedMax = time.Hour
	// failingMax is when an endpoint that takes nothing is given up.
	failingMax = 5 * 24 * time.Hour
)

// verdict is what an answer, or its absence, means.
type verdict struct {
	outcome payment.Outcome
	health  payment.Health
	// stop tells that nothing more should be sent to the target for now.
	stop bool
	// untried tells that the instance stopped under the try.
	untried bool
}

// attempt tries one delivery. One that breaks us counts as a try that failed, so
// it is parked in the end, and the others go on.
func (b *batch) attempt(ctx context.Context, d payment.Delivery) (v verdict) {
	err := guarded(func() error {
		message, err := b.message(ctx, d)
		if err != nil {
			v = verdict{untried: true, stop: true} // the database is gone
			return nil
		}
		a, err := b.jobs.Out.Poster.Post(ctx, message)
		if err != nil && ctx.Err() != nil {
			v = verdict{untried: true, stop: true}
			return nil
		}
		v = b.judge(d, a, err)
		return nil
	})
	if err != nil {
		b.jobs.Log.Error().Err(err).Str("store", b.target.Store).Int64("sequence", d.Event.Sequence).Msg("an event cannot be sent")
		v = b.failed(d, verdict{outcome: payment.Outcome{Error: "cannot_be_sent"}}, 0)
	}
	return v
}

// message is what is posted: the event, or the command with what it takes. Its id
// is that of the event, each time.
func (b *batch) message(ctx context.Context, d payment.Delivery) (outbound.Message, error) {
	event := outbound.EventOf(d.Event)
	if b.target.Endpoint == payment.Storefront {
		o, err := b.jobs.Orders.ReadOrder(ctx, b.target.Store, d.Event.Order)
		if err != nil {
			return outbound.Message{}, err
		}
		event = outbound.CommandOf(d.Event, o)
	}
	body, err := event.Body()
	return outbound.Message{ID: event.ID, URL: b.url, Secrets: b.secrets, Body: body}, err
}

// judge says what follows from an answer.
func (b *batch) judge(d payment.Delivery, a outbound.Answer, err error) verdict {
	now := b.jobs.Now()
	v := verdict{outcome: payment.Outcome{Status: a.Status}}
	if err == nil && a.Status/100 == 2 {
		v.outcome.State, v.health.Succeeded = payment.DeliveryDelivered, true
		return v
	}
	v.outcome.Error = why(a, err)
	v.health.Failed = true
	if err == nil && a.Status == http.StatusGone && b.target.Endpoint != payment.Storefront {
		v.outcome.State, v.health.Disable, v.stop = payment.DeliveryParked, payment.DisabledGone, true
		return v
	}
	if overloaded(a, err) {
		rest := min(restMax, deliveryWaits[min(b.endpoint.Failures, len(deliveryWaits)-1)])
		v.stop, v.health.RestUntil = true, now.Add(max(rest, min(a.RetryAfter, restAskedMax)))
	}
	return b.failed(d, v, a.RetryAfter)
}

// failed says when a delivery is tried again, not before the receiver wants it,
// or that it is given up.
func (b *batch) failed(d payment.Delivery, v verdict, notBefore time.Duration) verdict {
	tries := d.Tries + 1
	if tries > len(deliveryWaits) {
		v.outcome.State = payment.DeliveryParked
		return v
	}
	wait := max(deliveryWaits[tries-1], notBefore)
	v.outcome.State, v.outcome.NextAt = payment.DeliveryPending, b.jobs.Now().Add(wait+spread(d, wait))
	return v
}

// overloaded tells of a target that gave no answer, or one that says that it
// cannot take any more for now, rather than that it does not like this one.
func overloaded(a outbound.Answer, err error) bool {
	if err != nil {
		return true
	}
	switch a.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// why is kept with the delivery, and shown: it holds nothing of what came back.
func why(a outbound.Answer, err error) string {
	if f, ok := errors.AsType[*outbound.Failure](err); ok {
		return string(f.Why)
	}
	return "status_" + strconv.Itoa(a.Status)
}

// spread keeps deliveries that failed together from coming back together: up to
// a tenth of the wait, the same for the same try.
func spread(d payment.Delivery, wait time.Duration) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(d.Event.ID().String() + d.Endpoint.String() + strconv.Itoa(d.Tries))) // it never fails
	return time.Duration(h.Sum32()%1000) * wait / 10_000
}
