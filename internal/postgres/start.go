package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	superuser      = "postgres"
	maxConnections = 300
	// startMax bounds one start, recovery after a crash included.
	startMax    = 60 * time.Second
	attemptsMax = 20
	retryAfter  = 100 * time.Millisecond

	duplicateDatabase = "42P04" // SQLSTATE
)

// Options describe the server that Start runs.
type Options struct {
	// DataDir is a folder of the server's own. Where the server's user cannot reach it, Place(DataDir) is used instead.
	DataDir string
	// Binaries come from Find.
	Binaries Binaries
	// Durable keeps committed data through a crash of the machine. Without it, fsync and its kind are off.
	Durable bool
	// Port is tried first; 0 means the port of the last run. A port that is taken is replaced by a free one.
	Port int
	// Settings are further server parameters by name.
	Settings map[string]string
}

// Server is a running PostgreSQL on loopback, shared by every process that started the same folder.
type Server struct {
	// Started is true if this call started the server, false if it joined a running one.
	Started bool

	cluster cluster
	pm      postmaster
	lease   *os.File
	stop    sync.Once
}

// Start runs a private server on 127.0.0.1, or joins the one that already runs on this folder (whose settings
// then stay as they are). It ends when every process that holds it has called Stop or died. PostgreSQL refuses
// root: started by root, it runs as user postgres, else nobody.
func Start(ctx context.Context, o Options) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, startMax)
	defer cancel()
	c, err := newCluster(o)
	if err != nil {
		return nil, fmt.Errorf("start postgres in %s: %w", o.DataDir, err)
	}
	unlock, err := lock(ctx, filepath.Join(c.dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("start postgres in %s: %w", c.dir, err)
	}
	defer unlock()
	if s := c.joinServer(ctx); s != nil {
		return s, nil
	}
	s, err := c.startServer(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("start postgres %d in %s: %w", o.Binaries.Major, c.dir, err)
	}
	return s, nil
}

func newCluster(o Options) (cluster, error) {
	c := cluster{binaries: o.Binaries, durable: o.Durable}
	if err := os.MkdirAll(filepath.Dir(o.DataDir), 0o755); err != nil { //nolint:gosec // the server's user must pass through
		return c, err
	}
	dir, err := Place(o.DataDir)
	if err != nil {
		return c, err
	}
	if c.user, err = serverUser(); err != nil {
		return c, err
	}
	if err := ownFolder(dir, c.user); err != nil {
		return c, err
	}
	// The server reports its folder with links resolved, so ours must be, too.
	c.dir, err = filepath.EvalSymlinks(dir)
	return c, err
}

func (c cluster) joinServer(ctx context.Context) *Server {
	lease := c.join()
	if lease == nil {
		return nil
	}
	if p, ok := c.postmaster(); ok && c.running(p.pid) {
		s := &Server{cluster: c, pm: p, lease: lease}
		if s.ping(ctx) == nil {
			return s
		}
	}
	_ = lease.Close()
	return nil
}

func (c cluster) startServer(ctx context.Context, o Options) (*Server, error) {
	if err := c.clear(ctx); err != nil {
		return nil, err
	}
	if err := c.forget(); err != nil {
		return nil, err
	}
	if err := c.initialise(ctx); err != nil {
		return nil, err
	}
	want := o.Port
	if want == 0 {
		want = c.lastPort()
	}
	for attempt := 1; ; attempt++ {
		port, err := freePort(want)
		if err != nil {
			return nil, err
		}
		s, err := c.launch(ctx, port, o.Settings)
		if err == nil {
			return s, c.rememberPort(s.pm.port)
		}
		if attempt == attemptsMax || !passing(err) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(err, ctx.Err())
		case <-time.After(retryAfter):
		}
	}
}

// passing tells the two failures that go away: somebody took the port meanwhile, or the processes of a server
// that was killed have not all ended yet.
func passing(err error) bool {
	return strings.Contains(err.Error(), "Address already in use") || strings.Contains(err.Error(), "is still in use")
}

func (c cluster) launch(ctx context.Context, port int, settings map[string]string) (*Server, error) {
	lease, err := c.keep(ctx, c.command(port, settings))
	if err != nil {
		return nil, err
	}
	s := &Server{Started: true, cluster: c, lease: lease}
	ended := false
	err = poll(ctx, func() bool {
		if p, ok := c.postmaster(); ok && p.ready && p.port == port && c.running(p.pid) {
			s.pm = p
			return s.ping(ctx) == nil
		}
		_, gone := os.Stat(filepath.Dir(lease.Name()))
		ended = gone != nil
		return ended
	})
	if err == nil && !ended {
		return s, nil
	}
	log, _ := os.ReadFile(c.log())
	return nil, errors.Join(fmt.Errorf("it ended at once: %s", lastLines(string(log))), err, lease.Close())
}

func (c cluster) command(port int, settings map[string]string) []string {
	args := []string{
		filepath.Join(c.binaries.Dir, "postgres"), "-D", c.data(), "-p", strconv.Itoa(port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
		"-c", "max_connections=" + strconv.Itoa(maxConnections), "-c", "logging_collector=off",
	}
	if !c.durable {
		args = append(args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	}
	names := make([]string, 0, len(settings))
	for name := range settings {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		args = append(args, "-c", name+"="+settings[name])
	}
	return args
}

// lastPort lets a restarted server keep its address, so that clients find it again.
func (c cluster) lastPort() int {
	text, err := os.ReadFile(filepath.Join(c.dir, "port"))
	if err != nil {
		return 0
	}
	port, err := strconv.Atoi(string(text))
	if err != nil {
		return 0
	}
	return port
}

func (c cluster) rememberPort(port int) error {
	return os.WriteFile(filepath.Join(c.dir, "port"), []byte(strconv.Itoa(port)), 0o600)
}

// freePort returns the wanted port if nobody listens there, else any free one.
func freePort(want int) (int, error) {
	l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(want)))
	if err != nil {
		l, err = net.Listen("tcp4", "127.0.0.1:0")
	}
	if err != nil {
		return 0, err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(port)
}

// ping fails unless the server of this data folder, and no other, answers.
func (s *Server) ping(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.URL(superuser))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var dir string
	if err := conn.QueryRow(ctx, "show data_directory").Scan(&dir); err != nil {
		return err
	}
	if dir != s.cluster.data() {
		return fmt.Errorf("port %d belongs to %s", s.pm.port, dir)
	}
	return nil
}

// URL is the address of a database of this server, for its superuser. Database "postgres" always exists.
func (s *Server) URL(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.User(superuser), Path: "/" + database, RawQuery: "sslmode=disable",
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.pm.port)),
	}
	return u.String()
}

// PID is the process id of the server, for tests that kill it.
func (s *Server) PID() int { return s.pm.pid }

// Dir is the folder that the server uses: DataDir or its Place.
func (s *Server) Dir() string { return s.cluster.dir }

// CreateDatabase makes a database unless there is one of this name.
func (s *Server) CreateDatabase(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, s.URL(superuser))
	if err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "create database "+pgx.Identifier{name}.Sanitize())
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Code == duplicateDatabase {
		return nil
	}
	if err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}

// Stop gives the server up. If no other process uses it, it is shut down (open transactions are rolled back,
// data is kept) and Stop returns when it has ended. Calling it again does nothing.
func (s *Server) Stop(ctx context.Context) (err error) {
	s.stop.Do(func() {
		err = s.lease.Close()
		if heldByOthers(ctx, s.lease.Name()) {
			return
		}
		err = errors.Join(err, s.cluster.end(ctx, s.pm.pid))
	})
	if err != nil {
		return fmt.Errorf("stop postgres in %s: %w", s.cluster.dir, err)
	}
	return nil
}
