package outbound

import (
	"net/netip"
	"slices"
)

// unicast6 is all that IANA has given out of IPv6; what is outside is private,
// link-local, multicast, or translates to IPv4 (64:ff9b::/96).
var unicast6 = netip.MustParsePrefix("2000::/3")

// special are networks in the midst of the public ones that are not public: the
// special-purpose registries of IANA, and addresses at which a cloud talks to
// its machines.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),    // between a provider and its customers
	netip.MustParsePrefix("168.63.129.16/32"), // Azure's own
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("2001::/23"), // Teredo and others that lead elsewhere
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"), // carries an IPv4 address
	netip.MustParsePrefix("3fff::/20"),
}

// public tells whether an address is one that everybody reaches. Addresses that
// carry another one (IPv4-mapped, NAT64, 6to4) are not: their bearer is judged,
// never believed.
func public(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" || a.Is4In6() || a.Is6() && !unicast6.Contains(a) {
		return false
	}
	return a.IsGlobalUnicast() && !a.IsPrivate() && !within(special, a)
}

func within(networks []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(a) })
}
