package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/postgres/pgtest"
)

func TestHelpVersionAndUnknownCommands(t *testing.T) {
	t.Parallel()
	require.Equal(t, result{out: "paysvc e2e-test\n"}, run(t, nil, "version"))
	help := run(t, nil, "help")
	require.Zero(t, help.code)
	for _, word := range []string{
		"serve", "dev", "migrate", "settings", "pipelines", "keys", "inquire", "reconcile", "version",
		"PAYSVC_LISTEN", "PAYSVC_DATABASE_URL", "PAYSVC_PUBLIC_URL", "PAYSVC_SETTINGS", "PAYSVC_LOG_LEVEL",
	} {
		require.Contains(t, help.out, word)
	}
	require.Equal(t, help.out, run(t, nil).out)
	for _, args := range [][]string{{"serv"}, {"keys"}, {"keys", "mint", "--store", "demo"}, {"pipelines"}, {"settings", "chek"}, {"inquire"}} {
		env := map[string]string{"PAYSVC_DATABASE_URL": "postgres://127.0.0.1:1/none"}
		r := run(t, env, args...)
		require.Equal(t, 1, r.code, args)
		require.Empty(t, r.out)
		require.NotEmpty(t, r.err)
		require.Equal(t, 1, strings.Count(r.err, "\n"), "one line: %s", r.err)
	}
}

// An argument that is passed over is worse than a refusal: "settings check new.yaml"
// would call fine what it has not read.
func TestNoArgumentIsPassedOver(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"settings", "check", "new.yaml"}, {"pipelines", "show", "--mermaide"}, {"pipelines", "show", "internal"},
		{"pipelines", "try", "--pipline", "confirm"}, {"keys", "list", "--store", "demo", "all"},
		{"serve", "--help"}, {"dev", "fresh"}, {"version", "1"}, {"migrate", "version", "2"}, {"migrate", "up", "2"},
	} {
		r := run(t, nil, args...)
		require.Equal(t, 1, r.code, args)
		require.Empty(t, r.out, args)
		require.Equal(t, 1, strings.Count(r.err, "\n"), "one line: %s", r.err)
		require.Contains(t, r.err, "help", args)
	}
}

func TestACommandWithFlagsExplainsThem(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"pipelines", "try", "--help"}, {"keys", "create", "-h"}} {
		r := run(t, nil, args...)
		require.Zero(t, r.code, r.err)
		require.Empty(t, r.err)
		require.Contains(t, r.out, "-store")
	}
}

func TestServeSaysWhatIsMissingAndRepeatsNoSecret(t *testing.T) {
	t.Parallel()
	r := run(t, nil, "serve")
	require.Equal(t, 1, r.code)
	require.Contains(t, r.err, "PAYSVC_DATABASE_URL")
	require.Contains(t, r.err, "PAYSVC_PUBLIC_URL")

	env := map[string]string{
		"PAYSVC_DATABASE_URL": "postgres://paysvc:hunter2@127.0.0.1:1/none", "PAYSVC_PUBLIC_URL": publicURL,
	}
	r = run(t, env, "serve")
	require.Equal(t, 1, r.code)
	require.Contains(t, r.err, "PAYSVC_SETTINGS")

	env["PAYSVC_SETTINGS"] = writeSettings(t, "stores: {demo: {accounts: {zero: {gateway: zero, mode: test}}}}\n")
	r = run(t, env, "serve")
	require.Equal(t, 1, r.code)
	require.NotContains(t, r.err, "hunter2")

	env["PAYSVC_LOG_LEVEL"], env["PAYSVC_TRUSTED_PROXIES"] = "loud", "everywhere"
	r = run(t, env, "serve")
	require.Contains(t, r.err, "PAYSVC_LOG_LEVEL", "every problem at once")
	require.Contains(t, r.err, "PAYSVC_TRUSTED_PROXIES")
}

func writeSettings(t testing.TB, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "paysvc.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestSettingsCheckReportsEveryProblemWithItsPlace(t *testing.T) {
	t.Parallel()
	fine := run(t, nil, "settings", "check")
	require.Zero(t, fine.code, fine.err)
	require.Contains(t, fine.out, "fine")

	env := map[string]string{"PAYSVC_SETTINGS": writeSettings(t, `stores:
  demo:
    titel: Demo
    return_origins: [ftp://shop.example]
    accounts:
      zero:
        gateway: zeero
    methods:
      card:
        account: nobody
        kind: card
`)}
	broken := run(t, env, "settings", "check")
	require.Equal(t, 1, broken.code)
	require.Empty(t, broken.out)
	for _, place := range []string{":3:", ":4:", ":6:", ":10:"} {
		require.Contains(t, broken.err, "paysvc.yaml"+place, "every problem at once")
	}
	require.NotZero(t, run(t, map[string]string{"PAYSVC_SETTINGS": "/nowhere/paysvc.yaml"}, "settings", "check").code)
}

func TestPipelinesShowPrintsWhatRunsAsTextAndAsCharts(t *testing.T) {
	t.Parallel()
	text := run(t, nil, "pipelines", "show")
	require.Zero(t, text.code, text.err)
	for _, word := range []string{"demo", "wallet", "pre-process", "psp-redirect", "confirm", "order-path-selector", "status-cancel"} {
		require.Contains(t, text.out, word)
	}
	charts := run(t, nil, "pipelines", "show", "--mermaid")
	require.Zero(t, charts.code, charts.err)
	require.Contains(t, charts.out, "flowchart")
	require.Contains(t, charts.out, "psp-redirect")
	require.NotEqual(t, text.out, charts.out)
}

func TestMigrateUpDownUp(t *testing.T) {
	t.Parallel()
	env := map[string]string{"PAYSVC_DATABASE_URL": pgtest.Empty(t)}
	migrate := func(args ...string) string {
		t.Helper()
		r := run(t, env, append([]string{"migrate"}, args...)...)
		require.Zero(t, r.code, r.err)
		return r.out
	}
	require.Equal(t, "schema version 0\n", migrate("version"))
	newest := migrate()
	require.NotEqual(t, "schema version 0\n", newest)
	require.Equal(t, newest, migrate("up"), "again changes nothing")
	require.Equal(t, newest, migrate("version"))
	require.NotEqual(t, newest, migrate("down", "1"))
	require.Equal(t, newest, migrate("up"))
	for _, wrong := range [][]string{{"down"}, {"down", "all"}, {"sideways"}} {
		require.Equal(t, 1, run(t, env, append([]string{"migrate"}, wrong...)...).code, wrong)
	}
	require.Equal(t, 1, run(t, nil, "migrate").code)
	require.Equal(t, newest, migrate("version"))
}

func TestKeysAreCreatedListedAndRevoked(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	s := d.serve()
	made := run(t, d.env, "keys", "create", "--store", "demo", "--name", "reader", "--scopes", "read")
	require.Zero(t, made.code, made.err)
	lines := strings.Split(made.out, "\n")
	id, secret := lines[0], lines[1]
	require.True(t, strings.HasPrefix(secret, "paysk_live_"), secret)

	reader := newShop(t, s.base, secret)
	reader.do(http.StatusOK, http.MethodGet, "/v1/orders", "", "")
	reader.do(http.StatusForbidden, http.MethodPost, "/v1/orders", "create", orderJSON("1", ""))
	stranger := newShop(t, s.base, d.newKey("--store", "elsewhere")) // the last --store counts
	orderID := s.newOrder("1", "")
	stranger.do(http.StatusNotFound, http.MethodGet, "/v1/orders/"+orderID, "", "")

	listed := run(t, d.env, "keys", "list", "--store", "demo")
	require.Zero(t, listed.code, listed.err)
	require.Contains(t, listed.out, id)
	require.Contains(t, listed.out, "reader")
	require.NotContains(t, listed.out, secret)
	require.Zero(t, d.count(`select count(*) from api_keys k
		where position(convert_to($1, 'UTF8') in k.hash) > 0 or k::text like '%' || $1 || '%'`, secret[len(secret)-20:]), "only a hash is kept")

	gone := run(t, d.env, "keys", "revoke", "--store", "demo", "--id", id)
	require.Zero(t, gone.code, gone.err)
	revoked := time.Now()
	for {
		began := time.Now()
		a := reader.try(http.MethodGet, "/v1/orders", "", "")
		if a.status == http.StatusUnauthorized {
			break
		}
		require.Equal(t, http.StatusOK, a.status)
		require.Less(t, began.Sub(revoked), 2*time.Second, "a revoked key dies within 2 s")
		pause()
	}
	s.do(http.StatusOK, http.MethodGet, "/v1/orders", "", "")
	require.Regexp(t, id+`.*20\d\d-.*20\d\d-`, run(t, d.env, "keys", "list", "--store", "demo").out, "created and revoked")

	for _, wrong := range [][]string{
		{"keys", "create"}, {"keys", "create", "--store", "demo", "--scopes", "everything"},
		{"keys", "revoke", "--store", "demo", "--id", "key_000000000000"}, {"keys", "revoke", "--store", "elsewhere", "--id", id},
	} {
		require.Equal(t, 1, run(t, d.env, wrong...).code, wrong)
	}
}

func TestInquireAsksThePSPNow(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	s := d.serve()
	id := s.newOrder("1", "")
	reached := d.psp.holdAfterBooking()
	s.async(http.MethodPost, "/v1/orders/"+id+"/pay", "pay-1", payJSON("card"))
	<-reached
	s.kill()
	d.psp.onPay(nil)

	asked := run(t, d.env, "inquire", id)
	require.Zero(t, asked.code, asked.err)
	require.Equal(t, id+": processing, paid\n", asked.out)
	require.Equal(t, asked.out, run(t, d.env, "inquire", id).out)
	require.Equal(t, 1, run(t, d.env, "inquire", "ord_00000000000000000000000000").code)
	require.Len(t, d.psp.charges(""), 1)
}
