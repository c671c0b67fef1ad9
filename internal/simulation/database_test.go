package simulation

import (
	"context"
	"encoding/binary"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/postgres/pgtest"
)

// database is one real database. One history at a time has it for itself: the
// sweeps of the service look at all that is due.
type database struct {
	url   string
	admin *pgx.Conn
	empty string // the statement that empties it
	used  int    // histories since it was vacuumed
	// observer is for looks at the books that are no part of a history.
	observer *backend

	mu   sync.Mutex
	idle []*backend
	// parsed are the statements that clients have prepared, by name, and described
	// what the server says of them. Whether one is prepared on a connection changes
	// nothing that a client can see, so it must not change a history either.
	parsed    map[string]message
	described map[string][]byte
}

// vacuumEvery is after how many histories what they left behind is cleared away.
const vacuumEvery = 50

func newDatabase(t *testing.T) *database {
	t.Helper()
	url := pgtest.Database(t)
	admin, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = admin.Close(context.WithoutCancel(t.Context())) })
	_, err = admin.Exec(t.Context(), alone)
	require.NoError(t, err)
	rows, _ := admin.Query(t.Context(), `select 'delete from ' || tablename from pg_tables
		where schemaname = 'public' and tablename not like 'river%' and tablename <> 'schema_migrations' order by 1`)
	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	d := &database{
		url: url, admin: admin, parsed: map[string]message{}, described: map[string][]byte{},
		empty: "set session_replication_role = replica;" + strings.Join(statements, ";"),
	}
	t.Cleanup(d.close)
	return d
}

// reset makes the database fit for the next history.
func (d *database) reset(t *testing.T) {
	t.Helper()
	_, err := d.admin.Exec(t.Context(), d.empty)
	require.NoError(t, err)
	if d.used++; d.used%vacuumEvery == 0 {
		_, err = d.admin.Exec(t.Context(), "vacuum")
		require.NoError(t, err)
	}
}

// lend returns a connection of a client that has begun with startup.
func (d *database) lend(startup []byte) (*backend, error) {
	d.mu.Lock()
	if n := len(d.idle); n > 0 {
		b := d.idle[n-1]
		d.idle = d.idle[:n-1]
		d.mu.Unlock()
		return b, nil
	}
	d.mu.Unlock()
	return d.open(startup)
}

func (d *database) open(startup []byte) (*backend, error) {
	config, err := pgx.ParseConfig(d.url)
	if err != nil {
		return nil, err
	}
	network, address := pgconn.NetworkAddress(config.Host, config.Port)
	conn, err := net.Dial(network, address)
	if err != nil {
		return nil, err
	}
	return greet(conn, startup)
}

// take takes a connection back whose client is gone.
func (d *database) take(b *backend) {
	if b.leave() != nil {
		_ = b.conn.Close()
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.idle = append(d.idle, b)
}

// look asks the database something that is no part of the history.
func (d *database) look(sql string) ([][]string, error) {
	if d.observer == nil {
		config, err := pgx.ParseConfig(d.url)
		if err != nil {
			return nil, err
		}
		const version3 = "\x00\x03\x00\x00"
		hello := version3 + "user\x00" + config.User + "\x00database\x00" + config.Database + "\x00\x00"
		startup := append(binary.BigEndian.AppendUint32(nil, uint32(4+len(hello))), hello...)
		if d.observer, err = d.open(startup); err != nil {
			return nil, err
		}
	}
	return d.observer.query(sql)
}

func (d *database) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, b := range append(d.idle, d.observer) {
		if b != nil {
			_ = b.conn.Close()
		}
	}
	d.idle, d.observer = nil, nil
}

// prepare prepares on a connection what a client has prepared, unless it is.
func (d *database) prepare(b *backend, name string) error {
	if name == "" || b.prepared[name] {
		return nil
	}
	d.mu.Lock()
	parse := d.parsed[name]
	d.mu.Unlock()
	_, err := b.send(append(append([]byte{}, parse...), msgSync, 0, 0, 0, 4), 1)
	b.prepared[name] = err == nil
	return err
}

// describe returns what the server says to a client that prepares a statement.
func (d *database) describe(b *backend, parse message) ([]byte, error) {
	name := parse.text(1)[0]
	of := name
	if name == "" { // one of many: it is what it says
		of = string(parse)
	}
	d.mu.Lock()
	known, ok := d.described[of]
	d.mu.Unlock()
	if ok {
		return known, nil
	}
	ask := append([]byte{}, parse...)
	ask = append(ask, msgDescribe)
	ask = binary.BigEndian.AppendUint32(ask, uint32(4+1+len(name)+1))
	ask = append(append(append(ask, 'S'), name...), 0)
	answer, err := b.send(append(ask, msgSync, 0, 0, 0, 4), 1)
	if err != nil || len(answer) == 0 || answer[0] == msgError {
		return answer, err
	}
	const readyBytes = 6
	d.mu.Lock()
	defer d.mu.Unlock()
	if name != "" {
		b.prepared[name] = true
		d.parsed[name] = append(message{}, parse...)
	}
	d.described[of] = answer[:len(answer)-readyBytes]
	return d.described[of], nil
}
