package postgres_test

import (
	"context"
	"errors"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/postgres"
)

const (
	patience = 20 * time.Second
	tick     = 10 * time.Millisecond
)

func query(t *testing.T, url, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	var text string
	require.NoError(t, conn.QueryRow(t.Context(), sql).Scan(&text))
	return text
}

func execute(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	_, err = conn.Exec(t.Context(), sql)
	require.NoError(t, err)
}

// alive does not count a zombie that its parent, perhaps the init of a container, has not collected yet.
func alive(pid int) bool {
	if text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat"); err == nil && strings.Contains(string(text), ") Z ") {
		return false
	}
	return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}

func requireNothingLeft(t *testing.T, dir string, pid int) {
	t.Helper()
	require.Eventually(t, func() bool {
		leases, err := filepath.Glob(filepath.Join(dir, "*-*"))
		return err == nil && len(leases) == 0 && !alive(pid)
	}, patience, tick, "server %d or its keeper is left", pid)
}

func TestServerSpeaksUTF8OnLoopbackOnlyAndStopsWithoutATrace(t *testing.T) {
	t.Parallel()
	o := options(t)
	s, err := postgres.Start(t.Context(), o)
	require.NoError(t, err)
	require.True(t, s.Started)

	url := s.URL("postgres")
	assert.Equal(t, "UTF8", query(t, url, "show server_encoding"))
	assert.Equal(t, "127.0.0.1", query(t, url, "show listen_addresses"))
	assert.Empty(t, query(t, url, "show unix_socket_directories"))
	assert.Equal(t, "off", query(t, url, "show fsync"))
	assert.Equal(t, "300", query(t, url, "show max_connections"))

	require.NoError(t, s.Stop(t.Context()))
	require.False(t, alive(s.PID()), "Stop returns when the server has ended")
	require.NoError(t, s.Stop(t.Context()), "stopping twice")
	requireNothingLeft(t, s.Dir(), s.PID())
}

func TestDurableServerSyncsAndTakesSettings(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Durable = true
	o.Settings = map[string]string{"work_mem": "7MB"}
	s := start(t, o)

	assert.Equal(t, "on", query(t, s.URL("postgres"), "show fsync"))
	assert.Equal(t, "7MB", query(t, s.URL("postgres"), "show work_mem"))
}

func TestRestartKeepsDataAndPort(t *testing.T) {
	t.Parallel()
	o := options(t)
	first, err := postgres.Start(t.Context(), o)
	require.NoError(t, err)
	require.NoError(t, first.CreateDatabase(t.Context(), "shop 1"))
	require.NoError(t, first.CreateDatabase(t.Context(), "shop 1"), "it is there already")
	execute(t, first.URL("shop 1"), "create table kept as select 'yes' as word")
	require.NoError(t, first.Stop(t.Context()))

	second := start(t, o)
	require.Equal(t, first.URL("shop 1"), second.URL("shop 1"))
	require.Equal(t, "yes", query(t, second.URL("shop 1"), "select word from kept"))
}

func TestManyStartsShareOneServerAndTheLastStopEndsIt(t *testing.T) {
	t.Parallel()
	o := options(t)
	servers := make([]*postgres.Server, 6)
	errs := make([]error, len(servers))
	var wg sync.WaitGroup
	for i := range servers {
		wg.Go(func() { servers[i], errs[i] = postgres.Start(t.Context(), o) })
	}
	wg.Wait()
	started := 0
	for i, s := range servers {
		require.NoError(t, errs[i])
		require.Equal(t, servers[0].PID(), s.PID())
		if s.Started {
			started++
		}
	}
	require.Equal(t, 1, started)

	for _, s := range servers[1:] {
		require.NoError(t, s.Stop(t.Context()))
		require.Equal(t, "1", query(t, servers[0].URL("postgres"), "select '1'"))
	}
	require.NoError(t, servers[0].Stop(t.Context()))
	requireNothingLeft(t, servers[0].Dir(), servers[0].PID())
}

func TestStartAndStopMayAlternateAtAnySpeed(t *testing.T) {
	t.Parallel()
	o := options(t)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for range 6 {
				s, err := postgres.Start(t.Context(), o)
				if !assert.NoError(t, err) {
					return
				}
				assert.NoError(t, s.CreateDatabase(t.Context(), "postgres"))
				assert.NoError(t, s.Stop(t.Context()))
			}
		})
	}
	wg.Wait()
	s := start(t, o)
	require.Equal(t, "1", query(t, s.URL("postgres"), "select '1'"))
}

func TestServerEndsWhenItsLastHolderIsKilled(t *testing.T) {
	t.Parallel()
	o := options(t)
	h := startHolder(t, o.DataDir, nil)
	ours := start(t, o)
	require.Equal(t, h.pid, ours.PID(), "found the server of the other process")
	require.False(t, ours.Started)

	require.NoError(t, h.cmd.Process.Kill())
	require.Equal(t, "1", query(t, ours.URL("postgres"), "select '1'"), "we still hold it")
	require.NoError(t, ours.Stop(t.Context()))
	requireNothingLeft(t, ours.Dir(), ours.PID())

	h = startHolder(t, o.DataDir, nil)
	require.NoError(t, h.cmd.Process.Kill())
	requireNothingLeft(t, o.DataDir, h.pid)
}

func TestKilledServerIsStartedAgainWithEverythingThatWasCommitted(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Durable = true
	first := start(t, o)
	execute(t, first.URL("postgres"), "create table kept as select 'yes' as word")
	require.NoError(t, syscall.Kill(first.PID(), syscall.SIGKILL))

	second := start(t, o)
	require.True(t, second.Started)
	require.Equal(t, first.URL("postgres"), second.URL("postgres"))
	require.Equal(t, "yes", query(t, second.URL("postgres"), "select word from kept"))
}

func TestPidFileOfADeadServerWhoseNumberBelongsToAnotherProgramIsIgnored(t *testing.T) {
	t.Parallel()
	o := options(t)
	s, err := postgres.Start(t.Context(), o)
	require.NoError(t, err)
	pidFile := filepath.Join(s.Dir(), "data", "postmaster.pid")
	text, err := os.ReadFile(pidFile)
	require.NoError(t, err)
	require.NoError(t, s.Stop(t.Context()))
	stale := strings.Replace(string(text), strconv.Itoa(s.PID()), strconv.Itoa(os.Getpid()), 1)
	require.NoError(t, os.WriteFile(pidFile, []byte(stale), 0o600))

	start(t, o)
}

func TestServerWhoseKeeperWasKilledStillEnds(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	o := options(t)
	s, err := postgres.Start(t.Context(), o)
	require.NoError(t, err)
	killKeeper(t, s)
	require.NoError(t, s.Stop(t.Context()))
	require.False(t, alive(s.PID()))

	s, err = postgres.Start(t.Context(), o)
	require.NoError(t, err)
	killKeeper(t, s)
	next := start(t, o)
	require.True(t, next.Started, "a server without a keeper is replaced")
	require.False(t, alive(s.PID()))
}

// killKeeper kills the shells that look after the server: its parent, that one's other child, and the cat of it.
func killKeeper(t *testing.T, s *postgres.Server) {
	t.Helper()
	parent := parentOf(s.PID())
	require.Greater(t, parent, 1)
	doomed := []int{parent}
	for _, watcher := range childrenOf(t, parent) {
		if watcher != s.PID() {
			doomed = append(doomed, watcher)
			doomed = append(doomed, childrenOf(t, watcher)...)
		}
	}
	require.Len(t, doomed, 3)
	for _, pid := range doomed {
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	}
	for _, pid := range doomed {
		require.Eventually(t, func() bool { return !alive(pid) }, patience, tick)
	}
}

func childrenOf(t *testing.T, parent int) (children []int) {
	t.Helper()
	entries, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	for _, entry := range entries {
		pid, err := strconv.Atoi(filepath.Base(entry))
		require.NoError(t, err)
		if parentOf(pid) == parent {
			children = append(children, pid)
		}
	}
	return children
}

func parentOf(pid int) int {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0
	}
	return parent
}

func TestTakenPortIsReplaced(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	o := options(t)
	o.Port = l.Addr().(*net.TCPAddr).Port

	s := start(t, o)
	require.NotContains(t, s.URL("postgres"), ":"+strconv.Itoa(o.Port)+"/")
}

func TestDataOfAnotherMajorVersionIsRefusedWithAWayOut(t *testing.T) {
	t.Parallel()
	o := options(t)
	require.NoError(t, os.MkdirAll(filepath.Join(o.DataDir, "data"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(o.DataDir, "data", "PG_VERSION"), []byte("9\n"), 0o600))

	_, err := postgres.Start(t.Context(), o)
	require.ErrorContains(t, err, "was made by PostgreSQL 9")
	require.ErrorContains(t, err, "delete the folder")
}

func TestUnknownSettingIsAnErrorThatNamesIt(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Settings = map[string]string{"no_such_setting": "1"}

	_, err := postgres.Start(t.Context(), o)
	require.ErrorContains(t, err, "no_such_setting")
	requireNothingLeft(t, o.DataDir, 1<<30)
}

func TestFolderOfSomebodyElseIsRefused(t *testing.T) {
	t.Parallel()
	requireRoot(t)
	o := options(t)
	require.NoError(t, os.Mkdir(o.DataDir, 0o777))
	require.NoError(t, os.Chown(o.DataDir, 4242, 4242))

	_, err := postgres.Start(t.Context(), o)
	require.ErrorContains(t, err, "belongs to somebody else")
}

func TestRootInAPrivateFolderGetsAPlaceThatTheServerCanReach(t *testing.T) {
	t.Parallel()
	requireRoot(t)
	o := options(t)
	private := filepath.Join(folder(t), "private")
	require.NoError(t, os.Mkdir(private, 0o700))
	o.DataDir = filepath.Join(private, "project", ".dev", "postgres")

	s, err := postgres.Start(t.Context(), o)
	require.NoError(t, err)
	defer os.RemoveAll(s.Dir())
	require.True(t, strings.HasPrefix(s.Dir(), "/var/tmp/paysvc-"), s.Dir())
	require.NoError(t, s.Stop(t.Context()))

	again, err := postgres.Start(t.Context(), o)
	require.NoError(t, err)
	require.Equal(t, s.Dir(), again.Dir())
	require.NoError(t, again.Stop(t.Context()))
}

func TestOrdinaryUserNeedsNoRoot(t *testing.T) {
	t.Parallel()
	requireRoot(t)
	nobody, err := user.Lookup("nobody")
	require.NoError(t, err)
	uid, err := strconv.ParseUint(nobody.Uid, 10, 32)
	require.NoError(t, err)
	gid, err := strconv.ParseUint(nobody.Gid, 10, 32)
	require.NoError(t, err)
	home := folder(t)
	require.NoError(t, os.Chown(home, int(uid), int(gid)))

	h := startHolder(t, home+"/server", &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)})
	require.Equal(t, "1", query(t, h.url, "select '1'"))
	require.NoError(t, h.input.Close())
	require.NoError(t, h.cmd.Wait())
	requireNothingLeft(t, home+"/server", h.pid)
}

func requireRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("is about what root must do")
	}
}
