package steps_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
)

// shop is a Poster that answers by itself.
type shop struct {
	reply func(ctx context.Context, m steps.Message) (steps.Reply, error)
	asked []steps.Message
}

func (*shop) CheckURL(raw string) error {
	if !strings.HasPrefix(raw, "https://") {
		return errors.New("must begin with https://")
	}
	return nil
}

func (*shop) CheckSecret(secret string) error {
	if secret != "whsec_ok" {
		return errors.New("must be a secret")
	}
	return nil
}

func (s *shop) Post(ctx context.Context, m steps.Message) (steps.Reply, error) {
	s.asked = append(s.asked, m)
	return s.reply(ctx, m)
}

// says is a shop that answers 200 and a body.
func says(body string) *shop { return answers(200, body) }

func answers(status int, body string) *shop {
	return &shop{reply: func(context.Context, steps.Message) (steps.Reply, error) {
		return steps.Reply{Status: status, Body: []byte(body)}, nil
	}}
}

// journal is a book that keeps what the runner wrote, and can fail a stretch.
type journal struct {
	book
	runs   []*payment.RunRecord
	before func() error
}

func (j *journal) Stretch(
	ctx context.Context, open payment.Opening, work func(*payment.Order) (payment.Closing, error),
) error {
	if j.before != nil {
		if err := j.before(); err != nil {
			return err
		}
	}
	j.order.Staged = payment.Staged{}
	return j.book.Stretch(ctx, open, func(o *payment.Order) (payment.Closing, error) {
		closing, err := work(o)
		if err == nil {
			j.runs = append(j.runs, closing.Runs...)
		}
		return closing, err
	})
}

// asking is a run that asks a shop and then notes that it went on.
type asking struct {
	t       *testing.T
	journal *journal
	req     pipeline.Request
}

func newAsking(t *testing.T, poster steps.Poster, with string) *asking {
	t.Helper()
	step, err := configure("http", httpWith+with, steps.MakerDeps{Poster: poster})
	require.NoError(t, err)
	return asks(t, step)
}

func asks(t *testing.T, step pipeline.Step) *asking {
	t.Helper()
	definitions := steps.Defaults()
	definitions[pipeline.PreProcess] = pipeline.Definition{Name: pipeline.PreProcess, Steps: []pipeline.Use{
		{Name: "ask", Step: "http", Configured: step},
		{Name: "went-on", Step: "note", Configured: configured(t, "note", `text: went on`)},
	}}
	set, err := pipeline.Compile(definitions, library(t, steps.Deps{}))
	require.NoError(t, err)
	require.True(t, set.ReadsAttributes())
	a := &asking{t: t, journal: &journal{book: book{t: t, order: newOrder(t)}}}
	a.journal.order.Attributes = map[string]payment.Attribute{}
	a.req = pipeline.Request{
		Pick:    func(*pipeline.Run) (*pipeline.Pipeline, error) { return set[pipeline.PreProcess], nil },
		Confirm: func(*pipeline.Run) (*pipeline.Pipeline, error) { return set[pipeline.Confirm], nil },
		Prepare: func(run *pipeline.Run) error {
			run.Payment = run.Order.OpenPayment("card", "sandbox", "shop", payment.ModeTest, run.Order.Due(), run.At)
			return nil
		},
	}
	return a
}

func (a *asking) run() error {
	_, err := pipeline.NewRunner(a.journal, idsAt(noon), noon).Execute(a.t.Context(), a.req)
	return err
}

// notes are those of the last stretch.
func (a *asking) notes() []string {
	var texts []string
	for _, n := range a.journal.order.Staged.Notes {
		texts = append(texts, n.Author+": "+n.Text)
	}
	return texts
}

func TestTheShopLetsTheRunGoOn(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*shop{
		"yes": says(`{"decision": "continue"}`), "no body": says(" \n"), "204": answers(204, ""), "201": answers(201, ""),
	} {
		a := newAsking(t, s, "")
		require.NoError(t, a.run(), name)
		require.Equal(t, []string{"system: went on"}, a.notes(), name)
		require.Equal(t, 5*time.Second, s.asked[0].Timeout)
		require.Equal(t, "https://shop.example/hook", s.asked[0].URL)
		require.Equal(t, "whsec_ok", s.asked[0].Secret.Reveal())
	}
}

func TestTheQuestionHoldsTheOrderAndNobodysName(t *testing.T) {
	t.Parallel()
	s := says("")
	a := newAsking(t, s, "timeout: 30s")
	o := a.journal.order
	o.Customer = payment.Customer{ID: "c-7", Email: "ada@example.org", Name: "Ada Private", IP: "192.0.2.9", Phone: "+49 30 1"}
	o.BillingAddress = payment.Address{Name: "Ada Private", Line1: "Secret Street", City: "Berlin", Country: "DE"}
	o.ShippingAddress.Country = "CH"
	o.Metadata = map[string]string{"channel": "app"}
	o.Attributes["risk"] = payment.Attribute{Key: "risk", Value: []byte(`{"score": 1.50, "score": 2}`)}
	o.Attributes["large"] = payment.Attribute{Key: "large", Value: []byte(`"` + strings.Repeat("x", 5000) + `"`)}
	require.NoError(t, a.run())
	require.Equal(t, 30*time.Second, s.asked[0].Timeout)
	id, step, found := strings.Cut(s.asked[0].ID, "/")
	require.True(t, found)
	require.Equal(t, "ask", step)
	require.Equal(t, `{"type":"pipeline.step","step":"ask","run":"`+id+`","order":{"id":"`+o.ID.String()+`","number":"1001",`+
		`"store":"demo","currency":"EUR","total":"10.00","due":"10.00","status":"pending","payment_status":"pending",`+
		`"customer_id":"c-7","billing_country":"DE","shipping_country":"CH","lines":[{"sku":"SKU-1","quantity":1}],`+
		`"metadata":{"channel":"app"},"attributes":{"risk":{"score":1.50,"score":2}}},`+
		`"payment":{"id":"`+payment.PaymentID{Order: o.ID, N: o.Payments[0].N}.String()+`","amount":"10.00","fee":"0.00",`+
		`"status":"pending","mode":"test"},"method":{"name":"card","gateway":"sandbox","account":"shop"}}`, string(s.asked[0].Body))
}

func TestTheQuestionHoldsTheFactThatTheRunIsAbout(t *testing.T) {
	t.Parallel()
	s := says("")
	a := newAsking(t, s, "")
	a.req.Prepare = nil
	p := begin(a.journal.order, payment.AuthorizeAndCapture)
	a.req.Facts = []payment.Fact{{Source: payment.SourceNotification, Reference: reference, State: payment.Declined,
		Reason: payment.Reason{Code: "expired_card"}}}
	require.NoError(t, a.run())
	require.Equal(t, payment.StatusFailed, p.Status)
	require.Contains(t, string(s.asked[0].Body), `"fact":{"state":"declined","type":"authorize_and_capture",`+
		`"source":"notification","amount":"10.00","reason":"expired_card","changed":true,"mismatch":false}`)
}

func TestTheShopRefusesAPayment(t *testing.T) {
	t.Parallel()
	for body, message := range map[string]string{
		`{"decision": "reject"}`:                                                "the store refuses the payment",
		`{"decision": "reject", "message": "Too many\n today. "}`:               "Too many today.",
		`{"decision": "reject", "message": "a\u0000\u202e b"}`:                  "a b",
		`{"decision": "reject", "message": "` + strings.Repeat("ä", 400) + `"}`: strings.Repeat("ä", 299) + "…",
	} {
		a := newAsking(t, says(body), "on_failure: continue")
		var refusal *payment.Error
		require.ErrorAs(t, a.run(), &refusal)
		require.Equal(t, payment.KindInvalid, refusal.Kind)
		require.Equal(t, "rejected_by_store", refusal.Code)
		require.Equal(t, message, refusal.Message)
		require.Empty(t, refusal.Fields)
		require.NotContains(t, a.notes(), "system: went on")
	}
	a := newAsking(t, says(`{"decision": "reject", "code": "limit", "message": "Too much.", "attributes": {}}`), "")
	var refusal *payment.Error
	require.ErrorAs(t, a.run(), &refusal)
	require.Equal(t, payment.Reason{Code: "limit", Message: "Too much."}, refusal.Why)
}

func TestTheShopSetsAttributesAndLeavesANote(t *testing.T) {
	t.Parallel()
	a := newAsking(t, says(`{"decision":"continue","note":"Checked by\tAnn","attributes":{"tier":"gold","risk.score": 1.50,"risk.by":{"a":[]}}}`),
		"attributes: [tier, risk.*]")
	require.NoError(t, a.run())
	o := a.journal.order
	require.Equal(t, `1.50`, string(o.Attributes["risk.score"].Value))
	require.Equal(t, `"gold"`, string(o.Attributes["tier"].Value))
	require.Len(t, o.Staged.Attributes, 3)
	require.Equal(t, []string{"store: Checked by Ann", "system: went on"}, a.notes())
}

// silence is a shop that gives no usable answer, and why.
type silence struct {
	*shop
	why string
}

func silences() []silence {
	many := make([]string, 51)
	for i := range many {
		many[i] = fmt.Sprintf(`"risk.%d":1`, i)
	}
	setting := func(attributes string) *shop {
		return says(`{"decision":"continue","attributes":{` + attributes + `}}`)
	}
	garbage := "the answer is not the JSON that was asked for"
	return []silence{
		{&shop{reply: func(context.Context, steps.Message) (steps.Reply, error) {
			return steps.Reply{}, errors.New("the receiver took too long")
		}}, "the receiver took too long"},
		{&shop{reply: func(context.Context, steps.Message) (steps.Reply, error) {
			return steps.Reply{Status: 200, Body: []byte(`{"decision":"continue"}`), Cut: true}, nil
		}}, "the answer is too large"},
		{answers(500, `{"decision":"continue"}`), "the answer has the status 500"},
		{answers(302, ``), "the answer has the status 302"},
		{answers(404, ``), "the answer has the status 404"},
		{says(`<html>SECRET</html>`), garbage},
		{says(`{"decision":"continue","SECRET":1}`), garbage},
		{says(`{"Decision":"continue"}`), garbage},
		{says(`{"decision":"continue","decision":"continue"}`), garbage},
		{says(`{"decision":"continue"} {"decision":"reject"}`), garbage},
		{says("{\"decision\":\"continue\",\"note\":\"\xff\"}"), garbage},
		{says(`["continue"]`), garbage},
		{says(`{"decision":7}`), garbage},
		{says(strings.Repeat(`{"attributes":`, 9000)), garbage},
		{says(`{"decision":"SECRET"}`), "the answer decides neither continue nor reject"},
		{says(`{}`), "the answer decides neither continue nor reject"},
		{says(`null`), "the answer decides neither continue nor reject"},
		{setting(`"SECRET":1`), "the answer sets an attribute that the step's configuration does not allow"},
		{setting(`"riskSECRET":1`), "the answer sets an attribute that the step's configuration does not allow"},
		{setting(`"risk.a b":1`), "an attribute's key has"},
		{setting(`"risk.a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40)), "an attribute's value is"},
		{setting(strings.Join(many, ",")), "the answer sets more than 50 attributes"},
	}
}

func TestWithoutAnAnswerNoPaymentIsBegun(t *testing.T) {
	t.Parallel()
	for _, s := range silences() {
		a := newAsking(t, s, "attributes: [risk.*]")
		var refusal *payment.Error
		require.ErrorAs(t, a.run(), &refusal, s.why)
		require.Equal(t, payment.KindUnavailable, refusal.Kind, s.why)
		require.NotContains(t, refusal.Error(), "SECRET")
		require.Empty(t, a.journal.order.Staged.Attributes, s.why)
		last := a.journal.runs[len(a.journal.runs)-1]
		require.Equal(t, payment.RunFailed, last.State)
		require.Contains(t, last.Error, s.why, "the journal knows more")
		require.NotContains(t, last.Error, "SECRET")
		require.Equal(t, payment.StatusFailed, a.journal.order.Payments[0].Status)
	}
}

func TestWithoutAnAnswerTheRunGoesOnWhereTheShopWantsThat(t *testing.T) {
	t.Parallel()
	for _, s := range silences() {
		a := newAsking(t, s, "on_failure: continue\nattributes: [risk.*]")
		require.NoError(t, a.run(), s.why)
		notes := a.notes()
		require.Len(t, notes, 2, s.why)
		require.Contains(t, notes[0], "The store was not heard before the run went on: "+s.why)
		require.NotContains(t, notes[0], "SECRET")
	}
}

// Money that moved is not refused for a shop that is down: the run is tried again.
func TestWithoutAnAnswerARunAboutAFactIsTriedAgain(t *testing.T) {
	t.Parallel()
	a := newAsking(t, answers(503, ""), "")
	a.req.Prepare, a.req.Retry = nil, true
	begin(a.journal.order, payment.AuthorizeAndCapture)
	a.req.Facts = []payment.Fact{{Source: payment.SourceInquiry, Reference: reference, State: payment.Approved}}
	err := a.run()
	require.ErrorContains(t, err, "the answer has the status 503")
	require.Equal(t, payment.KindInternal, payment.KindOf(err), "no refusal")
	last := a.journal.runs[len(a.journal.runs)-1]
	require.Equal(t, payment.RunFailed, last.State)
	require.False(t, last.DueAt.IsZero(), "a job tries again")
	require.True(t, a.journal.order.Covered())
}

func TestAnOrderThatTakesNoMoreAttributesIsAFailure(t *testing.T) {
	t.Parallel()
	a := newAsking(t, says(`{"decision":"continue","attributes":{"risk.new":1}}`), "attributes: [risk.*]")
	for i := range 200 {
		a.journal.order.Attributes[fmt.Sprint(i)] = payment.Attribute{}
	}
	require.Equal(t, "store_unavailable", payment.CodeOf(a.run()))
}

// A slow shop is given up when its time is over, whoever waits for the run.
func TestASlowShopIsGivenUp(t *testing.T) {
	t.Parallel()
	s := &shop{reply: func(ctx context.Context, m steps.Message) (steps.Reply, error) {
		deadline, bounded := ctx.Deadline()
		if !bounded || time.Until(deadline) > 90*time.Second {
			return steps.Reply{}, errors.New("unbounded")
		}
		return steps.Reply{}, fmt.Errorf("not within %s", m.Timeout)
	}}
	a := newAsking(t, s, "timeout: 250ms\non_failure: continue")
	require.NoError(t, a.run())
	require.Contains(t, a.notes()[0], "not within 250ms")
}

// After a crash nobody knows whether the shop was asked: it is asked again, under
// the same id.
func TestAfterACrashTheShopIsAskedAgainUnderTheSameID(t *testing.T) {
	t.Parallel()
	s := says(`{"decision":"continue","attributes":{"risk.a":1}}`)
	a := newAsking(t, s, "attributes: [risk.*]")
	stretches, gone := 0, errors.New("the process is gone")
	a.journal.before = func() error {
		if stretches++; stretches == 2 {
			return gone
		}
		return nil
	}
	require.ErrorIs(t, a.run(), gone)
	calling := a.journal.runs[len(a.journal.runs)-1]
	require.Equal(t, payment.RunCalling, calling.State)
	a.req.Resume, a.req.Prepare, a.req.Retry = calling, nil, true
	a.req.Open = payment.Opening{Order: a.journal.order.ID, Journal: calling, Attributes: true}
	require.NoError(t, a.run())
	require.Len(t, s.asked, 2)
	require.Equal(t, s.asked[0].ID, s.asked[1].ID)
	require.Contains(t, a.journal.order.Attributes, "risk.a")
	require.Equal(t, payment.RunDone, a.journal.runs[len(a.journal.runs)-1].State)
}

func TestTheSecretIsNowhereToBeSeen(t *testing.T) {
	t.Parallel()
	step := configured(t, "http", httpWith)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		require.NotContains(t, fmt.Sprintf(verb, step), "whsec_ok")
	}
}
