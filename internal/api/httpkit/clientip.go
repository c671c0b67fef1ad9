package httpkit

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
)

// forwardedHopsMax bounds how many entries of X-Forwarded-For are looked at.
const forwardedHopsMax = 32

// ClientIP is the address that the request came from: of the connection, or,
// behind trusted proxies, the rightmost address of X-Forwarded-For that is not
// one of them. It is the zero Addr outside of a request.
func ClientIP(ctx context.Context) netip.Addr {
	if s := scopeOf(ctx); s != nil {
		return s.ip
	}
	return netip.Addr{}
}

func (k *Kit) resolveClientIP(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scopeOf(r.Context()).ip = clientIP(r, k.config.TrustedProxies)
		next.ServeHTTP(w, r)
	})
}

// clientIP walks X-Forwarded-For from the right for as long as the address
// that wrote the entry is trusted. An entry that is no address ends the walk:
// whatever stands left of it cannot be vouched for.
func clientIP(r *http.Request, trusted []netip.Prefix) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	ip := peer.Addr().Unmap().WithZone("")
	values := r.Header["X-Forwarded-For"]
	hops := 0
	for i := len(values) - 1; i >= 0; i-- {
		rest := values[i]
		for rest != "" {
			if !isTrusted(ip, trusted) || hops == forwardedHopsMax {
				return ip
			}
			var entry string
			if comma := strings.LastIndexByte(rest, ','); comma >= 0 {
				entry, rest = rest[comma+1:], rest[:comma]
			} else {
				entry, rest = rest, ""
			}
			next, ok := parseHop(strings.TrimSpace(entry))
			if !ok {
				return ip
			}
			ip = next
			hops++
		}
	}
	return ip
}

func isTrusted(ip netip.Addr, trusted []netip.Prefix) bool {
	for _, prefix := range trusted {
		if prefix.Contains(ip) {
			return true
		}
	}
	return false
}

// parseHop accepts an address, and an address with a port, which some proxies
// write.
func parseHop(entry string) (netip.Addr, bool) {
	if ip, err := netip.ParseAddr(entry); err == nil {
		return ip.Unmap().WithZone(""), true
	}
	if hop, err := netip.ParseAddrPort(entry); err == nil {
		return hop.Addr().Unmap().WithZone(""), true
	}
	return netip.Addr{}, false
}
