package postgres

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPortThatSomebodyTookAtTheLastMomentIsAPassingFailure(t *testing.T) {
	t.Parallel()
	binaries, err := Find(t.Context(), Search{Path: os.Getenv("PATH"), BinDir: os.Getenv("PAYSVC_POSTGRES_BIN")})
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "paysvc-postgres-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	c, err := newCluster(Options{DataDir: filepath.Join(dir, "server"), Binaries: binaries})
	require.NoError(t, err)
	require.NoError(t, c.initialise(t.Context()))
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()

	_, err = c.launch(t.Context(), l.Addr().(*net.TCPAddr).Port, nil)
	require.Error(t, err)
	require.True(t, passing(err), err.Error())
}
