package outbound

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// dialMax bounds the way to one connection: look-up, dialling, and once more the
// TLS handshake.
const dialMax = 5 * time.Second

// addressesMax is how many addresses of a name are tried.
const addressesMax = 4

var (
	errAddress = errors.New("the address may not be reached")
	errUnknown = errors.New("the host has no address")
)

// dialer dials addresses that it may, and no others.
type dialer struct {
	resolver Resolver
	may      func(netip.Addr) bool
}

// dial looks a host up once, and dials what came of that: between check and
// connection nobody is asked again. A name that leads to an address which may
// not be reached is refused as a whole.
func (d dialer) dial(ctx context.Context, network, hostPort string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialMax)
	defer cancel()
	host, port, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, errAddress
	}
	addresses, err := d.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	for _, a := range addresses {
		if !d.may(a) {
			return nil, errAddress
		}
	}
	last := errUnknown
	for _, a := range addresses[:min(len(addresses), addressesMax)] {
		var conn net.Conn
		control := net.Dialer{Control: d.control, Timeout: dialMax / 2} // the second address has a chance too
		if conn, last = control.DialContext(ctx, network, net.JoinHostPort(a.String(), port)); last == nil {
			return conn, nil
		}
	}
	return nil, last
}

func (d dialer) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	addresses, err := d.resolver.LookupNetIP(ctx, "ip", host)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, errUnknown
	}
	plain := make([]netip.Addr, len(addresses))
	for i, a := range addresses {
		plain[i] = a.Unmap() // some resolvers wrap those of IPv4
	}
	return plain, nil
}

// control has the last word: it sees the address that the socket is about to be
// connected to.
func (d dialer) control(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil || !d.may(a.Addr()) {
		return errAddress
	}
	return nil
}
