package outbound_test

import (
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/outbound"
)

// notPublic are addresses of every kind that a store must not reach.
var notPublic = []string{
	"127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
	"169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "192.0.2.1",
	"198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
	"::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1",
	"100::1", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001::1", "2001:db8::1", "2002:7f00:1::1",
	"3fff::1", "5f00::1",
}

func TestAddressesThatAreNotPublicAreRefused(t *testing.T) {
	t.Parallel()
	open := clientOf(t, outbound.Config{})
	for _, address := range notPublic {
		host := address
		if strings.Contains(address, ":") {
			host = "[" + address + "]"
		}
		require.Error(t, open.CheckURL("https://"+host+"/"), address)
		_, err := open.Post(t.Context(), message("https://"+host+"/"))
		requireFailure(t, outbound.URLRefused, err)

		named := clientOf(t, outbound.Config{Resolver: &names{known: map[string][][]string{"shop.example": {{address}}}}})
		if strings.HasPrefix(address, "::ffff:8") {
			continue // from a resolver that is how some write 8.8.8.8
		}
		_, err = named.Post(t.Context(), message("https://shop.example/"))
		requireFailure(t, outbound.AddressRefused, err)
	}
}

func TestANameWithOneForbiddenAddressIsRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	for _, addresses := range [][]string{{"8.8.8.8", "127.0.0.1"}, {"2606:4700::1111", "fd00::1"}, {"1.1.1.1", "::ffff:10.0.0.1"}} {
		client := clientOf(t, outbound.Config{Resolver: &names{known: map[string][][]string{"shop.example": {addresses}}}})
		_, err := client.Post(t.Context(), message("https://shop.example/"))
		requireFailure(t, outbound.AddressRefused, err)
	}
}

func TestANameThatFlipsIsJudgedByTheAddressThatIsDialled(t *testing.T) {
	t.Parallel()
	var seen atomic.Int32
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		seen.Add(1)
		w.Header().Set("Connection", "close")
	})
	book := &names{known: map[string][][]string{"shop.example": {{"127.0.0.1"}, {"127.0.0.2"}, {"127.0.0.1"}}}}
	client := clientOf(t, outbound.Config{Allowed: loopback, Resolver: book})
	named := strings.Replace(url, "127.0.0.1", "shop.example", 1)
	_, err := client.Post(t.Context(), message(named))
	require.NoError(t, err)
	require.Equal(t, 1, book.lookups(), "between check and connection nobody is asked again")
	_, err = client.Post(t.Context(), message(named))
	requireFailure(t, outbound.AddressRefused, err)
	_, err = client.Post(t.Context(), message(named))
	require.NoError(t, err)
	require.EqualValues(t, 2, seen.Load())
}

func TestPlainHTTPIsForAllowedNetworksOnly(t *testing.T) {
	t.Parallel()
	_, err := clientOf(t, outbound.Config{}).Post(t.Context(), message("http://shop.example/"))
	requireFailure(t, outbound.URLRefused, err)
	client := clientOf(t, outbound.Config{Allowed: loopback, Resolver: &names{known: map[string][][]string{
		"shop.example": {{"8.8.8.8"}},
	}}})
	_, err = client.Post(t.Context(), message("http://shop.example/"))
	requireFailure(t, outbound.AddressRefused, err)
}

func TestUnreachableHosts(t *testing.T) {
	t.Parallel()
	client := clientOf(t, outbound.Config{Allowed: loopback, Resolver: &names{}})
	_, err := client.Post(t.Context(), message("https://nobody.example/"))
	requireFailure(t, outbound.HostUnknown, err)
	_, err = client.Post(t.Context(), message("http://127.0.0.1:1/"))
	requireFailure(t, outbound.ConnectFailed, err)
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	lan := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, fine := range []string{
		"https://shop.example", "https://shop.example:8443/hooks?x=1", "https://8.8.8.8/", "https://[2606:4700::1111]/",
		"https://xn--bcher-kva.example/", "https://a_b.shop.example./",
	} {
		require.NoError(t, outbound.CheckURL(fine, nil), fine)
		require.NoError(t, outbound.CheckURL(fine, lan), fine)
	}
	for _, inside := range []string{"http://10.1.2.3/", "https://10.1.2.3/", "http://shop/", "http://shop.lan:8080/x"} {
		require.NoError(t, outbound.CheckURL(inside, lan), inside)
		require.Error(t, outbound.CheckURL(inside, nil), inside)
	}
	for _, bad := range []string{
		"", "shop.example", "//shop.example", "ftp://shop.example", "file:///etc/passwd", "gopher://shop.example", "javascript:alert(1)",
		"https:shop.example", "https://", "https:///x", "https://:443/", "https://shop.example:/", "https://shop.example:0/",
		"https://shop.example:99999/", "https://user@shop.example/", "https://user:pw@shop.example/", "https://shop.example/#x",
		"https://shop.example/#", "https://shop.example\\@10.0.0.1/", "https://shop.example /", "https://shop.example/\n",
		"https://bücher.example/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/",
		"https://shop..example/", "https://shop.example%2f@127.0.0.1/", "https://[fe80::1%25eth0]/", "https://127.0.0.1/",
		"https://" + strings.Repeat("a", 2000) + ".example/",
	} {
		require.Error(t, outbound.CheckURL(bad, nil), bad)
		require.Error(t, outbound.CheckURL(bad, lan), bad)
	}
	for _, own := range []string{"https://localhost/", "https://LOCALHOST./", "https://a.localhost/", "https://intranet/"} {
		require.Error(t, outbound.CheckURL(own, nil), own)
	}
}
