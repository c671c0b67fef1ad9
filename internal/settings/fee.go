package settings

import (
	"errors"
	"strings"

	"github.com/paysvc/paysvc/internal/payment"
)

// fee reads what a method costs on top: fee, amounts by currency, and
// fee_percent. Both may be negative. They are read as text, never as floats.
func (l *loader) fee(n *node, offered []payment.Currency) payment.FeeRule {
	rule := payment.FeeRule{Fixed: l.amounts(n.get("fee"), offered, signedMoney)}
	at := n.get("fee_percent")
	value, ok := l.scalar(at, "a percentage", text, number, fraction)
	if !ok {
		return rule
	}
	percent, err := payment.ParsePercent(value)
	if wrong, ok := errors.AsType[*payment.Error](err); ok {
		l.report(at, "%s", wrong.Message)
	}
	rule.Percent = percent
	return rule
}

// signedMoney reads an amount that may begin with a minus sign.
func signedMoney(amount string, c payment.Currency) (payment.Money, error) {
	plain, negative := strings.CutPrefix(amount, "-")
	m, err := payment.ParseMoney(plain, c)
	if err != nil || !negative {
		return m, err
	}
	return payment.Zero(c).Sub(m), nil
}
