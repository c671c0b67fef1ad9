package payment_test

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paysvc/paysvc/internal/payment"
)

func percent(t require.TestingT, text string) payment.Percent {
	p, err := payment.ParsePercent(text)
	require.NoError(t, err)
	return p
}

func TestAFeeIsRoundedHalfUpToTheDigitsOfTheCurrency(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ percent, amount, code, want string }{
		{"1.5", "10.00", "EUR", "0.15"},
		{"1.5", "10.33", "EUR", "0.15"},
		{"1.5", "10.34", "EUR", "0.16"},
		{"0.5", "1.00", "EUR", "0.01"}, // exactly half
		{"-0.5", "1.00", "EUR", "-0.01"},
		{"0.4999", "1.00", "EUR", "0.00"},
		{"2.5", "100", "JPY", "3"},
		{"2.5", "1.000", "KWD", "0.025"},
		{"100", "9999999999999.99", "EUR", "9999999999999.99"},
		{"-100", "9999999999999.99", "EUR", "-9999999999999.99"},
		{"3", "0.00", "EUR", "0.00"},
	} {
		rule := payment.FeeRule{Percent: percent(t, c.percent)}
		require.Equal(t, c.want, rule.Of(money(t, c.amount, c.code)).String(), "%s%% of %s", c.percent, c.amount)
	}
}

func TestADiscountIsNeverMoreThanTheAmount(t *testing.T) {
	t.Parallel()
	discount := payment.FeeRule{Fixed: map[string]payment.Money{"EUR": payment.FromMinor(-500, currency(t, "EUR"))}}
	require.Equal(t, "-5.00", discount.Of(euros(t, "10.00")).String())
	require.Equal(t, "-5.00", discount.Of(euros(t, "5.00")).String())
	require.Equal(t, "-4.99", discount.Of(euros(t, "4.99")).String())
	require.Equal(t, "0.00", discount.Of(euros(t, "0.00")).String(), "what costs nothing has no fee")
	require.Equal(t, "0", discount.Of(money(t, "10", "JPY")).String(), "another currency")
}

func TestPercentagesThatAreNone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "-", "--1", "+1", "1.", ".5", "1,5", "1e1", " 1", "1 ", "1%", "100.0001", "-100.5", "1000", "0.00001", "NaN", "٣",
	} {
		_, err := payment.ParsePercent(text)
		require.Equal(t, payment.KindInvalid, payment.KindOf(err), text)
	}
}

// The fee is what exact arithmetic says, whatever the numbers.
func TestAFeeIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := currency(t, rapid.SampledFrom([]string{"EUR", "JPY", "KWD"}).Draw(t, "currency"))
		amount := rapid.Int64Range(0, 999_999_999_999_999).Draw(t, "amount")
		fixed := rapid.Int64Range(-1_000_000, 1_000_000).Draw(t, "fixed")
		text := rapid.StringMatching(`-?[0-9]{1,2}(\.[0-9]{1,4})?`).Draw(t, "percent")
		rule := payment.FeeRule{
			Fixed: map[string]payment.Money{c.String(): payment.FromMinor(fixed, c)}, Percent: percent(t, text),
		}
		share, _ := new(big.Rat).SetString(text)
		exact := new(big.Rat).Mul(share, big.NewRat(amount, 100))
		half := big.NewRat(int64(exact.Sign()), 2)
		rounded := exact.Add(exact, half)
		want := new(big.Int).Quo(rounded.Num(), rounded.Denom()).Int64() + fixed // toward zero, after half away from it
		if want < -amount {
			want = -amount
		}
		if amount == 0 {
			want = 0
		}
		require.Equal(t, want, rule.Of(payment.FromMinor(amount, c)).Minor())
	})
}

// charged returns an order with one payment of all of it that has a fee.
func charged(t require.TestingT, typ payment.Type, total, fee int64) (*payment.Order, *payment.Payment) {
	o := unpaid(t, payment.FromMinor(total, currency(t, "EUR")).String())
	p := o.OpenPayment("invoice", gateway, account, payment.ModeTest, o.Total, noon())
	p.Fee = payment.FromMinor(fee, o.Currency)
	o.Announce(p, typ, reference("A"), p.Charge(), noon(), noon())
	return o, p
}

// An order is what its own total says: a fee makes it neither more than paid nor
// less, and part of the money covers no more of it than there is.
func TestAFeeChangesNothingOfWhatIsPaid(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(1, 100_000).Draw(t, "total")
		fee := rapid.Int64Range(-total, 20_000).Draw(t, "fee")
		charge := total + fee
		o, p := charged(t, payment.Authorize, total, fee)
		require.Equal(t, total, o.Due().Minor(), "a discount covers nothing by itself")
		require.False(t, o.Covered())
		require.Equal(t, payment.StatusPending, o.PaymentStatus())

		must(t, o, approved("A"))
		require.Equal(t, total, o.Held().Minor())
		require.True(t, o.Covered())
		require.Empty(t, o.Staged.Cases, "no surplus")
		if charge == 0 {
			require.Equal(t, payment.StatusPaid, o.PaymentStatus())
			require.Equal(t, payment.StatusPaid, p.Status)
			require.Equal(t, total, o.Taken().Minor())
			return
		}
		require.Equal(t, payment.StatusAuthorized, o.PaymentStatus())
		require.Equal(t, payment.StatusAuthorized, p.Status)

		captured := rapid.Int64Range(1, charge).Draw(t, "captured")
		amount := payment.FromMinor(captured, o.Currency)
		o.Announce(p, payment.Capture, reference("C"), amount, noon(), noon())
		must(t, o, approved("C"))
		require.True(t, o.Covered())
		paid := captured >= total || captured == charge
		require.Equal(t, paid, o.PaymentStatus() == payment.StatusPaid, "captured %d of %d for %d", captured, charge, total)
		require.Equal(t, paid, o.Taken().Equal(o.Total))
		require.LessOrEqual(t, o.Taken().Minor(), total)
		require.Equal(t, captured == charge, p.Status == payment.StatusPaid)
		if captured != charge {
			return
		}
		process(o)
		o.Announce(p, payment.Refund, reference("R"), amount, noon(), noon())
		must(t, o, approved("R"))
		require.Equal(t, payment.StatusRefunded, o.PaymentStatus(), "the fee is given back too")
		require.Equal(t, payment.StatusRefunded, p.Status)
		require.True(t, o.Covered(), "what was paid and given back is not due again")
		require.Empty(t, o.Staged.Cases)
	})
}

func must(t require.TestingT, o *payment.Order, f payment.Fact) {
	_, err := o.Record(f, noon())
	require.NoError(t, err)
}

func TestAReleasedDiscountCoversNothing(t *testing.T) {
	t.Parallel()
	o, p := charged(t, payment.Authorize, 1000, -200)
	record(t, o, approved("A"))
	o.Announce(p, payment.Void, reference("V"), p.Charge(), noon(), noon())
	record(t, o, approved("V"))
	require.Equal(t, "10.00", o.Due().String())
	require.Equal(t, payment.StatusVoided, o.PaymentStatus())
}

func TestWhatAGatewayWithoutAPSPSaysStaysUntilTheMoneyCame(t *testing.T) {
	t.Parallel()
	told := payment.Fact{
		Source: payment.SourceGateway, Reference: reference("A"), State: payment.Approved,
		NextAction: &payment.NextAction{Type: "display", Kind: "instructions"},
	}
	o, p := charged(t, payment.Authorize, 1000, 0)
	record(t, o, told)
	require.NotNil(t, p.NextAction)
	o.Announce(p, payment.Capture, reference("C"), euros(t, "4.00"), noon(), noon())
	record(t, o, approved("C"))
	require.NotNil(t, p.NextAction, "there is more to come")
	o.Announce(p, payment.Capture, reference("D"), euros(t, "6.00"), noon(), noon())
	record(t, o, approved("D"))
	require.Nil(t, p.NextAction)

	o, p = charged(t, payment.AuthorizeAndCapture, 1000, 0)
	record(t, o, told)
	require.Nil(t, p.NextAction, "it is paid")

	o, p = charged(t, payment.Authorize, 1000, 0)
	told.Source = payment.SourceAnswer
	record(t, o, told)
	require.Nil(t, p.NextAction, "a PSP that has reserved the money is done")
}

func TestDetailsThatWereToldFirstStay(t *testing.T) {
	t.Parallel()
	o, p := charged(t, payment.AuthorizeAndCapture, 1000, 0)
	record(t, o,
		payment.Fact{Reference: reference("A"), State: payment.Pending, Details: map[string]string{"iban": "•••• 1234"}},
		payment.Fact{Reference: reference("A"), State: payment.Approved, Details: map[string]string{"iban": "•••• 9", "mandate": "M-1"}},
		approved("A"))
	require.Equal(t, map[string]string{"iban": "•••• 1234", "mandate": "M-1"}, p.Details)
}
