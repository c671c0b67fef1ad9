// Package catalog lists every gateway. Adding one is its directory and one entry
// here; nothing registers itself.
package catalog

import (
	"fmt"
	"strings"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/gateways/giftcard"
	"github.com/paysvc/paysvc/internal/gateways/offline"
	"github.com/paysvc/paysvc/internal/gateways/sandbox"
	"github.com/paysvc/paysvc/internal/gateways/stripe"
	"github.com/paysvc/paysvc/internal/gateways/zero"
)

// Entry is a gateway that settings can name.
type Entry struct {
	Name string
	// Open makes the gateway for an account. decode fills a pointer to the
	// gateway's configuration from the account's settings, strictly and with
	// secrets resolved; a gateway without settings does not call it.
	Open func(d gateways.Deps, decode func(any) error) (gateways.Gateway, error)
}

// All returns every gateway, sorted by name.
func All() []Entry {
	return []Entry{
		{giftcard.Name, plain(giftcard.New)},
		{offline.Name, configured(offline.New)},
		{sandbox.Name, configured(sandbox.New)},
		{stripe.Name, configured(stripe.New)},
		{zero.Name, plain(zero.New)},
	}
}

// Open opens the gateway of this name for an account.
func Open(name string, d gateways.Deps, decode func(any) error) (gateways.Gateway, error) {
	var names []string
	for _, e := range All() {
		if e.Name == name {
			return e.Open(d, decode)
		}
		names = append(names, e.Name)
	}
	return nil, fmt.Errorf("there is no gateway of this name; there are %s", strings.Join(names, ", "))
}

// configured adapts the constructor of a gateway with settings of type C.
func configured[C any, G gateways.Gateway](open func(C, gateways.Deps) (G, error)) func(gateways.Deps, func(any) error) (gateways.Gateway, error) {
	return func(d gateways.Deps, decode func(any) error) (gateways.Gateway, error) {
		var c C
		if err := decode(&c); err != nil {
			return nil, err
		}
		g, err := open(c, d)
		if err != nil {
			return nil, err // not g: a nil pointer in an interface is not nil
		}
		return g, nil
	}
}

// plain adapts the constructor of a gateway without settings.
func plain[G gateways.Gateway](open func(gateways.Deps) G) func(gateways.Deps, func(any) error) (gateways.Gateway, error) {
	return func(d gateways.Deps, _ func(any) error) (gateways.Gateway, error) { return open(d), nil }
}
