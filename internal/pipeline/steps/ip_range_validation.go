package steps

import (
	"net/netip"
	"slices"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

const networksMax = 200

var errSender = payment.Errorf(payment.KindForbidden, "sender_not_allowed",
	"requests for this are taken from other addresses only")

// ipRangeValidation lets a run go on only if whoever caused it has an address of
// some networks: the sender of a notification, the shop's server that pays, the
// shopper's browser that comes back, each behind the trusted proxies.
//
// What we do of our own accord (inquiries, expiry) has no sender and passes. A run
// that is taken up and a notification that is tried again are still from where they
// came from. One whose sender is not known is refused, or it would be enough to be
// refused once and wait.
type ipRangeValidation struct {
	networks []network
}

// network says of itself how it is written: settings report what payment.Invalid
// says, and of other errors nothing, since they may repeat a value.
type network struct{ netip.Prefix }

// UnmarshalText implements encoding.TextUnmarshaler.
func (n *network) UnmarshalText(text []byte) error {
	if n.Prefix.UnmarshalText(text) != nil || !n.IsValid() {
		return payment.Invalid("networks", "invalid", "must be a network such as 192.0.2.0/24; one address is 192.0.2.7/32")
	}
	return nil
}

var ipRangeValidationMaker = pipeline.Maker{
	Name: "ip-range-validation",
	Make: func(decode func(any) error) (pipeline.Step, error) {
		var c struct {
			Networks []network `yaml:"networks"`
		}
		if err := decode(&c); err != nil {
			return nil, err
		}
		if len(c.Networks) == 0 || len(c.Networks) > networksMax {
			return nil, payment.Invalid("networks", "invalid", "must list 1 to 200 networks such as 192.0.2.0/24")
		}
		return ipRangeValidation{networks: c.Networks}, nil
	},
}

func (ipRangeValidation) Name() string { return "ip-range-validation" }

func (s ipRangeValidation) Do(run *pipeline.Run) error {
	from := run.From.Unmap().WithZone("")
	if !from.IsValid() {
		if slices.ContainsFunc(run.Findings, func(f payment.Finding) bool { return f.Source == payment.SourceNotification }) {
			return errSender
		}
		return nil
	}
	contains := func(n network) bool { return n.Contains(from) }
	if from.IsUnspecified() || !slices.ContainsFunc(s.networks, contains) {
		return errSender
	}
	return nil
}
