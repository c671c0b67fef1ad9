// Package gatewaytest is the conformance suite that every gateway passes. It
// plays a PSP over a real connection: one that behaves, in the words that the
// gateway's harness lends it, and one that does everything a PSP must not do.
// What it asserts are the promises of package gateways, on which the engine
// builds: what may have left is unknown, what is unknown is never guessed, and a
// message that proves nothing says nothing.
//
// A package that runs it checks for leaked goroutines in its TestMain, with
// goleak.VerifyTestMain.
package gatewaytest

import (
	"net/http"
	"testing"
	"time"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// Harness is what the suite needs to know of a gateway.
type Harness struct {
	Name string
	// Open opens the gateway under test with the settings.
	Open func(d gateways.Deps, s Settings) (gateways.Gateway, error)
	// Request changes a request into one that the gateway takes; nil leaves it.
	Request func(r payment.PayRequest) payment.PayRequest
	// PSP lends the PSP's words; nil for a gateway without one.
	PSP *PSP
}

// Settings are an account's settings as far as the suite decides about them.
type Settings struct {
	BaseURL        string
	APIKey         gateways.Secret
	WebhookSecrets []gateways.Secret
	// Timeout bounds an exchange; the gateway must keep to it.
	Timeout time.Duration
}

// PSP speaks the language of one PSP.
type PSP struct {
	// Pays tells a request to pay from a question about one.
	Pays func(r *http.Request) bool
	// Answer answers any request of the gateway with what is said of the payment.
	Answer func(w http.ResponseWriter, r *http.Request, says Says)
	// NotFound answers an inquiry about a payment that the PSP does not know.
	NotFound http.HandlerFunc
	// Notification returns the body of a notification with this event id.
	Notification func(says Says, eventID string) []byte
	// UnknownEvent returns the body of a notification about something that the
	// gateway has never heard of.
	UnknownEvent func(eventID string) []byte
	// Sign wraps a body as the PSP does with this secret at that time.
	Sign func(body []byte, secret gateways.Secret, at time.Time) payment.RawNotification
	// SignedHeaders are the header fields that hold the proof.
	SignedHeaders []string
	// Tolerance is how old a notification may be; 0 for a PSP that signs no time.
	Tolerance time.Duration
	// NamesNoAccount and NamesNoMode are of a PSP whose answers leave that out.
	NamesNoAccount bool
	NamesNoMode    bool
	// Operations lends the words for what is done with a payment; nil for a gateway
	// that does nothing with one.
	Operations *Operations
}

// Says is what the PSP says of a payment.
type Says struct {
	Reference string
	State     payment.State
	Capture   bool
	Amount    payment.Money
	Mode      payment.Mode
	// Account is "" for the account that the gateway was opened for.
	Account string
	// Bare leaves out everything that tells what the answer is about.
	Bare bool
}

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	t.Helper()
	s := &suite{Harness: h, logs: &logs{}}
	t.Cleanup(func() { s.logs.hold(t) })
	t.Run("describes itself", s.testDescription)
	t.Run("keeps its secrets", s.testSecrets)
	if h.PSP == nil {
		t.Run("decides at once", s.testDecision)
		return
	}
	t.Run("pay", s.testPay)
	t.Run("pay a PSP that misbehaves", s.testPayMisbehaved)
	t.Run("pay a PSP that echoes wrongly", s.testPayWrongEcho)
	t.Run("inquire", s.testInquire)
	t.Run("close", s.testClose)
	t.Run("notification", s.testNotification)
	t.Run("forged notification", s.testForgery)
	t.Run("genuine but wrong notification", s.testGenuineButWrong)
	t.Run("list", s.testList)
	s.testOperations(t)
}
