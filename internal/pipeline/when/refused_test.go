package when_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/pipeline/when"
)

func TestConditionsThatAreRefused(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		// what is no condition
		``:                   "column 1: the condition is empty",
		` `:                  "column 1: the condition is empty",
		`order.total`:        "column 7: a condition is true or false; this is a number",
		`"yes"`:              "column 1: a condition is true or false; this is a text",
		`order.attributes.x`: "column 18: a condition is true or false; this is an attribute",
		`nil`:                "column 1: a condition is true or false; this is nil",
		`order.total >`:      "column 13: the condition cannot be read from here on",
		`order.total = 5`:    "column 13: the condition cannot be read from here on",
		`order.number == "a`: "the condition cannot be read from here on",
		`order.total > 1 €`:  "column 17: the condition cannot be read from here on",
		"order.total > 1 and\n  order.tax > secret": "line 2, column 15: there is no such name; there are fact, method, operation, order, payment",
		"order.number == \"\xff\"":                  "not UTF-8",
		// names
		`Order.total > 1`:                     "column 1: there is no such name",
		`order.totl > 1`:                      "column 7: order has no such name; it has attributes, basket_id, billing",
		`order.customer > 1`:                  "column 7: order.customer is not a value itself; it has email, id, ip, name, phone",
		`order > 1`:                           "column 1: order is not a value itself",
		`order.total.value > 1`:               "column 13: order.total has nothing inside",
		`order.attributes.a.b == 1`:           "order.attributes has nothing inside",
		`order["customer.id"] == ""`:          "column 7: order has no such name",
		`order.skus[0] == "a"`:                "a key in quotes",
		`order.metadata[order.number] == "a"`: "a key in quotes",
		`$env == nil`:                         "column 1: there is no such name",
		`$env["order"] == nil`:                "there is no such name",
		`order?.total > 1`:                    "write . for ?.",
		`"a".b == "c"`:                        "only a name can stand before a dot",
		// kinds
		`order.total == "119.90"`:      "column 13: == compares a number with a text, which are never the same",
		`order.total > "1"`:            "> needs a number on both sides; here is a text",
		`order.number > 5`:             "> needs a number on both sides; here is a text",
		`order.number + "a" == ""`:     "+ needs a number on both sides; here is a text",
		`order.total and true`:         "and needs true or false on both sides; here is a number",
		`not order.total`:              "not needs true or false; this is a number",
		`-order.number == 1`:           "- needs a number; this is a text",
		`order.total contains "1"`:     "contains needs a text on both sides; here is a number",
		`order.skus contains "A-1"`:    "write it the other way round, with in",
		`order.total in order.skus`:    "in looks for a text here; this is a number",
		`"a" in order.number`:          "in needs a list after it",
		`order.total in ["1"]`:         "in compares a number with a text",
		`order.number in [nil]`:        "nil cannot stand in a list",
		`order.number in [order.skus]`: "in compares a text with a list",
		`payment.exists == nil`:        "== compares true or false with nil",
		`order.skus == order.skus`:     "== compares a list with a list",
		`order.metadata == nil`:        "a whole of several values",
		`nil == nil`:                   "nil with nil",
		`["a"] == ["a"]`:               "a list can only stand after in",
		`len(order.total) > 1`:         "len takes a text or a list; this is a number",
		`len() > 1`:                    "len takes one value",
		`abs("a") > 1`:                 "abs takes a number; this is a text",
		`min(1) > 1`:                   "min takes two numbers or more",
		`max(1, "a") > 1`:              "max takes numbers; here is a text",
		`lower(1) == ""`:               "lower takes a text; this is a number",
		// loops and functions
		`all(order.skus, {# == "a"})`:         "column 1: this function is not allowed",
		`any(order.skus, # == "a")`:           "this function is not allowed",
		`map(1..9, #) == nil`:                 "this function is not allowed",
		`reduce(1..9, #acc + #) > 1`:          "this function is not allowed",
		`count(order.skus, true) > 1`:         "this function is not allowed",
		`order.skus | filter(# == "a") == []`: "this function is not allowed",
		`1..1e9 == nil`:                       "there are no ranges",
		`5 in 1..1000000000`:                  "there are no ranges",
		`len(1..1000000000) > 1`:              "there are no ranges",
		`repeat("a", 1000000000) == ""`:       "this function is not allowed",
		`now() == nil`:                        "this function is not allowed",
		`toJSON(order) == ""`:                 "this function is not allowed",
		`os.exit()`:                           "there is no such function",
		`exit(1)`:                             "there is no such function",
		`order.total.String() == ""`:          "there is no such function",
		// other powers of the language
		`let x = 1; x == 1`:               "without let and ;",
		`true; false`:                     "without let and ;",
		`true ? true : false`:             "there is no if",
		`if true { true } else { false }`: "there is no if",
		`order.number ?? "a" == "a"`:      "cannot be read",
		`(order.number ?? "a") == "a"`:    "this operator is not allowed",
		`{"a": 1} == nil`:                 "this is not allowed",
		`order.number[0:1] == "1"`:        "this is not allowed",
		`b"a" == nil`:                     "this is not allowed",
		`order.total / 3 > 1`:             "there is no division and no power",
		`order.total % 3 == 1`:            "there is no division and no power",
		`2 ** 1000000 > 1`:                "there is no division and no power",
		`9 ^ 9 > 1`:                       "there is no division and no power",
		// huge
		`order.total > 1e999999999`:                  "cannot be read",
		`order.total > 1e300`:                        "column 15: a number has at most 40 characters and 18 places",
		`order.total > 1e-300`:                       "a number has at most",
		`order.total > ` + strings.Repeat("9", 41):   "cannot be read",
		`order.total > 0.` + strings.Repeat("1", 50): "a number has at most",
		strings.Repeat("a", 1001):                    "column 1: the condition is longer than 1000 bytes",
		strings.Repeat("!", 300) + "true":            "the condition has more than 200 parts",
		"true" + strings.Repeat(" and true", 100):    "the condition has more than 200 parts",
		strings.Repeat("(", 900):                     "the condition cannot be read from here on",
		strings.Repeat("[", 900):                     "the condition cannot be read from here on",
		// patterns
		`order.number matches order.locale`:                       "the pattern after matches stands in quotes",
		`order.number matches "("`:                                "column 22: the pattern is not a regular expression",
		`order.number matches "(?=a)"`:                            "the pattern is not a regular expression",
		`order.number matches "(a{1000}){1000}"`:                  "the pattern is not a regular expression",
		`order.number matches "(.{100}){9}"`:                      "the pattern is too large",
		`order.number matches "` + strings.Repeat(`.{99}`, 9):     "cannot be read",
		`order.number matches "` + strings.Repeat("a", 201) + `"`: "column 22: the pattern is longer than 200 bytes",
		`order.number matches "\\pL"`:                             `the pattern holds \p`,
		`order.number matches "[^\\P{Greek}]"`:                    `the pattern holds \p`,
		`order.number matches "(?i)[Ā-\\x{1E943}]"`:               "(?i) with a range beyond ASCII",
		`order.number matches "a(?s-i:b)(?is:[\\x{100}-ÿ])"`:      "(?i) with a range beyond ASCII",
		`order.total matches "1"`:                                 "matches needs a text on both sides",
	} {
		c, err := when.Compile(source)
		require.ErrorContains(t, err, want, source)
		require.Nil(t, c, source)
	}
}

// A thousand bytes can ask for a million instructions: a hundred megabytes, and
// seconds once a trial has two hundred such conditions.
func TestPatternsThatRepeatMuchAreRefusedBeforeTheyAreUnrolled(t *testing.T) { //nolint:paralleltest // what others allocate would count
	for _, pattern := range []string{
		"(?:" + strings.Repeat("a", 180) + "){1000}", "(?:" + strings.Repeat("[^a]", 45) + "){1000}",
		"(?:(?:" + strings.Repeat("(a|b)", 30) + "){30}){30}", "(?:" + strings.Repeat("[^a-c]", 25) + "){0,1000}",
		"(?:" + strings.Repeat("^", 180) + "){999,}",
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := when.Compile(`order.number matches "` + pattern + `"`)
		runtime.ReadMemStats(&after)
		require.ErrorContains(t, err, "the pattern is too large", pattern)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20), pattern)
	}
}

func TestAnErrorNamesItsPlaceAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	for _, source := range []string{
		`order.customer.email == sk_live_secret`, `order.sk_live_secret == 1`, `sk_live_secret(1)`, `order.number = "sk_live_secret"`,
		`order.number matches "(sk_live_secret"`, `order.total == "sk_live_secret"`, `order.total > 1 "sk_live_secret"`,
		`"\usk_live_secret" == order.number`, `order.number == "sk_live_secret`, `1sk_live_secret == 1`,
		`order.metadata.sk_live_secret.x == 1`,
	} {
		_, err := when.Compile(source)
		place, ok := errors.AsType[*when.Error](err)
		require.True(t, ok, source)
		require.NotContains(t, err.Error(), "sk_live_secret", source)
		require.Positive(t, place.Column, source)
		require.LessOrEqual(t, place.Column, len(source)+1, source)
	}
}

func TestDeepConditionsWithinTheBoundsWork(t *testing.T) {
	t.Parallel()
	require.True(t, holds(t, begun(t, "1.00", "EUR"), strings.Repeat("(", 400)+"true"+strings.Repeat(")", 400)))
	require.True(t, holds(t, begun(t, "1.00", "EUR"), strings.Repeat("not ", 100)+"true"))
	require.True(t, holds(t, begun(t, "999999999999.99", "EUR"), "order.total"+strings.Repeat(" * order.total", 40)+" > 1"))
}
