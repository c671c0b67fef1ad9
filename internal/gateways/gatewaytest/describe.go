package gatewaytest

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

var kebab = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

func (s *suite) testDescription(t *testing.T) {
	t.Parallel()
	g := s.open(t, settings("http://127.0.0.1:1"))
	d := g.Describe()
	require.Equal(t, s.Name, d.Name)
	require.Regexp(t, kebab, d.Name)
	require.Equal(t, d, g.Describe(), "it says the same each time")
	require.NotEmpty(t, d.Methods)

	_, pays := g.(gateways.Payer)
	_, decides := g.(gateways.Decider)
	_, inquires := g.(gateways.Inquirer)
	require.NotEqual(t, pays, decides, "it either calls a PSP or decides by itself")
	require.Equal(t, s.PSP != nil, pays)
	require.Equal(t, pays, inquires, "what can be unknown can be asked about")
	require.Equal(t, pays, d.Finality > 0, "and one day no such payment means so")

	for name, m := range d.Methods {
		require.Regexp(t, kebab, name)
		require.NotEmpty(t, m.Title)
		require.Contains(t, []gateways.MethodType{
			gateways.Standard, gateways.Redirection, gateways.Button,
			gateways.StandardAndButton, gateways.StandardAndRedirection,
		}, m.Type)
		c := m.Capabilities
		require.Contains(t, []string{
			gateways.RecurringNotSupported, gateways.RecurringManual, gateways.RecurringAutomatic,
		}, c.Recurring)
		require.False(t, c.PartialCapture && !c.Capture || c.MultipleCaptures && !c.PartialCapture, "part of nothing")
		require.False(t, c.PartialRefund && !c.Refund, "part of nothing")
		require.False(t, c.ReleasesRest && !c.Capture || c.VoidRest && !c.Void, "the rest of nothing")
		require.False(t, c.Increase && !m.AuthorizeOnly, "nothing is reserved that could be more")
	}
	requireHonest(t, g, d)
}

// requireHonest tells that the gateway can do what its methods claim, and claims
// what it can. What a gateway without a PSP claims is done on an operator's word;
// there is nobody whom it could ask to reserve more.
func requireHonest(t *testing.T, g gateways.Gateway, d gateways.Description) {
	t.Helper()
	_, captures := g.(gateways.Capturer)
	_, refunds := g.(gateways.Refunder)
	_, voids := g.(gateways.Voider)
	_, increases := g.(gateways.Increaser)
	_, decides := g.(gateways.Decider)
	claims := func(claim func(c gateways.Capabilities) bool) bool {
		for _, m := range d.Methods {
			if claim(m.Capabilities) {
				return true
			}
		}
		return false
	}
	for what, has := range map[string]struct{ able, claimed, byWord bool }{
		"captures":  {captures, claims(func(c gateways.Capabilities) bool { return c.Capture }), decides},
		"refunds":   {refunds, claims(func(c gateways.Capabilities) bool { return c.Refund }), decides},
		"voids":     {voids, claims(func(c gateways.Capabilities) bool { return c.Void }), decides},
		"increases": {increases, claims(func(c gateways.Capabilities) bool { return c.Increase }), false},
	} {
		require.False(t, has.claimed && !has.able && !has.byWord, "a method claims %s that the gateway cannot make", what)
		require.False(t, has.able && !has.claimed, "no method claims the %s that the gateway can make", what)
	}
}

// testSecrets prints the gateway in all the ways that somebody may by accident.
func (s *suite) testSecrets(t *testing.T) {
	t.Parallel()
	// Printing reads everything, so nothing here is shared with other tests.
	g, err := s.Open(gateways.Deps{
		Account: account, Mode: payment.ModeTest, Now: func() time.Time { return now }, Log: zerolog.Nop(),
	}, settings("http://127.0.0.1:1"))
	require.NoError(t, err)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
		require.NotContains(t, fmt.Sprintf(format, g), canary, "printing the gateway prints a secret")
	}
}

func (s *suite) testDecision(t *testing.T) {
	t.Parallel()
	g := s.open(t, settings(""))
	for name, m := range g.Describe().Methods {
		r := s.request(name, !m.AuthorizeOnly)
		f := g.(gateways.Decider).Decide(r)
		require.Equal(t, payment.SourceGateway, f.Source)
		require.Equal(t, r.Reference, f.Reference)
		require.Contains(t, []payment.State{payment.Approved, payment.Pending, payment.Declined}, f.State)
		require.True(t, f.Amount != nil && f.Amount.Equal(r.Amount), "it decides about what was asked")
		require.Equal(t, account, f.Account)
		require.Equal(t, f, g.(gateways.Decider).Decide(r), "it decides the same each time")
		require.Equal(t, s.request(name, !m.AuthorizeOnly), r, "it changes neither request nor order")
	}
}
