package e2e_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/postgres/pgtest"
)

// devInstance is a running `paysvc dev`, and a shop that uses its demo key.
type devInstance struct {
	*program
	*shop
	folder      string
	databaseURL string // what the environment said
}

// devEnv is the environment of `paysvc dev` in a folder of its own, with a
// database that is there.
func devEnv(t testing.TB) map[string]string {
	t.Helper()
	return map[string]string{
		"PAYSVC_LISTEN": "127.0.0.1:0", "PAYSVC_DEV_FOLDER": t.TempDir(), "PAYSVC_DATABASE_URL": pgtest.Database(t),
		"PAYSVC_DATABASE_CONNECTIONS": "10", "PAYSVC_RATE_PER_IP": "0", "PAYSVC_RATE_PER_KEY": "0",
	}
}

func startDev(t testing.TB, env map[string]string) *devInstance {
	t.Helper()
	p := start(t, env, "dev")
	base := p.await(&p.out, `API +(http://[^/\s]+)/v1`)
	d := &devInstance{program: p, shop: newShop(t, base, "paysk_test_demo"), folder: env["PAYSVC_DEV_FOLDER"], databaseURL: env["PAYSVC_DATABASE_URL"]}
	eventually(t, "dev is ready", func() bool { return d.try(http.MethodGet, "/readyz", "", "").status == http.StatusOK })
	return d
}

func newDev(t testing.TB) *devInstance {
	t.Helper()
	return startDev(t, devEnv(t))
}

// interrupt is Ctrl-C: it goes to everything that the terminal started.
func (d *devInstance) interrupt() {
	d.shop.t.Helper()
	d.signal(syscall.SIGINT)
	require.Zero(d.shop.t, d.wait(), "a clean exit")
	require.ErrorIs(d.shop.t, syscall.Kill(-d.cmd.Process.Pid, 0), syscall.ESRCH, "nothing of it runs any more")
	d.client.CloseIdleConnections()
}

// charges are the charges in the ledger of dev's own PSP.
func (d *devInstance) charges() (approved []operation) {
	d.shop.t.Helper()
	for _, o := range read[[]operation](d.shop.t, d.do(http.StatusOK, http.MethodGet, "/sandbox/operations", "", "")) {
		if o.State == "approved" {
			approved = append(approved, o)
		}
	}
	return approved
}

func TestDevDoesNotServeTheWorldWithKeysThatEveryoneKnows(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]struct{ variable, value, says string }{
		"in production":      {"PAYSVC_ENV", "production", "PAYSVC_ENV=production"},
		"on every address":   {"PAYSVC_LISTEN", "0.0.0.0:0", "loopback only"},
		"on no address":      {"PAYSVC_LISTEN", ":0", "loopback only"},
		"on an address":      {"PAYSVC_LISTEN", "192.0.2.1:0", "loopback only"},
		"on a name":          {"PAYSVC_LISTEN", "shop.example:0", "loopback only"},
		"on every address 6": {"PAYSVC_LISTEN", "[::]:0", "loopback only"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// It refuses before it touches a database, so there is none.
			env := map[string]string{"PAYSVC_LISTEN": "127.0.0.1:0", "PAYSVC_DEV_FOLDER": t.TempDir()}
			env[change.variable] = change.value
			r := run(t, env, "dev")
			require.Equal(t, 1, r.code)
			require.Contains(t, r.err, change.says)
			require.Empty(t, r.out)
		})
	}
}

func TestDevPrintsWhereEverythingIsAndALineToBeginWith(t *testing.T) {
	t.Parallel()
	d := newDev(t)
	text := d.out.String()
	for _, pattern := range []string{`docs (http://\S+/docs)`, `Sandbox +(http://\S+/sandbox/operations)`} {
		found := regexp.MustCompile(pattern).FindStringSubmatch(text)
		require.NotNil(t, found, text)
		require.True(t, strings.HasPrefix(found[1], d.base))
		d.do(http.StatusOK, http.MethodGet, strings.TrimPrefix(found[1], d.base), "", "")
	}
	require.Contains(t, text, filepath.Join(d.folder, "mails"))
	require.Contains(t, text, "paysk_test_demo")
	require.Contains(t, text, "paypk_test_demo")

	line := regexp.MustCompile(`(?s)\n( *curl .*?)\n\n`).FindStringSubmatch(text)
	require.NotNil(t, line, text)
	said := shell(t, line[1])
	p := read[paid](t, answer{body: []byte(said)})
	require.NotNil(t, p.NextAction, said)
	d.do(http.StatusOK, http.MethodGet, strings.TrimPrefix(p.NextAction.URL, d.base), "", "")
}

// What dev prints must hold for the settings that it serves, which need not be the demo's.
func TestDevPrintsWhatIsTrueOfSettingsOfYourOwn(t *testing.T) {
	t.Parallel()
	const invoice = ": {accounts: {offline: {gateway: offline}}, methods: {invoice: {account: offline, kind: invoice}}}}\n"
	printed := func(store string) (*devInstance, string) {
		env := devEnv(t)
		env["PAYSVC_SETTINGS"] = writeSettings(t, "stores: {"+store+invoice)
		env["PAYSVC_SMTP_URL"] = "smtp://mail.example:587"
		d := startDev(t, env)
		return d, d.out.String()
	}
	d, text := printed("demo")
	require.NotContains(t, text, "wallet", "the store has none")
	require.NotContains(t, text, d.folder+"/mails", "a mail server gets them")
	require.NotContains(t, text, "mail.example", "its URL holds a password")
	line := regexp.MustCompile(`(?s)\n( *curl .*?)\n\n`).FindStringSubmatch(text)
	require.NotNil(t, line, text)
	require.Contains(t, shell(t, line[1]), `"payments":[]`)

	d, text = printed("lamps")
	require.NotContains(t, text, "curl", "the demo's keys open no store of these settings")
	require.Contains(t, text, `no store "demo"`)
	command := regexp.MustCompile(`PAYSVC_DATABASE_URL='\S+' paysvc (keys create .*)`).FindStringSubmatch(text)
	require.NotNil(t, command, text)
	made := run(t, map[string]string{"PAYSVC_DATABASE_URL": d.databaseURL}, strings.Fields(command[1])...)
	require.Zero(t, made.code, made.err)
	key := regexp.MustCompile(`paysk_test_\S+`).FindString(made.out)
	lamps := newShop(t, d.base, key)
	lamps.do(http.StatusCreated, http.MethodPost, "/v1/orders", "lamp", orderJSON("1", ""))
}

func TestDevsPublishableKeyPaysOneOrderWithItsToken(t *testing.T) {
	t.Parallel()
	d := newDev(t)
	a := d.do(http.StatusCreated, http.MethodPost, "/v1/orders", "create", orderJSON("1", ""))
	created := read[struct {
		ID          string
		ClientToken string `json:"client_token"`
	}](t, a)
	browser := newShop(t, d.base, "paypk_test_demo")
	browser.do(http.StatusNotFound, http.MethodPost, "/v1/orders/"+created.ID+"/pay", "pay", payJSON("card"))
	browser.token = created.ClientToken
	browser.do(http.StatusOK, http.MethodPost, "/v1/orders/"+created.ID+"/pay", "pay", payJSON("card"))
	browser.do(http.StatusForbidden, http.MethodGet, "/v1/orders/"+created.ID, "", "")
	require.True(t, isPaid(d.order(created.ID)))
}

// shell runs a script as a terminal would and returns what it printed.
func shell(t testing.TB, script string) string {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed; what it would send is tested without it elsewhere")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", script)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

func TestDevKeepsItsDataFromOneStartToTheNext(t *testing.T) {
	t.Parallel()
	env := devEnv(t)
	d := startDev(t, env)
	requireKeptAcrossStarts(t, d, env)
}

func TestDevFindsAndRunsADatabaseOfItsOwnAndCtrlCLeavesNothingRunning(t *testing.T) {
	t.Parallel()
	env := devEnv(t)
	delete(env, "PAYSVC_DATABASE_URL")
	env["PAYSVC_DEV_FOLDER"] = openFolder(t)
	d := startDev(t, env)
	cluster := filepath.Join(d.folder, "postgres")
	pid := postmaster(t, cluster)

	// A payment is in flight when Ctrl-C is pressed; its books must still be there.
	id := d.newOrder("in-flight", "")
	pending := d.async(http.MethodPost, "/v1/orders/"+id+"/pay", "slow", `{"method": "card", "data": {"scenario": "slow"}}`)
	eventually(t, "the PSP has it", func() bool { return len(d.charges()) == 1 })
	d.interrupt()
	got := <-pending
	require.NoError(t, got.err)
	require.Equal(t, http.StatusOK, got.status, "%s", got.body)
	requireEnded(t, cluster, pid)

	d = startDev(t, env)
	require.True(t, isPaid(d.order(id)))
	pid = postmaster(t, cluster)
	requireKeptAcrossStarts(t, d, env)
	requireEnded(t, cluster, pid)
}

// requireKeptAcrossStarts pays an order, stops dev, starts and stops it again.
func requireKeptAcrossStarts(t *testing.T, d *devInstance, env map[string]string) {
	t.Helper()
	id := d.newOrder("kept", "")
	first := d.pay(id, "pay-kept", "card")
	require.Equal(t, http.StatusOK, first.status, "%s", first.body)
	charged := d.charges()
	d.interrupt()

	d = startDev(t, env)
	require.True(t, isPaid(d.order(id)))
	require.Equal(t, charged, d.charges(), "the PSP keeps its ledger, too")
	again := d.pay(id, "pay-kept", "card")
	require.Equal(t, string(first.body), string(again.body))
	d.interrupt()
}

// openFolder is a temporary folder that PostgreSQL's user can enter, too.
func openFolder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "paysvc-e2e-dev-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

func postmaster(t testing.TB, cluster string) (pid int) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(cluster, "data", "postmaster.pid"))
	require.NoError(t, err)
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err = strconv.Atoi(first)
	require.NoError(t, err)
	return pid
}

// requireEnded checks that a cluster was shut down properly, and its keeper with it.
func requireEnded(t testing.TB, cluster string, pid int) {
	t.Helper()
	require.NoFileExists(t, filepath.Join(cluster, "data", "postmaster.pid"), "PostgreSQL was shut down")
	eventually(t, "PostgreSQL is gone", func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
	eventually(t, "its keeper is gone", func() bool {
		leases, err := filepath.Glob(filepath.Join(cluster, "*-*", "pipe"))
		return err == nil && len(leases) == 0
	})
}
