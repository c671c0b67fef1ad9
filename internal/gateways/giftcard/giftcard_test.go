package giftcard_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

func TestAGiftCardPaysAndIsGivenItsMoneyBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id, code := b.issue("demo", eur("50.00"))
	o, request := b.order(strings.ToLower(code.Reveal()), eur("20.00"))
	f := b.Pay(t.Context(), request)
	require.Equal(t, payment.Approved, f.State, f.Reason)
	require.Equal(t, id.String()+"-2", f.GatewayReference)
	require.Equal(t, map[string]string{"gift_card": code.String()}, f.Details)
	require.Equal(t, "30.00", b.balance(id))
	_, err := o.Record(f, b.now)
	require.NoError(t, err)
	require.Empty(t, o.Review, "account, mode and amount are what was asked")
	require.Equal(t, payment.StatusPaid, o.Payments[0].Status)

	for _, part := range []string{"5.00", "15.00"} {
		refund := b.refund(o, part)
		o.Payments[0].Transactions = append(o.Payments[0].Transactions, &payment.Transaction{
			N: o.NextNumber(), Type: payment.Refund, Reference: refund.Reference, State: payment.Sending, Amount: refund.Amount, Parent: 2,
		})
		back := b.Refund(t.Context(), refund)
		require.Len(t, back, 1)
		require.Equal(t, payment.Approved, back[0].State, back[0].Reason)
		require.True(t, back[0].Amount.Equal(eur(part)))
		require.Equal(t, back, b.Refund(t.Context(), refund), "a repeat moves nothing")
		_, err = o.Record(back[0], b.now)
		require.NoError(t, err)
	}
	require.Equal(t, "50.00", b.balance(id))
	require.Empty(t, o.Review)
	require.Equal(t, payment.StatusRefunded, o.Payments[0].Status)
	more := b.Refund(t.Context(), b.refund(o, "0.01"))[0]
	require.Equal(t, payment.Declined, more.State)
	require.Equal(t, "amount_exceeds", more.Reason.Code)
	require.Equal(t, "50.00", b.balance(id))
}

func TestWhatAShopperIsToldOfACard(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, short := b.issue("demo", eur("19.99"))
	_, foreign := b.issue("other", eur("50.00"))
	_, dollars := b.issue("demo", money("50.00", "USD"))
	blockedID, blocked := b.issue("demo", eur("50.00"))
	_, err := b.store.ActivateGiftCard(t.Context(), "demo", blockedID, false, payment.ByActor("key_1", b.now))
	require.NoError(t, err)
	pay := func(code payment.GiftCardCode) payment.Fact {
		_, request := b.order(code.Reveal(), eur("20.00"))
		f := b.Pay(t.Context(), request)
		require.Equal(t, payment.Declined, f.State)
		f.Reference = ""
		return f
	}
	unknown := pay(b.ids.GiftCardCode())
	require.Equal(t, "gift_card_invalid", unknown.Reason.Code)
	require.Equal(t, unknown, pay(foreign), "another store's card looks like none")
	require.Equal(t, unknown, pay(blocked), "and so does one that is blocked")
	require.Equal(t, "gift_card_currency", pay(dollars).Reason.Code)
	require.Equal(t, "insufficient_funds", pay(short).Reason.Code)
	require.NotContains(t, pay(short).Reason.Message, "19.99")
}

func TestAnOrderMayNotTryCodesForEver(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o, request := b.order(b.ids.GiftCardCode().Reveal(), eur("20.00"))
	for range 10 {
		f := b.Pay(t.Context(), request)
		require.Equal(t, "gift_card_invalid", f.Reason.Code)
		_, err := o.Record(f, b.now)
		require.NoError(t, err)
		p := o.OpenPayment("gift-card", "gift-card", "cards", payment.ModeTest, request.Amount, b.now)
		request.Reference = b.ids.Reference()
		o.Announce(p, payment.AuthorizeAndCapture, request.Reference, request.Amount, b.now, b.now)
	}
	id, code := b.issue("demo", eur("50.00"))
	request.Data = []byte(`{"code":"` + code.Reveal() + `"}`)
	f := b.Pay(t.Context(), request)
	require.Equal(t, payment.Declined, f.State)
	require.Equal(t, "too_many_attempts", f.Reason.Code)
	require.Equal(t, "50.00", b.balance(id))
}

func TestAnInquirySaysExactlyWhatWasMoved(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, code := b.issue("demo", eur("50.00"))
	o, request := b.order(code.Reveal(), eur("20.00"))
	_, err := b.Inquire(t.Context(), inquiry(payment.AuthorizeAndCapture, request.Reference))
	require.ErrorIs(t, err, gateways.ErrNotFound)
	paid := b.Pay(t.Context(), request)
	refund := b.refund(o, "5.00")
	_, err = b.Inquire(t.Context(), inquiry(payment.Refund, refund.Reference))
	require.ErrorIs(t, err, gateways.ErrNotFound)
	back := b.Refund(t.Context(), refund)[0]
	for kind, said := range map[payment.Type]payment.Fact{payment.AuthorizeAndCapture: paid, payment.Authorize: paid, payment.Refund: back} {
		facts, err := b.Inquire(t.Context(), inquiry(kind, said.Reference))
		require.NoError(t, err)
		said.Source = payment.SourceInquiry
		require.Equal(t, []payment.Fact{said}, facts)
	}
	_, err = b.Inquire(t.Context(), inquiry(payment.Void, paid.Reference))
	require.Error(t, err)
	require.NotErrorIs(t, err, gateways.ErrNotFound, "nobody asked the ledger")
}

func TestALostAnswerResolvesItself(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id, code := b.issue("demo", eur("50.00"))
	for name, moves := range map[string]bool{"after the money moved": true, "before it moved": false} {
		lost := b.open(func() gateways.GiftCards { return broken{b.store, moves, errors.New("commit, outcome unknown")} })
		before := b.balance(id)
		o, request := b.order(code.Reveal(), eur("10.00"))
		f := lost.Pay(t.Context(), request)
		require.Equal(t, payment.Unknown, f.State, name)
		require.NotEmpty(t, f.Reason.Code)
		_, err := lost.Inquire(t.Context(), inquiry(payment.AuthorizeAndCapture, f.Reference))
		require.Error(t, err)
		require.NotErrorIs(t, err, gateways.ErrNotFound, "nothing learnt is not the same as not found")
		facts, err := b.Inquire(t.Context(), inquiry(payment.AuthorizeAndCapture, f.Reference))
		if !moves {
			require.ErrorIs(t, err, gateways.ErrNotFound)
			require.Equal(t, before, b.balance(id))
			continue
		}
		require.NoError(t, err)
		require.Equal(t, payment.Approved, facts[0].State)
		back := lost.Refund(t.Context(), b.refund(o, "10.00"))[0]
		require.Equal(t, payment.Unknown, back.State)
		facts, err = b.Inquire(t.Context(), inquiry(payment.Refund, back.Reference))
		require.NoError(t, err)
		require.Equal(t, payment.Approved, facts[0].State)
		require.Equal(t, before, b.balance(id))
	}
}

func TestWithoutADatabaseNothingWasSent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, code := b.issue("demo", eur("50.00"))
	o, request := b.order(code.Reveal(), eur("20.00"))
	b.store.Close()
	nowhere := b.open(func() gateways.GiftCards { return nil })
	for name, f := range map[string]payment.Fact{
		"closed":             b.Pay(t.Context(), request),
		"refund, closed":     b.Refund(t.Context(), b.refund(o, "1.00"))[0],
		"not handed in":      b.open(nil).Pay(t.Context(), request),
		"not there":          nowhere.Pay(t.Context(), request),
		"refund, not there":  nowhere.Refund(t.Context(), b.refund(o, "1.00"))[0],
		"the caller is gone": b.Pay(gone(t), request),
	} {
		require.Equal(t, payment.NotSent, f.State, name)
		require.NotEmpty(t, f.Reason.Message, name)
	}
	_, err := nowhere.Inquire(t.Context(), inquiry(payment.Refund, "R"))
	require.Error(t, err)
	require.NotErrorIs(t, err, gateways.ErrNotFound)
}

func gone(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestWhatIsEnteredIsCheckedBeforeAnybodyIsAsked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	code := b.ids.GiftCardCode()
	summary, err := b.ValidateData("gift-card", []byte(`{"code":" `+code.Reveal()+` "}`))
	require.NoError(t, err)
	require.Equal(t, payment.DataSummary{Brand: "Gift card", Masked: "•••• " + code.Last4()}, summary)
	typo := "2" + code.Reveal()[1:]
	if typo == code.Reveal() {
		typo = "3" + code.Reveal()[1:]
	}
	for data, field := range map[string]string{
		``: "data.code", `{}`: "data.code", `{"code":""}`: "data.code", `{"code":"` + typo + `"}`: "data.code", `{"code":"x y"}`: "data.code",
		`{"code":1}`: "data", `[]`: "data", `{"code":"` + code.Reveal() + `","pin":"1"}`: "data", `{`: "data",
	} {
		_, err := b.ValidateData("gift-card", []byte(data))
		var refused *payment.Error
		require.ErrorAs(t, err, &refused, data)
		require.Equal(t, payment.KindInvalid, refused.Kind)
		require.Equal(t, field, refused.Fields[0].Field, data)
		require.NotContains(t, fmt.Sprint(refused, refused.Fields), code.Reveal()[5:9])
	}
	_, err = b.ValidateData("card", nil)
	require.Equal(t, "method_unavailable", payment.CodeOf(err))
}

func TestItDescribesItself(t *testing.T) {
	t.Parallel()
	d := setup(t).Describe()
	require.Equal(t, "gift-card", d.Name)
	require.Greater(t, d.Finality, 10*time.Second, "longer than a call can be under way")
	m := d.Methods["gift-card"]
	require.Equal(t, gateways.ReversalOurs, m.Reversal)
	require.True(t, m.Capabilities.Refund && m.Capabilities.PartialRefund && !m.Capabilities.Void && !m.Capabilities.Capture)
	require.False(t, m.AuthorizeOnly)
	require.Equal(t, "form", m.Widget["kind"])
}
