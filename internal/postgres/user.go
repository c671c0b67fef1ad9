package postgres

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// placesDir keeps what the server's user cannot reach elsewhere; unlike /tmp it survives a reboot.
const placesDir = "/var/tmp"

// serverUser says whom the server runs as: nil for ourselves; PostgreSQL refuses root, so for root it is
// postgres or else nobody.
func serverUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("uid of %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("gid of %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, fmt.Errorf("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as")
}

// Place returns the folder that stands for dir: dir itself, or, for root working in a folder that the server's
// user cannot enter (root's home, a private temporary folder), one below /var/tmp that is always the same for dir.
func Place(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if checkReachable(filepath.Dir(abs)) == nil {
		return abs, nil
	}
	sum := sha256.Sum256([]byte(abs))
	return filepath.Join(placesDir, fmt.Sprintf("paysvc-%x", sum[:6])), nil
}

// checkReachable says whether the server's user may enter every folder on the way to path, as far as it exists.
func checkReachable(path string) error {
	cred, err := serverUser()
	if err != nil || cred == nil {
		return err
	}
	if resolved, err := filepath.EvalSymlinks(existing(path)); err == nil {
		path = resolved
	}
	at := "/"
	for _, part := range strings.Split(strings.Trim(path, "/"), "/") {
		at = filepath.Join(at, part)
		info, err := os.Stat(at)
		if err != nil {
			return err
		}
		if !mayEnter(info, cred) {
			return fmt.Errorf("uid %d may not enter %s", cred.Uid, at)
		}
	}
	return nil
}

func mayEnter(info os.FileInfo, cred *syscall.Credential) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok:
		return false
	case stat.Uid == cred.Uid:
		return info.Mode()&0o100 != 0
	case stat.Gid == cred.Gid:
		return info.Mode()&0o010 != 0
	}
	return info.Mode()&0o001 != 0
}

// existing returns path or its nearest ancestor that exists.
func existing(path string) string {
	for {
		if _, err := os.Stat(path); err == nil || path == filepath.Dir(path) {
			return path
		}
		path = filepath.Dir(path)
	}
}

// ownFolder makes dir, private to the server's user. A folder of somebody else is refused: below /tmp anybody
// could have made it first.
func ownFolder(dir string, cred *syscall.Credential) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !os.IsExist(err) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	mine := ok && (int(stat.Uid) == os.Geteuid() || cred != nil && stat.Uid == cred.Uid)
	if !info.IsDir() || !mine {
		return fmt.Errorf("%s belongs to somebody else", dir)
	}
	if cred != nil {
		if err := os.Chown(dir, int(cred.Uid), int(cred.Gid)); err != nil {
			return err
		}
	}
	return os.Chmod(dir, 0o700) //nolint:gosec // a folder needs its execute bit
}
