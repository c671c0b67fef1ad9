package when_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/pipeline/when"
)

func TestConditionsThatHold(t *testing.T) {
	t.Parallel()
	for _, source := range []string{
		`order.total >= 100`, `order.total == 119.9`, `order.total == 119.900`, `119.90 == order.total`,
		`order.total > payment.amount`, `payment.amount < 99.950001`, `payment.amount + 19.95 == order.total`,
		`order.total - payment.amount == 19.95 and order.due == 19.95`, `order.total * 0.1 == 11.99`,
		`100 < order.total < 120`, `not (order.total < 100)`, `!(order.total < 100)`, `-order.total < 0`,
		`order.number == "1001"`, `order.currency in ["EUR", "CHF"]`, `order.currency not in ["USD"]`,
		`order.status == "pending" && order.payment_status == 'partially_paid'`,
		`order.locale startsWith "de"`, `order.customer.email endsWith ".org"`, `order.customer.name contains "ü"`,
		`lower(order.customer.email) == "ada@example.org"`, `upper("a") == "A"`, `trim(" a ") == "a"`,
		`order.customer.ip matches "^192[.]0[.]2[.][0-9]+$"`, `not (order.number matches "^X")`,
		`order.customer.name matches "(?i)Ü"`, `order.customer.email matches "(?i)^[A-Z]+@"`,
		`order.billing.country != order.shipping.country`, `order.shipping.country == "CH"`,
		`order.lines == 2`, `order.quantity == 5`, `len(order.skus) == 2`, `"A-1" in order.skus`,
		`"SPRING" in order.promotion_codes`, `len(order.number) == 4`, `len("ü") == 1`,
		`order.metadata.channel == "app"`, `order.metadata["source.page"] == "home"`, `"channel" in order.metadata`,
		`order.metadata.nothing == nil`, `order.metadata.channel != nil`, `"nothing" not in order.metadata`,
		`order.attributes["risk.score"] > 80`, `order.attributes["risk.score"] + 0.1 == 80.6`,
		`order.attributes.gift == true`, `order.attributes.plain == false`, `order.attributes.tier == "gold"`,
		`"gift" in order.attributes`, `order.attributes.tier in ["gold", "silver", 3]`, `order.attributes.none == nil`,
		`order.attributes.missing == nil`, `order.attributes.tier == order.attributes.tier`,
		`order.attributes.tier != 5`, `order.attributes.basket != nil`, `order.attributes.big != 1`,
		`payment.amount + payment.fee == fact.amount`,
		`payment.exists and payment.status == "paid" and payment.mode == "test" and payment.fee == .5`,
		`payment.n == 2`, `method.name == "card" and method.gateway == "sandbox" and method.account == "eu"`,
		`fact.exists and fact.changed and !fact.mismatch`, `fact.state == "approved"`,
		`fact.type == "authorize_and_capture" and fact.source == "notification" and fact.amount == 100.45`,
		`fact.reason == ""`, `order.id startsWith "ord_"`, `order.store == "demo" and order.basket_id == "b-1"`,
		`abs(0 - 5) == 5 and min(3, 1, 2) == 1 and max(order.total, 1) == order.total`,
		`true`, `true or false`, `(order.total > 1) == true`, `1_000 == 1e3`, `0x10 == 16`,
		"order.total > 1 // as the accountants want it\n",
	} {
		require.True(t, holds(t, paying(t), source), source)
	}
}

func TestConditionsThatDoNotHold(t *testing.T) {
	t.Parallel()
	for _, source := range []string{
		`order.total > 119.90`, `order.total < 119.90`, `order.total != 119.9`, `payment.amount >= 99.951`,
		`order.currency in ["USD", "CHF"]`, `"C-3" in order.skus`, `order.attributes.tier == "GOLD"`,
		`order.attributes.tier == true`, `order.attributes.tier == 5`, `order.attributes.basket == "x"`,
		`order.attributes.basket == order.attributes.basket`, `order.attributes.missing > 1`,
		`order.attributes.missing == order.metadata.nothing`, `order.attributes.big == nil`,
		`false`, `true and false`, `false or false`, `order.metadata.nothing == "app"`,
	} {
		require.False(t, holds(t, paying(t), source), source)
	}
}

// Without a payment or a fact, what they would say is nil: nothing compares with
// it, whichever way round.
func TestWhatIsNotThereComparesWithNothing(t *testing.T) {
	t.Parallel()
	run := begun(t, "10.00", "EUR")
	for _, source := range []string{
		`payment.amount == nil`, `payment.status == nil`, `fact.state == nil`, `fact.amount == nil`, `payment.n == nil`,
		`not payment.exists`, `not fact.exists`, `not fact.changed`, `not fact.mismatch`, `method.name == nil`,
		`nil == method.name`, `method.name != "card"`, `order.customer.email == ""`,
	} {
		require.True(t, holds(t, run, source), source)
	}
	for _, source := range []string{
		`payment.amount < 99.95`, `payment.amount >= 0`, `payment.amount == payment.amount`, `payment.amount + 1 > 0`,
		`abs(payment.amount) >= 0`, `max(payment.amount, 1) > 0`, `len(method.name) >= 0`, `method.name == ""`,
		`method.name contains ""`, `method.name matches ""`, `lower(method.name) == ""`, `method.name in ["", "card"]`,
		`method.name in order.skus`, `-payment.amount < 1`, `fact.source == fact.source`,
	} {
		require.False(t, holds(t, run, source), source)
	}
}

func TestNumbersAreExact(t *testing.T) {
	t.Parallel()
	eur := begun(t, "0.30", "EUR")
	require.True(t, holds(t, eur, `0.1 + 0.2 == 0.3`))
	require.True(t, holds(t, eur, `0.1 + 0.2 == order.total`))
	require.True(t, holds(t, eur, `order.total * 3 == 0.9`))
	require.True(t, holds(t, eur, `12345678901234567.89 < 12345678901234567.9`), "a float cannot tell these")
	require.True(t, holds(t, eur, `9007199254740993 != 9007199254740992.0`))
	require.True(t, holds(t, eur, `1e18 + 1e-18 > 1e18`))
	require.True(t, holds(t, begun(t, "1000000000", "JPY"), `order.total == 1e9 and order.total == 1000000000.00`))
	require.False(t, holds(t, begun(t, "1000000001", "JPY"), `order.total == 1e9`))
	require.True(t, holds(t, begun(t, "1.234", "KWD"), `order.total == 1.234 and order.total > 1.2339 and order.total < 1.24`))
}

func TestTheFactIsTheLastThatChangedSomething(t *testing.T) {
	t.Parallel()
	run := paying(t)
	p := run.Payment
	run.Findings = []payment.Finding{
		{Payment: p, Transaction: &payment.Transaction{State: payment.Declined, Amount: p.Amount}, Changed: true},
		{Payment: p, Transaction: &payment.Transaction{State: payment.Approved, Amount: p.Amount}, Changed: true},
		{Payment: p, Transaction: &payment.Transaction{State: payment.Pending, Amount: p.Amount}},
	}
	require.True(t, holds(t, run, `fact.state == "approved"`))
	run.Findings = run.Findings[2:]
	require.True(t, holds(t, run, `fact.exists and not fact.changed and fact.state == "pending"`))
}

// An attribute that is not what the condition was written for must not decide
// silently.
func TestAnAttributeOfAnotherKindFailsTheCondition(t *testing.T) {
	t.Parallel()
	for _, source := range []string{
		`order.attributes.tier > 5`, `order.attributes.gift + 1 > 0`, `order.attributes["risk.score"] contains "8"`,
		`-order.attributes.tier > 5`, `order.attributes.big > 5`, `lower(order.attributes.gift) == "a"`,
		`order.attributes.gift in order.skus`, `len(order.attributes.basket) > 1`, `abs(order.attributes.tier) > 1`,
	} {
		c, err := when.Compile(source)
		require.NoError(t, err, source)
		_, err = c.Holds(paying(t))
		require.ErrorContains(t, err, "an attribute is of another kind than the condition needs", source)
	}
}

func TestAttributesAreAskedForOnlyWhereTheyAreUsed(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]bool{
		`order.total > 1`: false, `order.attributes.gift == true`: true, `"gift" in order.attributes`: true,
		`order.metadata.attributes == "a"`: false,
	} {
		c, err := when.Compile(source)
		require.NoError(t, err)
		require.Equal(t, want, c.(pipeline.AttributeReader).ReadsAttributes(), source)
		require.Equal(t, source, c.String())
	}
	for _, source := range []string{`order.attributes.gift == nil`, `"gift" in order.attributes`} {
		c, err := when.Compile(source)
		require.NoError(t, err)
		_, err = c.Holds(begun(t, "1.00", "EUR"))
		require.ErrorContains(t, err, "not loaded")
	}
}

func TestATextThatIsTooLongIsNotMatched(t *testing.T) {
	t.Parallel()
	run := paying(t)
	run.Order.Customer.Name = strings.Repeat("a", 5000)
	c, err := when.Compile(`order.customer.name matches "(a*)*b"`)
	require.NoError(t, err)
	_, err = c.Holds(run)
	require.ErrorContains(t, err, "too long")
}

func TestEveryNameIsDocumented(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../../docs/configured-steps.md")
	require.NoError(t, err)
	var documented []string
	for _, row := range regexp.MustCompile("(?m)^\\| (`(?:order|payment|method|operation|fact)[.].*?) \\|").FindAllStringSubmatch(string(guide), -1) {
		for name := range strings.SplitSeq(row[1], ", ") {
			documented = append(documented, strings.Trim(name, "`"))
		}
	}
	require.ElementsMatch(t, when.Names(), documented)
}
