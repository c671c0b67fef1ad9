package moments_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	simulated "github.com/paysvc/paysvc/internal/gateways/sandbox"
	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/settings"
)

// keeping is a gateway whose PSP releases nothing along with a capture, and answers
// captures of some amounts as it likes: what it did is told by its notifications, and
// to who asks.
type keeping struct {
	*simulated.Gateway
	void    bool // what a capture left can be voided
	answers map[string]payment.State
}

func (g *keeping) Describe() gateways.Description {
	d := g.Gateway.Describe()
	for name, m := range d.Methods {
		m.Capabilities.ReleasesRest, m.Capabilities.VoidRest = false, g.void
		d.Methods[name] = m
	}
	return d
}

func (g *keeping) Capture(ctx context.Context, r payment.OperationRequest) []payment.Fact {
	r.Final = false
	facts := g.Gateway.Capture(ctx, r)
	if state, ok := g.answers[r.Amount.String()]; ok {
		return []payment.Fact{{Reference: r.Reference, State: state}}
	}
	return facts
}

// keeping puts such a gateway in force, and returns an order of 129.95 of which all is
// reserved.
func (b *bundle) keeping(void bool, answers map[string]payment.State) *payment.Order {
	b.t.Helper()
	b.gateway = func(g gateways.Gateway) gateways.Gateway {
		if simulator, ok := g.(*simulated.Gateway); ok {
			return &keeping{simulator, void, answers}
		}
		return g
	}
	b.reload(string(settings.Demo()))
	o := b.order(plain)
	_, err := b.pay(o, "card-manual", "approve")
	require.NoError(b.t, err)
	return o
}

// answers are those of a PSP to a capture of 29.95: true to what it did, or open.
func answers() map[string]map[string]payment.State {
	return map[string]map[string]payment.State{
		"told at once": nil, "pending": {"29.95": payment.Pending}, "unknown": {"29.95": payment.Unknown},
	}
}

// capture captures a part of the order's payment, perhaps as the last.
func (b *bundle) capture(o *payment.Order, amount, scenario string, final bool) string {
	b.t.Helper()
	answer, err := b.operate(o, 0, moments.OperateCommand{
		Action: payment.ActCapture, Amount: some(amount), Final: final, Data: []byte(`{"scenario":"` + scenario + `"}`),
	})
	require.NoError(b.t, err)
	return string(answer.Body)
}

// notified has the PSP tell in a notification how the order's payment stands.
func (b *bundle) notified(o *payment.Order) {
	b.t.Helper()
	b.control(http.MethodPost, "/sandbox/payments/"+b.read(o).Payments[0].Initial().Reference+"/notify", `{"event":"authorized"}`)
}

// released returns what the PSP let go of the order's money, and how we hold it: its
// sums, and whether more is to be released.
func (b *bundle) released(o *payment.Order) (psp []string, ours string) {
	b.t.Helper()
	var ledger []operation
	p := b.read(o).Payments[0]
	require.NoError(b.t, json.Unmarshal(b.control(http.MethodGet, "/sandbox/operations?reference="+p.Initial().Reference, ""), &ledger))
	for _, op := range ledger {
		if op.Operation == "void" {
			psp = append(psp, op.State+" "+op.Amount)
		}
	}
	return psp, strings.Join([]string{p.Sums.Captured.String(), p.Sums.Voided.String(), p.Sums.Reserved().String()}, " ")
}

// hears has everything be told that can be, each thing twice, and does what the jobs
// do about it.
func (b *bundle) hears(o *payment.Order) {
	b.t.Helper()
	for range 2 {
		b.notified(o)
		b.giveBackAll()
		b.sweep()
		b.giveBackAll()
	}
}

// With the last capture the rest is released, whenever and by whomever it is told that
// the capture was made, once.
func TestTheLastCaptureReleasesTheRestWheneverItIsApproved(t *testing.T) {
	t.Parallel()
	for told, answer := range answers() {
		for by, learn := range map[string]func(b *bundle, o *payment.Order){
			"a notification": (*bundle).notified, "an inquiry": func(b *bundle, _ *payment.Order) { b.sweep() },
		} {
			t.Run(told+", then by "+by, func(t *testing.T) {
				t.Parallel()
				b := setup(t)
				o := b.keeping(true, answer)
				b.capture(o, "29.95", "approve", true)
				psp, ours := b.released(o)
				if answer != nil {
					require.Empty(t, psp, "nobody knows yet: it is still wanted")
					require.Equal(t, "0.00 0.00 129.95", ours)
					learn(b, o)
					b.giveBackAll()
					psp, ours = b.released(o)
				}
				require.Equal(t, []string{"approved 100.00"}, psp)
				require.Equal(t, "29.95 100.00 0.00", ours)
				b.hears(o)
				psp, ours = b.released(o)
				require.Equal(t, []string{"approved 100.00"}, psp, "once")
				require.Equal(t, "29.95 100.00 0.00", ours)
				require.Empty(t, b.openCases(o))
				require.Equal(t, payment.OrderProcessing, b.read(o).Saved.Status)
			})
		}
	}
}

// A PSP that cannot release a part keeps it until it lapses: people are told, once.
func TestWhatAPSPCannotReleaseIsReportedAsHeldWheneverTheCaptureIsApproved(t *testing.T) {
	t.Parallel()
	for told, answer := range answers() {
		b := setup(t)
		o := b.keeping(false, answer)
		b.capture(o, "29.95", "approve", true)
		b.hears(o)
		psp, ours := b.released(o)
		require.Empty(t, psp, told)
		require.Equal(t, "29.95 0.00 100.00", ours, told)
		lines, err := b.store.Timeline(t.Context(), "demo", o.ID, 100)
		require.NoError(t, err)
		said := 0
		for _, line := range lines {
			if line.Note != nil && strings.HasPrefix(line.Note.Text, "The capture was the last: 100.00 EUR stay reserved") {
				said++
			}
		}
		require.Equal(t, 1, said, told)
	}
}

// What was not captured is still wanted, and may be captured yet.
func TestALastCaptureThatIsDeclinedReleasesNothing(t *testing.T) {
	t.Parallel()
	for told, answer := range answers() {
		b := setup(t)
		o := b.keeping(true, answer)
		b.capture(o, "29.95", "decline", true)
		b.hears(o)
		psp, ours := b.released(o)
		require.Empty(t, psp, told)
		require.Equal(t, "0.00 0.00 129.95", ours, told)
		require.Nil(t, b.read(o).Payments[0].Release, told)
		require.Equal(t, "approved", b.capture(o, "129.95", "approve", false), told)
	}
}

// The PSP lets go of the rest by itself, since it lapsed: nothing is left to release.
func TestARestThatThePSPLetsGoIsNotReleasedAgain(t *testing.T) {
	t.Parallel()
	for name, happens := range map[string]func(b *bundle, lapse, learn func()){
		"before the capture is known": func(_ *bundle, lapse, learn func()) { lapse(); learn() },
		"before the release is sent":  func(_ *bundle, lapse, learn func()) { learn(); lapse() },
		"and nobody is told of it": func(b *bundle, lapse, learn func()) {
			b.deaf.Store(true)
			lapse()
			b.deaf.Store(false)
			learn()
		},
	} {
		b := setup(t)
		o := b.keeping(true, answers()["unknown"])
		b.capture(o, "29.95", "approve", true)
		reference := b.reference(o)
		happens(b, func() {
			b.control(http.MethodPost, "/sandbox/payments/"+reference+"/notify", `{"event":"expired"}`)
		}, func() { b.notified(o) })
		b.hears(o)
		psp, ours := b.released(o)
		require.Equal(t, []string{"approved 100.00"}, psp, name)
		require.Equal(t, "29.95 100.00 0.00", ours, name)
		require.Empty(t, b.openCases(o), name)
	}
}

// A merchant voids, and everybody hears of the capture at once: the rest is let go once.
func TestTheRestIsReleasedOnceWhateverRacesForIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.keeping(true, answers()["pending"])
	b.capture(o, "29.95", "approve", true)
	void := func() string {
		_, err := b.operate(o, 0, moments.OperateCommand{Action: payment.ActVoid})
		refused, _ := errors.AsType[*payment.Error](err)
		return refused.Why.Code
	}
	require.Equal(t, "operation_in_progress", void())
	capture := b.read(o).Payments[0].Transactions[1]
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() { b.notified(o); b.giveBackAll() })
		group.Go(func() {
			assert.NoError(t, b.Inquire(t.Context(), "demo", payment.TransactionID{Order: o.ID, N: capture.N}))
			b.giveBackAll()
		})
	}
	group.Wait()
	b.hears(o)
	require.NotEmpty(t, void())
	psp, ours := b.released(o)
	require.Equal(t, []string{"approved 100.00"}, psp)
	require.Equal(t, "29.95 100.00 0.00", ours)
	require.Empty(t, b.openCases(o))
}

// Of several shipments the last leaves what none of them took; the money of one that
// is still under way is not let go before that is decided.
func TestTheLastOfSeveralCapturesReleasesWhatAllOfThemLeave(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		open    map[string]payment.State
		another string // scenario of a capture of 10.00 before the last
		ours    string
		voided  string
	}{
		"all are told at once":           {nil, "approve", "69.95 60.00 0.00", "60.00"},
		"the last is told later":         {map[string]payment.State{"30.00": payment.Pending}, "approve", "69.95 60.00 0.00", "60.00"},
		"an earlier one is told later":   {map[string]payment.State{"10.00": payment.Pending}, "approve", "69.95 60.00 0.00", "60.00"},
		"an earlier one is declined":     {map[string]payment.State{"10.00": payment.Pending}, "decline", "59.95 70.00 0.00", "70.00"},
		"an earlier and the last, later": {map[string]payment.State{"10.00": payment.Pending, "30.00": payment.Pending}, "decline", "59.95 70.00 0.00", "70.00"},
	} {
		b := setup(t)
		o := b.keeping(true, c.open)
		b.capture(o, "29.95", "approve", false)
		b.capture(o, "10.00", c.another, false)
		psp, _ := b.released(o)
		require.Empty(t, psp, "%s: others follow", name)
		b.capture(o, "30.00", "approve", true)
		b.hears(o)
		psp, ours := b.released(o)
		require.Equal(t, []string{"approved " + c.voided}, psp, name)
		require.Equal(t, c.ours, ours, name)
		require.Empty(t, b.openCases(o), name)
	}
}

// The instance that captured dies before, or right after, it has written down what it
// heard.
func TestTheRestIsReleasedThoughTheInstanceThatCapturedIsGone(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		b := setup(t)
		o := b.keeping(true, nil)
		living := b.Service
		dying, book := b.instance(string(settings.Demo()), 2, after)
		b.Service = dying
		_, _ = b.operate(o, 0, moments.OperateCommand{Action: payment.ActCapture, Amount: some("29.95"), Final: true})
		require.True(t, book.dead)
		b.Service = living
		b.hears(o)
		psp, ours := b.released(o)
		require.Equal(t, []string{"approved 100.00"}, psp)
		require.Equal(t, "29.95 100.00 0.00", ours)
	}
}
