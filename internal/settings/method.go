package settings

import (
	"maps"
	"slices"
	"strings"

	"github.com/paysvc/paysvc/internal/payment"
)

// positionMax bounds the position of a method.
const positionMax = 1_000_000

// method reads one method of a store whose accounts are read.
func (l *loader) method(st *Store, f field) *Method {
	m := &Method{Name: f.key, Active: true}
	n := f.value
	if !l.fields(n, "account", "kind", "title", "position", "active", "currencies", "countries", "min_total", "max_total",
		"fee", "fee_percent", "pipelines") {
		return m
	}
	m.Position = int(l.whole(n.get("position"), 0, positionMax))
	m.Active = l.flag(n.get("active"), true)
	m.Currencies = l.currencies(n.get("currencies"))
	m.Countries = l.countries(n.get("countries"))
	m.MinTotal = l.totals(n.get("min_total"), m.Currencies)
	m.MaxTotal = l.totals(n.get("max_total"), m.Currencies)
	for code, least := range m.MinTotal {
		if most, ok := m.MaxTotal[code]; ok && least.Cmp(most) > 0 {
			l.report(n.get("min_total").get(code), "is more than max_total")
		}
	}
	m.Fee = l.fee(n, m.Currencies)
	m.Pipelines = l.pipelines(n.get("pipelines"))
	l.bind(m, st, f)
	if title, ok := l.text(n.get("title")); ok {
		m.Title = title
	} else if m.Title = m.Spec.Title; m.Title == "" {
		m.Title = m.Name
	}
	return m
}

// bind finds the account of the method and what its gateway says of the kind.
func (l *loader) bind(m *Method, st *Store, f field) {
	n := f.value
	for _, key := range []string{"account", "kind"} {
		if n.get(key) == nil {
			l.report(f.at, "needs the key %s", key)
		}
	}
	kind, kindOK := l.scalar(n.get("kind"), "text", text)
	name, nameOK := l.scalar(n.get("account"), "text", text)
	if !nameOK {
		return
	}
	m.Kind, m.Account = kind, st.Accounts[name]
	if m.Account == nil {
		l.report(n.get("account"), "the store has no account of this name; it has %s", listed(st.Accounts))
		return
	}
	if m.Account.Gateway == nil || !kindOK {
		return // reported already
	}
	offered := m.Account.Gateway.Describe().Methods
	spec, ok := offered[kind]
	if !ok {
		l.report(n.get("kind"), "the gateway of the account has no method of this kind; it has %s", listed(offered))
		return
	}
	m.Spec = spec
}

// listed returns the keys of a map for people, those that may be repeated.
func listed[V any](m map[string]V) string {
	names := slices.Sorted(maps.Keys(m))
	names = slices.DeleteFunc(names, func(name string) bool { return !keyShape.MatchString(name) })
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func (l *loader) currencies(n *node) []payment.Currency {
	var currencies []payment.Currency
	for _, item := range l.list(n) {
		value, ok := l.scalar(item, "text", text)
		if !ok {
			continue
		}
		currency, err := payment.ParseCurrency(value)
		switch {
		case err != nil:
			l.report(item, "must be an ISO 4217 currency code in capital letters")
		case slices.Contains(currencies, currency):
			l.report(item, "stands here a second time")
		default:
			currencies = append(currencies, currency)
		}
	}
	return currencies
}

func (l *loader) countries(n *node) []string {
	var codes []string
	for _, item := range l.list(n) {
		value, ok := l.scalar(item, "text", text)
		switch {
		case !ok:
		case !isCountry(value):
			l.report(item, "must be an ISO 3166 country code of two capital letters")
		case slices.Contains(codes, value):
			l.report(item, "stands here a second time")
		default:
			codes = append(codes, value)
		}
	}
	return codes
}

// totals reads amounts by currency, which must be among those of the method.
func (l *loader) totals(n *node, offered []payment.Currency) map[string]payment.Money {
	return l.amounts(n, offered, payment.ParseMoney)
}

func (l *loader) amounts(
	n *node, offered []payment.Currency, parse func(string, payment.Currency) (payment.Money, error),
) map[string]payment.Money {
	if n == nil {
		return nil
	}
	if n.kind != mapping {
		l.mistyped(n, "amounts by currency code, such as EUR: 10.00")
		return nil
	}
	totals := make(map[string]payment.Money, len(n.fields))
	for _, f := range n.fields {
		currency, err := payment.ParseCurrency(f.key)
		if err != nil {
			l.report(f.at, "must be an ISO 4217 currency code in capital letters")
			continue
		}
		if len(offered) > 0 && !slices.Contains(offered, currency) {
			l.report(f.at, "the method is not offered in this currency")
		}
		value, ok := l.scalar(f.value, "an amount", text, number, fraction)
		if !ok {
			continue
		}
		amount, err := parse(value, currency)
		if err != nil {
			l.report(f.value, "must be an amount such as %s, with at most %d decimals", payment.Zero(currency), currency.Digits())
			continue
		}
		totals[f.key] = amount
	}
	return totals
}
