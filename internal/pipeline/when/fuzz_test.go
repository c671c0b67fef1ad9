package when_test

import (
	"testing"

	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/pipeline/when"
)

// Whatever stands in the settings, reading and deciding it neither panics nor
// takes long.
func FuzzCompileAndHold(f *testing.F) {
	for _, seed := range []string{
		`order.total >= 100 and payment.amount < 99.95`, `order.currency in ["EUR"] or not fact.changed`,
		`order.customer.email matches "^a+$"`, `order.attributes["risk"] + 1e9 > -0.1`, `all(1..1e9, {# > 1})`,
		`if true { let x = 1; x } else if`, `a?.b?.[c]`, `"\u{10FFFF}" == 'a'`, `1 < 2 < 3 <`, `b'\xff'`, `x | y(`, `// c`, `/*`,
		`min(order.total, max(1, abs(-2)))`, `0x1_0.e5`, `#`, `::f()`, `not in`, `1 ?? 2 ? 3 : 4`,
	} {
		f.Add(seed)
	}
	runs := []*pipeline.Run{paying(f), begun(f, "5", "JPY")}
	f.Fuzz(func(t *testing.T, source string) {
		c, err := when.Compile(source)
		if err != nil {
			if _, ok := err.(*when.Error); !ok { //nolint:errorlint // the type itself is the promise
				t.Fatalf("not an *Error: %v", err)
			}
			return
		}
		for _, run := range runs {
			_, _ = c.Holds(run)
		}
	})
}
