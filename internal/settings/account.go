package settings

import (
	"errors"
	"net/netip"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// account reads one account and opens its gateway. The Gateway is nil where
// that failed.
func (l *loader) account(store string, f field) *Account {
	a := &Account{Name: f.key, Store: store}
	n := f.value
	if !l.fields(n, "gateway", "mode", "networks", "settings") {
		return a
	}
	a.Networks = l.networks(n.get("networks"))
	mode, modeOK := l.mode(n.get("mode"))
	a.Mode = mode
	if n.get("gateway") == nil {
		l.report(f.at, "needs the key gateway")
		return a
	}
	name, ok := l.scalar(n.get("gateway"), "text", text)
	if !ok {
		return a
	}
	if !nameShape.MatchString(name) {
		l.report(n.get("gateway"), "must be the name of a gateway")
		return a
	}
	a.GatewayName = name
	a.Gateway = l.open(a, f)
	if _, decides := a.Gateway.(gateways.Decider); modeOK && a.Gateway != nil && !decides && n.get("mode") == nil {
		l.report(f.at, "needs the key mode: test or live")
	}
	return a
}

// mode reads whether money is real. It may be left out where no PSP is
// involved, and is live then.
func (l *loader) mode(n *node) (payment.Mode, bool) {
	if n == nil {
		return payment.ModeLive, true
	}
	value, ok := l.scalar(n, "text", text)
	if !ok {
		return payment.ModeLive, false
	}
	switch mode := payment.Mode(value); mode {
	case payment.ModeTest, payment.ModeLive:
		return mode, true
	}
	l.report(n, "must be test or live")
	return payment.ModeLive, false
}

// networks reads the networks that notifications may come from.
func (l *loader) networks(n *node) []netip.Prefix {
	var networks []netip.Prefix
	for _, item := range l.list(n) {
		value, ok := l.scalar(item, "text", text)
		if !ok {
			continue
		}
		prefix, err := netip.ParsePrefix(value)
		if addr, single := netip.ParseAddr(value); single == nil && addr.Zone() == "" {
			prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		switch {
		case err != nil || prefix.Addr().Is4In6():
			l.report(item, "must be a network such as 203.0.113.0/24, or an address")
		case prefix != prefix.Masked():
			l.report(item, "must be the first address of the network")
		default:
			networks = append(networks, prefix)
		}
	}
	return networks
}

// open opens the gateway of an account and reports what it says about its
// settings.
func (l *loader) open(a *Account, f field) gateways.Gateway {
	own := f.value.get("settings")
	if own != nil && own.kind != mapping {
		l.mistyped(own, "keys with values")
		return nil
	}
	before, asked := len(l.problems), false
	gateway, err := l.deps.Open(a.GatewayName, a.Mode, a.Name, func(target any) error {
		asked = true
		return l.decode(own, target)
	})
	switch {
	case len(l.problems) > before: // an error that decode returned comes back as err
		return nil
	case err != nil:
		l.refused(err, f.at, own, f.at.path+".settings")
		return nil
	case !asked && own != nil && len(own.fields) > 0:
		l.report(own, "this gateway has no settings")
		return nil
	}
	return gateway
}

// refused reports what a gateway or a step says is wrong with its own settings,
// at the setting where it names one, and else at the place where it is used. base
// is the path that its settings have.
func (l *loader) refused(err error, used, own *node, base string) {
	invalid := invalidErrors(err)
	for _, e := range invalid {
		for _, wrong := range e.Fields {
			at := &node{line: used.line, column: used.column, path: base + "." + wrong.Field}
			if setting := own.find(at.path); setting != nil {
				at = setting
			}
			l.report(at, "%s", l.redact(wrong.Message, own))
		}
	}
	if len(invalid) == 0 {
		l.report(used, "%s", l.redact(err.Error(), own))
	}
}

// invalidErrors returns the errors about fields within err, which may be
// several that were joined.
func invalidErrors(err error) []*payment.Error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var found []*payment.Error
		for _, one := range many.Unwrap() {
			found = append(found, invalidErrors(one)...)
		}
		return found
	}
	if e, ok := err.(*payment.Error); ok && len(e.Fields) > 0 { //nolint:errorlint // unwrapped here, layer by layer
		return []*payment.Error{e}
	}
	if inner := errors.Unwrap(err); inner != nil {
		return invalidErrors(inner)
	}
	return nil
}
