package when

import (
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// names is the vocabulary: every word that a condition may use. docs/configured-steps.md
// explains the same words to shops.
var names = map[string]expression{
	"order.id":                   ofOrder(func(o *payment.Order) string { return o.ID.String() }),
	"order.store":                ofOrder(func(o *payment.Order) string { return o.Store }),
	"order.number":               ofOrder(func(o *payment.Order) string { return o.Number }),
	"order.currency":             ofOrder(func(o *payment.Order) string { return o.Currency.String() }),
	"order.total":                moneyOf(func(o *payment.Order) payment.Money { return o.Total }),
	"order.due":                  moneyOf((*payment.Order).Due),
	"order.tax":                  moneyOf(func(o *payment.Order) payment.Money { return o.Tax }),
	"order.discount":             moneyOf(func(o *payment.Order) payment.Money { return o.Discount }),
	"order.locale":               ofOrder(func(o *payment.Order) string { return o.Locale }),
	"order.status":               ofOrder(func(o *payment.Order) string { return string(o.Progress.Status) }),
	"order.payment_status":       ofOrder(func(o *payment.Order) string { return string(o.PaymentStatus()) }),
	"order.review":               ofOrder(func(o *payment.Order) string { return string(o.Review) }),
	"order.basket_id":            ofOrder(func(o *payment.Order) string { return o.BasketID }),
	"order.customer.id":          ofOrder(func(o *payment.Order) string { return o.Customer.ID }),
	"order.customer.email":       ofOrder(func(o *payment.Order) string { return o.Customer.Email }),
	"order.customer.name":        ofOrder(func(o *payment.Order) string { return o.Customer.Name }),
	"order.customer.ip":          ofOrder(func(o *payment.Order) string { return o.Customer.IP }),
	"order.customer.phone":       ofOrder(func(o *payment.Order) string { return o.Customer.Phone }),
	"order.billing.country":      ofOrder(func(o *payment.Order) string { return o.BillingAddress.Country }),
	"order.billing.region":       ofOrder(func(o *payment.Order) string { return o.BillingAddress.Region }),
	"order.billing.city":         ofOrder(func(o *payment.Order) string { return o.BillingAddress.City }),
	"order.billing.postal_code":  ofOrder(func(o *payment.Order) string { return o.BillingAddress.PostalCode }),
	"order.billing.company":      ofOrder(func(o *payment.Order) string { return o.BillingAddress.Company }),
	"order.shipping.country":     ofOrder(func(o *payment.Order) string { return o.ShippingAddress.Country }),
	"order.shipping.region":      ofOrder(func(o *payment.Order) string { return o.ShippingAddress.Region }),
	"order.shipping.city":        ofOrder(func(o *payment.Order) string { return o.ShippingAddress.City }),
	"order.shipping.postal_code": ofOrder(func(o *payment.Order) string { return o.ShippingAddress.PostalCode }),
	"order.shipping.company":     ofOrder(func(o *payment.Order) string { return o.ShippingAddress.Company }),
	"order.lines":                countOf(func(o *payment.Order) int64 { return int64(len(o.Lines)) }),
	"order.quantity":             countOf(quantity),
	"order.skus":                 listOf(func(s *scope) []string { return skus(s.run.Order) }),
	"order.promotion_codes":      listOf(func(s *scope) []string { return s.run.Order.PromotionCodes }),
	"order.metadata":             {kind: keyed, at: metadataAt, has: hasMetadata},
	"order.attributes":           {kind: keyed, at: attributeAt, has: hasAttribute},

	"payment.exists": truthOf(func(s *scope) bool { return s.run.Payment != nil }),
	"payment.amount": moneyOfPayment(func(p *payment.Payment) payment.Money { return p.Amount }),
	"payment.fee":    moneyOfPayment(func(p *payment.Payment) payment.Money { return p.Fee }),
	"payment.status": ofPayment(func(p *payment.Payment) string { return string(p.Status) }),
	"payment.mode":   ofPayment(func(p *payment.Payment) string { return string(p.Mode) }),
	"payment.n":      numberOf(attempt),

	"method.name":    ofPayment(func(p *payment.Payment) string { return p.Method }),
	"method.gateway": ofPayment(func(p *payment.Payment) string { return p.Gateway }),
	"method.account": ofPayment(func(p *payment.Payment) string { return p.Account }),

	"operation.exists":    ifOperation(func(*pipeline.Operation) bool { return true }),
	"operation.action":    ofOperation(func(op *pipeline.Operation) string { return string(op.Action) }),
	"operation.amount":    numberOf(amountOfOperation),
	"operation.reason":    ofOperation(func(op *pipeline.Operation) string { return op.Reason }),
	"operation.reference": ofOperation(func(op *pipeline.Operation) string { return op.StoreReference }),
	"operation.author":    ofOperation(func(op *pipeline.Operation) string { return op.Author }),
	"operation.final":     ifOperation(func(op *pipeline.Operation) bool { return op.Final }),
	"operation.offline":   ifOperation(func(op *pipeline.Operation) bool { return op.Offline }),
	"operation.releasing": ifOperation(func(op *pipeline.Operation) bool { return op.Releasing }),

	"fact.exists":   truthOf(func(s *scope) bool { return s.run.Finding() != nil }),
	"fact.changed":  ifFact(func(f *payment.Finding) bool { return f.Changed }),
	"fact.mismatch": ifFact(func(f *payment.Finding) bool { return f.Mismatch }),
	"fact.state":    ofFact(func(f *payment.Finding) string { return string(f.Transaction.State) }),
	"fact.type":     ofFact(func(f *payment.Finding) string { return string(f.Transaction.Type) }),
	"fact.source":   ofFact(func(f *payment.Finding) string { return string(f.Source) }),
	"fact.reason":   ofFact(func(f *payment.Finding) string { return f.Transaction.Reason.Code }),
	"fact.amount": numberOf(func(s *scope) (decimal.Decimal, bool) {
		if f := s.run.Finding(); f != nil {
			return f.Transaction.Amount.Decimal(), true
		}
		return decimal.Decimal{}, false
	}),
}

// ofOperation are the words about what somebody wants done with money.
func ofOperation(get func(*pipeline.Operation) string) expression {
	return textOf(func(s *scope) (string, bool) {
		if s.run.Operation == nil {
			return "", false
		}
		return get(s.run.Operation), true
	})
}

func ifOperation(get func(*pipeline.Operation) bool) expression {
	return truthOf(func(s *scope) bool { return s.run.Operation != nil && get(s.run.Operation) })
}

func amountOfOperation(s *scope) (decimal.Decimal, bool) {
	if s.run.Operation == nil {
		return decimal.Decimal{}, false
	}
	amount, some := s.run.Operation.Amount()
	return amount.Decimal(), some
}

// below returns the names that may follow a prefix: those of the first level for
// "".
func below(prefix string) []string {
	seen := map[string]bool{}
	for name := range names {
		rest, ok := strings.CutPrefix(name, prefix)
		if ok {
			next, _, _ := strings.Cut(rest, ".")
			seen[next] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

func ofOrder(get func(*payment.Order) string) expression {
	return textOf(func(s *scope) (string, bool) { return get(s.run.Order), true })
}

func moneyOf(get func(*payment.Order) payment.Money) expression {
	return numberOf(func(s *scope) (decimal.Decimal, bool) { return get(s.run.Order).Decimal(), true })
}

func countOf(get func(*payment.Order) int64) expression {
	return numberOf(func(s *scope) (decimal.Decimal, bool) { return decimal.NewFromInt(get(s.run.Order)), true })
}

func quantity(o *payment.Order) int64 {
	var sum int64
	for _, l := range o.Lines {
		sum += l.Quantity
	}
	return sum
}

func skus(o *payment.Order) []string {
	list := make([]string, len(o.Lines))
	for i, l := range o.Lines {
		list[i] = l.SKU
	}
	return list
}

func ofPayment(get func(*payment.Payment) string) expression {
	return textOf(func(s *scope) (string, bool) {
		if s.run.Payment == nil {
			return "", false
		}
		return get(s.run.Payment), true
	})
}

func moneyOfPayment(get func(*payment.Payment) payment.Money) expression {
	return numberOf(func(s *scope) (decimal.Decimal, bool) {
		if s.run.Payment == nil {
			return decimal.Decimal{}, false
		}
		return get(s.run.Payment).Decimal(), true
	})
}

// attempt tells how many payments the order had when this one was begun, itself
// included.
func attempt(s *scope) (decimal.Decimal, bool) {
	if s.run.Payment == nil {
		return decimal.Decimal{}, false
	}
	n := slices.Index(s.run.Order.Payments, s.run.Payment) + 1
	return decimal.NewFromInt(int64(n)), n > 0
}

func ofFact(get func(*payment.Finding) string) expression {
	return textOf(func(s *scope) (string, bool) {
		if f := s.run.Finding(); f != nil {
			return get(f), true
		}
		return "", false
	})
}

func ifFact(get func(*payment.Finding) bool) expression {
	return truthOf(func(s *scope) bool {
		f := s.run.Finding()
		return f != nil && get(f)
	})
}

func metadataAt(key string) expression {
	return textOf(func(s *scope) (string, bool) {
		value, ok := s.run.Order.Metadata[key]
		return value, ok
	})
}

func hasMetadata(s *scope, key string) bool {
	_, ok := s.run.Order.Metadata[key]
	return ok
}
