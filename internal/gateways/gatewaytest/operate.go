package gatewaytest

import (
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

const (
	operationReference = "01K3SV1TEREFERENCE01"
	captureReference   = "01K3SV1TEREFERENCE02"
	// impatience is of a gateway that gets no answer: only connecting must be quicker.
	impatience = 300 * time.Millisecond
)

// kinds are what can be done with a payment, by the names of their tests.
var kinds = map[string]payment.Type{
	"capture": payment.Capture, "refund": payment.Refund, "void": payment.Void, "increase": payment.Authorize,
}

// methodsFor returns the methods that claim the type, in order.
func methodsFor(g gateways.Gateway, typ payment.Type) (names []string) {
	for name, m := range g.Describe().Methods {
		claimed := map[payment.Type]bool{
			payment.Capture: m.Capabilities.Capture, payment.Refund: m.Capabilities.Refund,
			payment.Void: m.Capabilities.Void, payment.Authorize: m.Capabilities.Increase,
		}[typ]
		if claimed {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// job is something to be done with a payment that was begun and approved.
type job struct {
	*rig
	suite   *suite
	psp     *atomic.Pointer[http.HandlerFunc]
	order   *payment.Order
	payment *payment.Payment
	request payment.OperationRequest
	// says is what the PSP says when all is well.
	says OperationSays
}

// plan is what is to be done, and after what.
type plan struct {
	typ      payment.Type
	method   string
	minor    int64
	captured int64 // before
	final    bool
}

// planOf is the whole of it: all that is there, by the first method.
func planOf(g gateways.Gateway, typ payment.Type) plan {
	p := plan{typ: typ, method: methodsFor(g, typ)[0], minor: 12995}
	if typ == payment.Refund && g.Describe().Methods[p.method].AuthorizeOnly {
		p.captured = 12995
	}
	return p
}

// undertake begins the payment, does what comes before, and announces the
// operation.
func (s *suite) undertake(t *testing.T, p plan) *job {
	t.Helper()
	j := &job{suite: s, psp: &atomic.Pointer[http.HandlerFunc]{}}
	j.rig = s.connect(t, func(w http.ResponseWriter, r *http.Request) { (*j.psp.Load())(w, r) })
	of := says(payment.Approved)
	of.Capture = !j.gateway.Describe().Methods[p.method].AuthorizeOnly
	j.plays(s.answering(of))
	j.order = order()
	j.payment = j.order.OpenPayment(p.method, s.Name, account, payment.ModeTest, j.order.Total, now)
	j.order.Announce(j.payment, payment.PayRequest{Capture: of.Capture}.Type(), reference, j.order.Total, now, now)
	j.record(t, s.pay(t, j.gateway, p.method))
	j.says = OperationSays{Of: of}
	if p.captured > 0 {
		j.announce(payment.Capture, captureReference, p.captured, false)
		j.answers(j.says)
		j.record(t, j.do(t)...)
		j.says = OperationSays{Of: of, Before: []OperationSays{j.says}}
		j.does.Store(0)
	}
	j.announce(p.typ, operationReference, p.minor, p.final)
	return j
}

// announce makes the request, and what the PSP says of it when all is well.
func (j *job) announce(typ payment.Type, reference string, minor int64, final bool) {
	j.says.Type, j.says.Reference, j.says.State, j.says.Amount, j.says.Final = typ, reference, payment.Approved, amount(minor, "EUR"), final
	j.request = payment.OperationRequest{
		Type: typ, Reference: reference, Amount: j.says.Amount, Final: final, Reason: "requested_by_customer",
		Method: j.payment.Method, Order: j.order, Payment: j.payment, NotifyURL: "https://shop.example/confirm/x/y?token=" + canary,
	}
	j.order.Announce(j.payment, typ, reference, j.says.Amount, now, now)
}

// plays makes the PSP behave so from now on.
func (j *job) plays(psp http.HandlerFunc) { j.psp.Store(&psp) }

// waits opens the gateway again, with this time-out.
func (j *job) waits(t *testing.T, timeout time.Duration) {
	t.Helper()
	set := settings(j.url)
	set.Timeout = timeout
	j.gateway = j.suite.open(t, set)
}

// answers makes the PSP say this from now on.
func (j *job) answers(says OperationSays) {
	j.plays(func(w http.ResponseWriter, r *http.Request) { j.suite.PSP.Operations.Answer(w, r, says) })
}

// do makes the gateway do it.
func (j *job) do(t *testing.T) []payment.Fact {
	t.Helper()
	facts := within(t, func() []payment.Fact { return gateways.OperationOf(j.gateway, j.request.Type)(t.Context(), j.request) })
	require.NotEmpty(t, facts, "there is always something to tell")
	require.Equal(t, j.request.Reference, facts[0].Reference, "the first fact is about the request")
	require.Contains(t, []payment.Type{"", j.request.Type}, facts[0].Type)
	require.True(t, facts[0].State.Known(), "the fact has a state")
	return facts
}

// ask asks what became of it.
func (j *job) ask(t *testing.T) told {
	t.Helper()
	return within(t, func() told {
		facts, err := j.gateway.(gateways.Inquirer).Inquire(t.Context(), payment.Inquiry{
			Reference: j.request.Reference, Type: j.request.Type, Amount: j.request.Amount,
			Initial: *j.payment.Initial(), CreatedAt: now,
		})
		return told{facts, err}
	})
}

// notified returns the facts of a notification about it.
func (j *job) notified(t *testing.T, says OperationSays) []payment.Fact {
	t.Helper()
	raw := j.suite.PSP.Sign(j.suite.PSP.Operations.Notification(says, eventID), webhookSecret, now)
	n, err := j.gateway.(gateways.NotificationReader).ReadNotification(t.Context(), raw)
	require.NoError(t, err)
	return n.Facts
}

func (j *job) record(t *testing.T, facts ...payment.Fact) {
	t.Helper()
	for _, f := range facts {
		_, err := j.order.Record(f, now)
		require.NoError(t, err)
	}
}

// transaction is that of the operation.
func (j *job) transaction(t *testing.T) *payment.Transaction {
	t.Helper()
	_, tx := j.order.TransactionByReference(j.request.Reference)
	require.NotNil(t, tx)
	return tx
}
