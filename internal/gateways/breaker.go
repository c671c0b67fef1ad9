package gateways

import (
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/rs/zerolog"
)

// The breaker opens after so many failures of the last so many exchanges.
const (
	breakerFailures = 5
	breakerWindow   = 10
	breakerDelay    = 5 * time.Second
)

// breaker keeps requests from a PSP that does not work. While it is open they
// are refused before anything has left; after a delay one at a time may try.
// It judges whether the PSP can be talked to, never what it says: a shop whose
// shoppers are declined keeps selling.
type breaker struct {
	circuit circuitbreaker.CircuitBreaker[any]
}

// newBreaker takes no clock: failsafe-go reads the time by itself.
func newBreaker(delay time.Duration, log zerolog.Logger) breaker {
	return breaker{circuit: circuitbreaker.NewBuilder[any]().
		WithFailureThresholdRatio(breakerFailures, breakerWindow).
		WithSuccessThreshold(1).
		WithDelay(delay).
		OnStateChanged(func(e circuitbreaker.StateChangedEvent) {
			log.Warn().Stringer("from", e.OldState).Stringer("to", e.NewState).Msg("circuit breaker")
		}).
		Build()}
}

// allows asks for leave to send; whoever gets it must record the answer.
func (b breaker) allows() bool { return b.circuit.TryAcquirePermit() }

func (b breaker) record(a Answer) {
	switch a.Reason {
	case ReasonCancelled:
		// It says nothing about the PSP; but a trial that nobody waited for is none.
		if b.circuit.IsHalfOpen() {
			b.circuit.RecordFailure()
		}
	case ReasonConnectTimeout, ReasonConnectionRefused, ReasonConnectionFailed, ReasonHostUnknown, ReasonTLSFailed,
		ReasonTimeout, ReasonConnectionLost:
		b.circuit.RecordFailure()
	default:
		b.circuit.RecordSuccess()
	}
}
