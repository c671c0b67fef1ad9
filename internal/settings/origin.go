package settings

import (
	"net/netip"
	"net/url"
	"strings"
)

// originOf returns the origin of an absolute URL, scheme://host[:port] in lower
// case without a default port, and "" for a URL that no shopper may be sent
// to: another scheme than https (or http on the loopback host), user data, or
// characters that browsers and we may read differently.
func originOf(raw string) string {
	for i := range len(raw) {
		if raw[i] <= ' ' || raw[i] >= 0x7f || raw[i] == '\\' {
			return ""
		}
	}
	u, err := url.Parse(raw)
	if err != nil || u.User != nil || u.Opaque != "" || !validHost(u.Hostname()) {
		return ""
	}
	scheme, host, port := u.Scheme, strings.ToLower(u.Hostname()), u.Port()
	if port == "" && strings.HasSuffix(u.Host, ":") {
		return ""
	}
	if scheme != "https" && (scheme != "http" || !loopback(host)) {
		return ""
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port == "" || scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		return scheme + "://" + host
	}
	return scheme + "://" + host + ":" + port
}

func validHost(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Zone() == ""
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || strings.Trim(strings.ToLower(label), "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

func loopback(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.IsLoopback()
	}
	return host == "localhost"
}

// MayReturnTo tells whether the store has registered the origin of a URL: the
// rule for an order's return URLs. Everything after the origin is free.
func (st *Store) MayReturnTo(rawURL string) bool {
	origin := originOf(rawURL)
	if origin == "" {
		return false
	}
	for _, registered := range st.ReturnOrigins {
		if registered == origin {
			return true
		}
	}
	return false
}

// origins reads the return origins of a store.
func (l *loader) origins(n *node) []string {
	var origins []string
	for _, item := range l.list(n) {
		value, ok := l.scalar(item, "text", text)
		switch {
		case !ok:
		case originOf(value) == "":
			l.report(item, "must be an origin such as https://shop.example; http only for localhost, 127.0.0.1 and [::1]")
		case originOf(value) != value:
			l.report(item, "must be the origin alone: scheme://host[:port] in lower case, without path, slash at the end and default port")
		default:
			origins = append(origins, value)
		}
	}
	return origins
}
