package outbound

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// urlMaxBytes bounds a URL.
const urlMaxBytes = 2000

// What is wrong with a URL. The sentences repeat nothing of it.
var (
	errShape       = errors.New("must be an absolute URL such as https://shop.example/hooks")
	errScheme      = errors.New("must begin with https://")
	errCredentials = errors.New("must not carry a user or a password")
	errFragment    = errors.New("must not have a fragment")
	errHost        = errors.New("must name a public host")
)

// CheckURL tells what is wrong with a URL that a store gives, as far as the URL
// alone says. The address is judged anew whenever it is dialled: names change
// their addresses. http is for the allowed networks.
func CheckURL(raw string, allowed []netip.Prefix) error {
	if len(raw) > urlMaxBytes || strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }) {
		return errShape
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "" || strings.HasSuffix(u.Host, ":"):
		return errShape
	case u.Scheme != "https" && (u.Scheme != "http" || len(allowed) == 0):
		return errScheme
	case u.User != nil:
		return errCredentials
	case u.Fragment != "" || strings.HasSuffix(raw, "#"):
		return errFragment
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return errShape
		}
	}
	return checkHost(u.Hostname(), u.Scheme, allowed)
}

func checkHost(host, scheme string, allowed []netip.Prefix) error {
	if a, err := netip.ParseAddr(host); err == nil {
		if within(allowed, a) || scheme == "https" && public(a) {
			return nil
		}
		return errHost
	}
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return errHost
		}
	}
	// 127.1, 0x7f.1 and 2130706433 are addresses to some resolvers.
	if top := labels[len(labels)-1]; strings.Trim(top, "0123456789") == "" || strings.HasPrefix(top, "0x") {
		return errHost
	}
	if len(allowed) == 0 && (name == "localhost" || strings.HasSuffix(name, ".localhost") || len(labels) == 1) {
		return errHost
	}
	return nil
}
