package postgres_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/postgres"
)

// TestMain lets the test binary also play another process of ours: one that starts a server and holds it.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PAYSVC_TEST_HOLD"); dir != "" {
		hold(dir)
		return
	}
	os.Exit(m.Run())
}

// hold starts the server, tells its process id and URL, and stops it when its input ends.
func hold(dir string) {
	ctx := context.Background()
	binaries, err := postgres.Find(ctx, postgres.Search{Path: os.Getenv("PATH")})
	if err != nil {
		panic(err)
	}
	s, err := postgres.Start(ctx, postgres.Options{DataDir: dir, Binaries: binaries})
	if err != nil {
		panic(err)
	}
	fmt.Println(s.PID(), s.URL("postgres"))
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := s.Stop(ctx); err != nil {
		panic(err)
	}
}

// holder is another process that holds a server.
type holder struct {
	cmd   *exec.Cmd
	input io.Closer
	pid   int
	url   string
}

// startHolder runs one, as user cred or ourselves.
func startHolder(t *testing.T, dir string, cred *syscall.Credential) *holder {
	t.Helper()
	program := copyOfSelf(t)
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "PAYSVC_TEST_HOLD="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: cred}
	cmd.Stderr = os.Stderr
	input, err := cmd.StdinPipe()
	require.NoError(t, err)
	output, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Wait() })
	h := &holder{cmd: cmd, input: input}
	_, err = fmt.Fscan(output, &h.pid, &h.url)
	require.NoError(t, err, "the other process did not start the server")
	return h
}

// copyOfSelf is this test binary where every user may run it.
func copyOfSelf(t *testing.T) string {
	t.Helper()
	path := folder(t) + "/holder"
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Skip("needs /proc")
	}
	require.NoError(t, os.WriteFile(path, self, 0o755))
	return path
}

// folder is a temporary folder that every user may enter, unlike t.TempDir.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "paysvc-postgres-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

// options describe a server in a folder of its own.
func options(t *testing.T) postgres.Options {
	t.Helper()
	binaries, err := postgres.Find(t.Context(), postgres.Search{Path: os.Getenv("PATH")})
	require.NoError(t, err)
	return postgres.Options{DataDir: folder(t) + "/server", Binaries: binaries}
}

// start runs one and stops it when the test ends.
func start(t *testing.T, o postgres.Options) *postgres.Server {
	t.Helper()
	s, err := postgres.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop(context.Background())) })
	return s
}
