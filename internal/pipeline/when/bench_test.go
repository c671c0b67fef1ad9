package when_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/pipeline/when"
)

// A condition may take a microsecond.
func BenchmarkHolds(b *testing.B) {
	for name, source := range map[string]string{
		"number":     `order.total >= 100`,
		"typical":    `order.total >= 100 and order.billing.country in ["DE", "AT", "CH"] and method.name == "card"`,
		"due":        `order.due > 0 and payment.amount + payment.fee <= 100.45`,
		"attribute":  `order.attributes["risk.score"] > 80`,
		"everything": `order.customer.email endsWith ".org" and "A-1" in order.skus and order.quantity > 4 and fact.changed`,
		"pattern":    `order.number matches "^[0-9]{4}$"`,
	} {
		b.Run(name, func(b *testing.B) {
			c, err := when.Compile(source)
			require.NoError(b, err)
			run := paying(b)
			b.ReportAllocs()
			for b.Loop() {
				if held, err := c.Holds(run); !held || err != nil {
					b.Fatal(held, err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := when.Compile(`order.total >= 100 and order.billing.country in ["DE", "AT", "CH"]`); err != nil {
			b.Fatal(err)
		}
	}
}
