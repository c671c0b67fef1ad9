package offline_test

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/gateways/offline"
	"github.com/paysvc/paysvc/internal/payment"
)

// fieldsOf lists the fields that an error blames.
func fieldsOf(t *testing.T, err error) []string {
	t.Helper()
	wrong, ok := errors.AsType[*payment.Error](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, payment.KindInvalid, wrong.Kind)
	var fields []string
	for _, f := range wrong.Fields {
		fields = append(fields, f.Field)
	}
	return fields
}

func gateway(t require.TestingT) *offline.Gateway {
	g, err := offline.New(offline.Config{}, gateways.Deps{})
	require.NoError(t, err)
	return g
}

// debit is what a shopper enters for a direct debit.
func debit(iban string) []byte {
	return fmt.Appendf(nil, `{"account_holder": "Ann Person", "iban": %q}`, iban)
}

// Examples of the registry of ISO 13616, one of each form.
func TestIBANs(t *testing.T) {
	t.Parallel()
	g := gateway(t)
	for _, iban := range []string{
		"GB29NWBK60161331926819", "DE89370400440532013000", "NL91ABNA0417164300", "BE68539007547034", "NO9386011117947",
		"MT84MALT011000012345MTLCAST001S", "LC55HEMM000100010012001200023015", "RU0304452522540817810538091310419",
		"FR1420041010050500013M02606", "SC18SSCB11010000000000001497USD", "VA59001123000012345678", "XK051212012345678906",
		"de89 3704 0044 0532 0130 00", "nl91\u00a0abna\u00a00417\u00a01643\u00a000", "  BE68 5390 0754 7034  ",
	} {
		summary, err := g.ValidateData("direct-debit", debit(iban))
		require.NoError(t, err, iban)
		plain := strings.Join(strings.Fields(iban), "")
		require.Equal(t, "•••• "+strings.ToUpper(plain[len(plain)-4:]), summary.Masked)
		require.Equal(t, "Direct debit", summary.Brand)
	}
}

func TestBadIBANs(t *testing.T) {
	t.Parallel()
	g := gateway(t)
	for why, iban := range map[string]string{
		"a digit changed": "DE89370400440532013001", "two digits changed places": "DE89370400440352013000",
		"another check": "DE88370400440532013000", "too short": "DE8937040044053201300", "too long": "DE893704004405320130000",
		"another country's length": "NL89370400440532013000", "no such country": "ZZ89370400440532013000",
		"no country": "89370400440532013000", "lower than any check digits": "DE00370400440532013000",
		"check digits that are letters": "DEAA370400440532013000", "empty": "", "spaces": "   ", "two letters": "DE", "one": "D",
		"a card": "4111111111111111", "dashes": "DE89-3704-0044-0532-0130-00", "not ASCII": "DE８９370400440532013000",
		"a dotless i": "Gı29NWBK60161331926819", "very long": strings.Repeat("DE89", 1000),
		"mod 97 with 00 for 97": sameRest("00", 97), "mod 97 with 01 for 98": sameRest("01", 98), "mod 97 with 99 for 02": sameRest("99", 2),
	} {
		_, err := g.ValidateData("direct-debit", debit(iban))
		require.Equal(t, []string{"data.iban"}, fieldsOf(t, err), why)
		if iban = strings.TrimSpace(iban); len(iban) > 4 {
			require.NotContains(t, fmt.Sprintf("%+v", err), iban, "no value in an error")
		}
	}
}

// sameRest makes an IBAN of Belgium whose right check digits are those, with
// others in their place.
func sameRest(shown string, right int) string {
	for n := range 100_000 {
		account := fmt.Sprintf("%012d", n)
		if 98-int(rest(account+"BE00")) == right {
			return "BE" + shown + account
		}
	}
	panic("no account has these check digits")
}

// rest is the remainder by 97 as big numbers have it.
func rest(rearranged string) int64 {
	digits := ""
	for _, c := range rearranged {
		if c >= 'A' {
			digits += fmt.Sprint(c - 'A' + 10)
		} else {
			digits += string(c)
		}
	}
	n, _ := new(big.Int).SetString(digits, 10)
	return n.Mod(n, big.NewInt(97)).Int64()
}

// The sum is exact whatever the account: only the right check digits pass.
func TestOnlyTheRightCheckDigitsPass(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := gateway(t)
		account := rapid.StringMatching(`[A-Z0-9]{27}`).Draw(t, "account") // Malta's length
		right := 98 - rest(account+"MT00")
		for check := range int64(100) {
			_, err := g.ValidateData("direct-debit", debit(fmt.Sprintf("MT%02d%s", check, account)))
			require.Equal(t, check == right, err == nil, "%02d, right is %02d", check, right)
		}
	})
}

func TestOfADebitOnlyTheHolderAndTheLastDigitsAreKept(t *testing.T) {
	t.Parallel()
	g, request := open(t, offline.Config{}, "direct-debit")
	request.Data = []byte(`{"account_holder": " Ann Person ", "iban": "nl91 abna 0417 1643 00", "bic": "abnanl2a"}`)
	fact := g.Decide(request)
	require.Equal(t, map[string]string{"account_holder": "Ann Person", "iban": "•••• 4300"}, fact.Details)
	require.NotContains(t, fmt.Sprintf("%+v", fact), "0417")
}

func TestWhatIsWrongWithTheDataIsNamed(t *testing.T) {
	t.Parallel()
	g := gateway(t)
	for _, c := range []struct {
		method, data string
		fields       []string
	}{
		{"direct-debit", ``, []string{"data.account_holder", "data.iban"}},
		{"direct-debit", `{"iban": "NL91ABNA0417164301", "bic": "ABNA"}`, []string{"data.account_holder", "data.iban", "data.bic"}},
		{"direct-debit", `{"account_holder": "NL91ABNA0417164300", "iban": "NL91ABNA0417164300"}`, []string{"data.account_holder"}},
		{"direct-debit", `{"account_holder": "` + strings.Repeat("ä", 71) + `", "iban": "NL91ABNA0417164300"}`, []string{"data.account_holder"}},
		{"direct-debit", `{"account_holder": "A", "iban": 91}`, []string{"data.iban"}},
		{"direct-debit", `{"account_holder": "A", "iban": {"x": 1}}`, []string{"data.iban"}},
		{"purchase-order-number", `{}`, []string{"data.purchase_order_number"}},
		{"purchase-order-number", `{"purchase_order_number": null}`, []string{"data.purchase_order_number"}},
		{"purchase-order-number", `{"purchase_order_number": " \t "}`, []string{"data.purchase_order_number"}},
		{"purchase-order-number", `{"purchase_order_number": "PO\u200b1"}`, []string{"data.purchase_order_number"}},
		{"purchase-order-number", `{"purchase_order_number": "PO\n1"}`, []string{"data.purchase_order_number"}},
		{"purchase-order-number", `{"purchase_order_number": "` + strings.Repeat("9", 65) + `"}`, []string{"data.purchase_order_number"}},
		{"purchase-order-number", `{"purchase_order_number": "1", "iban": "x"}`, []string{"data.iban"}},
		{"invoice", `{"scenario": "approve"}`, []string{"data.scenario"}},
		{"manual", `{"card number": "x"}`, []string{"data"}},
		{"manual", `[]`, []string{"data"}},
		{"manual", `{"a": "1", "a": "2"}`, []string{"data"}},
	} {
		_, err := g.ValidateData(c.method, []byte(c.data))
		require.Equal(t, c.fields, fieldsOf(t, err), "%s %s", c.method, c.data)
	}
	for _, nothing := range []string{``, `{}`, `null`} {
		_, err := g.ValidateData("cash-on-delivery", []byte(nothing))
		require.NoError(t, err)
	}
	_, err := g.ValidateData("cheque", nil)
	require.Equal(t, "method_unavailable", payment.CodeOf(err))
}

func TestWhoMayUseAPurchaseOrderNumberAgain(t *testing.T) {
	t.Parallel()
	order := &payment.Order{Details: payment.Details{Customer: payment.Customer{ID: "c-77"}}}
	data := []byte(`{"purchase_order_number": " po-2026 17 "}`)
	for unique, want := range map[offline.Unique][]payment.Reservation{
		"":                    {{Scope: "purchase_order_number", Value: "PO-2026 17", Field: "data.purchase_order_number"}},
		offline.UniqueInStore: {{Scope: "purchase_order_number", Value: "PO-2026 17", Field: "data.purchase_order_number"}},
		offline.UniquePerCustomer: {{
			Scope: "purchase_order_number_of_customer", Subject: "c-77", Value: "PO-2026 17", Field: "data.purchase_order_number",
		}},
		offline.UniqueNowhere: nil,
	} {
		g, request := open(t, offline.Config{PurchaseOrderNumber: offline.NumberMethod{Unique: unique}}, "purchase-order-number")
		require.Equal(t, want, g.Reserve("purchase-order-number", order, data), unique)
		request.Data = data
		require.Equal(t, map[string]string{"purchase_order_number": "po-2026 17"}, g.Decide(request).Details)
		require.Empty(t, g.Reserve("direct-debit", order, debit("NL91ABNA0417164300")))
	}
}
