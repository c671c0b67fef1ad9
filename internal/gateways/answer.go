package gateways

import (
	"net/http"

	"github.com/paysvc/paysvc/internal/payment"
)

// Outcome is how an exchange with a PSP ended, before anybody read the answer.
type Outcome string

// The outcomes of an exchange.
const (
	// Answered means that the PSP answered: Status and Body say what.
	Answered Outcome = "answered"
	// NotSent means that provably nothing came of it at the PSP.
	NotSent Outcome = "not_sent"
	// Unknown means that the request may have left and nobody said what became of it.
	Unknown Outcome = "unknown"
)

// The codes of reasons that the transport kit gives.
const (
	ReasonBulkheadFull      = "bulkhead_full"      // too many exchanges under way
	ReasonCircuitOpen       = "circuit_open"       // the PSP does not work at the moment
	ReasonConnectTimeout    = "connect_timeout"    // no connection in time
	ReasonConnectionRefused = "connection_refused" // nobody listens
	ReasonConnectionFailed  = "connection_failed"  // no connection for another reason
	ReasonHostUnknown       = "host_unknown"       // no address
	ReasonTLSFailed         = "tls_failed"         // nobody who proves to be the PSP
	ReasonThrottled         = "throttled"          // the PSP refuses for now (429)
	ReasonTimeout           = "timeout"            // no answer in time
	ReasonCancelled         = "cancelled"          // our own program stopped waiting
	ReasonConnectionLost    = "connection_lost"    // broke before the whole answer was here
	ReasonAnswerTooLarge    = "answer_too_large"   // more than any answer can be
	ReasonRedirected        = "redirected"         // sent elsewhere, where we do not go
	ReasonPSPError          = "psp_error_5xx"      // the PSP failed
	ReasonUnreadableAnswer  = "unreadable_answer"  // words that are not the PSP's
)

var messages = map[string]string{
	ReasonBulkheadFull:      "Too many requests to the payment provider are under way.",
	ReasonCircuitOpen:       "The payment provider cannot be reached at the moment.",
	ReasonConnectTimeout:    "The payment provider could not be reached in time.",
	ReasonConnectionRefused: "The payment provider refused the connection.",
	ReasonConnectionFailed:  "The payment provider could not be reached.",
	ReasonHostUnknown:       "The payment provider's host is not known.",
	ReasonTLSFailed:         "No secure connection to the payment provider could be made.",
	ReasonThrottled:         "The payment provider accepts no more requests for now.",
	ReasonTimeout:           "The payment provider did not answer in time.",
	ReasonCancelled:         "The request was given up before the payment provider answered.",
	ReasonConnectionLost:    "The connection to the payment provider was lost.",
	ReasonAnswerTooLarge:    "The payment provider's answer was too large to be read.",
	ReasonRedirected:        "The payment provider's answer pointed elsewhere.",
	ReasonPSPError:          "The payment provider reported an error of its own.",
	ReasonUnreadableAnswer:  "The payment provider's answer could not be read.",
}

// Answer is what came of an exchange.
type Answer struct {
	Outcome Outcome
	// Reason is the code of why, unless the PSP answered.
	Reason string
	// Status, Header and Body are the PSP's, as far as there are any.
	Status int
	Header http.Header
	Body   []byte
}

// Fact returns the fact that follows from the lack of an answer to a request
// that moves money: not sent, or unknown.
func (a Answer) Fact(reference string) payment.Fact {
	state := payment.Unknown
	if a.Outcome == NotSent {
		state = payment.NotSent
	}
	return payment.Fact{
		Source: payment.SourceAnswer, Reference: reference, State: state,
		Reason: payment.Reason{Code: a.Reason, Message: messages[a.Reason]},
	}
}

// Unreadable returns the answer as one that could not be read: of unknown
// outcome, whatever its status.
func (a Answer) Unreadable() Answer {
	a.Outcome, a.Reason = Unknown, ReasonUnreadableAnswer
	return a
}

// Err returns the error of a question to which there was no answer: nothing was
// learnt. It is of kind unavailable.
func (a Answer) Err() error {
	return payment.Errorf(payment.KindUnavailable, "gateway_unavailable", "the PSP gave no usable answer: %s", a.Reason)
}
