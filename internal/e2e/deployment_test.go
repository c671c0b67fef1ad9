package e2e_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/postgres/pgtest"
	"github.com/paysvc/paysvc/internal/settings"
)

// deployment is a database, a PSP and the settings of one store: all that
// instances of the service need.
type deployment struct {
	t        testing.TB
	database string
	psp      *psp
	env      map[string]string
	key      string
	mails    string
}

// exchange and finality are the demo's time-outs, shortened: how long the PSP
// may take, and how long its "no such payment" means nothing.
const (
	exchange = "4s"
	finality = "5s"
)

func deploy(t testing.TB) *deployment {
	t.Helper()
	return deployOn(t, pgtest.Database(t), exchange, finality)
}

// deployOn is deploy on a given database, with time-outs of its own.
func deployOn(t testing.TB, database, timeout, finality string) *deployment {
	t.Helper()
	p := newPSP(t)
	dir := t.TempDir()
	text := string(settings.Demo())
	for old, replacement := range map[string]string{"timeout: 5s": "timeout: " + timeout, "finality: 10s": "finality: " + finality} {
		require.Contains(t, text, old)
		text = strings.Replace(text, old, replacement, 1)
	}
	path := filepath.Join(dir, "paysvc.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	d := &deployment{t: t, database: database, psp: p, mails: filepath.Join(dir, "mails")}
	d.env = map[string]string{
		"PAYSVC_LISTEN": "127.0.0.1:0", "PAYSVC_DATABASE_URL": database, "PAYSVC_DATABASE_CONNECTIONS": "10",
		"PAYSVC_PUBLIC_URL": publicURL, "PAYSVC_SETTINGS": path, "PAYSVC_MAIL_FOLDER": d.mails,
		"PAYSVC_SECRET_KEY":  secretKey,
		"PAYSVC_RATE_PER_IP": "0", "PAYSVC_RATE_PER_KEY": "0",
		"PAYSVC_SANDBOX_URL": p.server.URL, "PAYSVC_SANDBOX_API_KEY": pspKey, "PAYSVC_SANDBOX_WEBHOOK_SECRET": pspSecret,
	}
	d.key = d.newKey("--scopes", "orders,payments,refunds,read,admin")
	return d
}

// newKey makes an API key with the program and returns it.
func (d *deployment) newKey(args ...string) string {
	d.t.Helper()
	made := run(d.t, d.env, append([]string{"keys", "create", "--store", "demo", "--name", "e2e", "--test"}, args...)...)
	require.Zero(d.t, made.code, made.err)
	lines := strings.Split(made.out, "\n")
	require.Greater(d.t, len(lines), 1, made.out)
	return lines[1]
}

// instance is a running service, and a shop that uses it.
type instance struct {
	*program
	*shop
	deployment *deployment
}

// serve starts an instance and waits until it is ready.
func (d *deployment) serve() *instance {
	d.t.Helper()
	p := start(d.t, d.env, "serve")
	base := "http://" + p.await(&p.log, `"address":"([^"]+)".*"message":"ready"`)
	i := &instance{program: p, shop: newShop(d.t, base, d.key), deployment: d}
	eventually(d.t, "the service is ready", func() bool { return i.ready() == http.StatusOK })
	d.psp.addInstance(base)
	return i
}

// kill is SIGKILL: nothing is finished, nothing is told.
func (i *instance) kill() {
	i.deployment.psp.removeInstance(i.base)
	i.program.kill()
	i.client.CloseIdleConnections()
}

func (i *instance) ready() int {
	a := i.try(http.MethodGet, "/readyz", "", "")
	return a.status // 0 for no answer
}

// connect opens a connection to the deployment's database.
func (d *deployment) connect() *pgx.Conn {
	d.t.Helper()
	conn, err := pgx.Connect(d.t.Context(), d.database)
	require.NoError(d.t, err)
	d.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// lockOrder takes the lock of an order, as a transaction that takes its time
// would. Release gives it up.
func (d *deployment) lockOrder(number string) (release func()) {
	d.t.Helper()
	conn := d.connect()
	ctx := d.t.Context()
	_, err := conn.Exec(ctx, "begin")
	require.NoError(d.t, err)
	tag, err := conn.Exec(ctx, "select id from orders where number = $1 for update", number)
	require.NoError(d.t, err)
	require.EqualValues(d.t, 1, tag.RowsAffected())
	return func() {
		_, err := conn.Exec(ctx, "rollback")
		require.NoError(d.t, err)
	}
}

// awaitLockWaiter returns once some session of the service waits for a lock.
func (d *deployment) awaitLockWaiter() {
	d.t.Helper()
	conn := d.connect()
	eventually(d.t, "the service waits for the order's lock", func() bool {
		var waiting int
		err := conn.QueryRow(context.Background(), `select count(*) from pg_stat_activity
			where datname = current_database() and application_name = 'paysvc' and wait_event_type = 'Lock'`).Scan(&waiting)
		return err == nil && waiting > 0
	})
}

// count counts rows.
func (d *deployment) count(sql string, args ...any) (n int) {
	d.t.Helper()
	conn, err := pgx.Connect(d.t.Context(), d.database)
	require.NoError(d.t, err)
	defer conn.Close(context.Background())
	require.NoError(d.t, conn.QueryRow(d.t.Context(), sql, args...).Scan(&n))
	return n
}

// events counts the events of a type, of all orders.
func (d *deployment) events(kind string) int {
	d.t.Helper()
	return d.count("select count(*) from events where type = $1", kind)
}
