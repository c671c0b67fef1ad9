package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	pollEvery = 5 * time.Millisecond
	// stopMax bounds the wait for a server that should be going away on its own before it is told to.
	stopMax = 10 * time.Second
)

// cluster is one data folder and what belongs to it: data/, log, lock, and the lease of its running server.
type cluster struct {
	dir      string
	binaries Binaries
	user     *syscall.Credential // nil: ourselves
	durable  bool
}

func (c cluster) data() string { return filepath.Join(c.dir, "data") }
func (c cluster) log() string  { return filepath.Join(c.dir, "log") }

// initialise makes the data folder unless there is one. It is made beside its place and renamed, so that a
// crash never leaves half of one.
func (c cluster) initialise(ctx context.Context) error {
	version, err := os.ReadFile(filepath.Join(c.data(), "PG_VERSION"))
	if err == nil {
		if major := strings.TrimSpace(string(version)); major != strconv.Itoa(c.binaries.Major) {
			return fmt.Errorf("%s was made by PostgreSQL %s and cannot be run by %d: install %s, or delete the folder",
				c.dir, major, c.binaries.Major, major)
		}
		return nil
	}
	fresh := c.data() + ".new"
	// Not every system has the locale C.UTF-8; C sorts alike but folds the case of ASCII letters only.
	for _, locale := range []string{"C.UTF-8", "C"} {
		if err = os.RemoveAll(fresh); err != nil {
			return err
		}
		if err = c.initdb(ctx, fresh, locale); err == nil {
			return os.Rename(fresh, c.data())
		}
	}
	return err
}

func (c cluster) initdb(ctx context.Context, dir, locale string) error {
	args := []string{"-D", dir, "-U", superuser, "-A", "trust", "-E", "UTF8", "--locale=" + locale}
	if !c.durable {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, filepath.Join(c.binaries.Dir, "initdb"), args...)
	c.prepare(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, lastLines(string(out)))
	}
	return nil
}

// prepare gives a child the server's user, a terminal session of its own (Ctrl-C is for us alone) and none of our environment.
func (c cluster) prepare(cmd *exec.Cmd) {
	cmd.Dir = c.dir
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC", "PATH=/usr/local/bin:/usr/bin:/bin"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: c.user}
}

// postmaster is what a running server wrote into its pid file.
type postmaster struct {
	pid, port int
	ready     bool
}

// postmaster reads the pid file; ok is false where there is none or it is still being written.
func (c cluster) postmaster() (p postmaster, ok bool) {
	text, err := os.ReadFile(filepath.Join(c.data(), "postmaster.pid"))
	if err != nil {
		return p, false
	}
	lines := strings.Split(string(text), "\n") // pid, data folder, start, port, socket, address, shared memory, status
	if len(lines) < 4 {
		return p, false
	}
	if p.pid, err = strconv.Atoi(lines[0]); err != nil {
		return p, false
	}
	if p.port, err = strconv.Atoi(lines[3]); err != nil {
		return p, false
	}
	p.ready = len(lines) > 7 && strings.TrimSpace(lines[7]) == "ready"
	return p, true
}

// running says whether process pid is the server of this data folder, and not one that got the number of a dead one.
// A server's working folder is its data folder.
func (c cluster) running(pid int) bool {
	if runtime.GOOS == "linux" {
		cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
		if errors.Is(err, fs.ErrNotExist) {
			return exiting(pid)
		}
		return err == nil && cwd == c.data()
	}
	out, err := exec.Command("ps", "-o", "args=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(out), c.data())
}

// exiting tells of a process that has let go of its working folder whether it still holds anything else: it has
// not become a zombie, which is all that is left of a process that its parent has not collected.
func exiting(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

// clear makes room for a new server: it waits for one that is shutting down, stops one whose keeper was killed,
// and removes a pid file whose number another program has by now. A plainly stale pid file is left to
// PostgreSQL, which also checks that no orphaned backend is still writing.
func (c cluster) clear(ctx context.Context) error {
	p, ok := c.postmaster()
	if !ok {
		return nil
	}
	if c.running(p.pid) {
		return c.end(ctx, p.pid)
	}
	if errors.Is(syscall.Kill(p.pid, 0), syscall.ESRCH) {
		return nil
	}
	return os.Remove(filepath.Join(c.data(), "postmaster.pid"))
}

// end waits until server pid is gone, and tells it to go if nobody else did.
func (c cluster) end(ctx context.Context, pid int) error {
	if c.kept() {
		_ = c.wait(ctx, func() bool { return !c.running(pid) || !c.kept() })
	}
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT} {
		if !c.running(pid) {
			return nil
		}
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop server %d: %w", pid, err)
		}
		if c.wait(ctx, func() bool { return !c.running(pid) }) == nil {
			return nil
		}
	}
	return fmt.Errorf("server %d does not stop", pid)
}

// wait is poll within stopMax.
func (c cluster) wait(ctx context.Context, done func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, stopMax)
	defer cancel()
	return poll(ctx, done)
}

// poll waits until done says so or the context ends.
func poll(ctx context.Context, done func() bool) error {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
	return nil
}

// lastLines keeps the end of a program's output, where the reason is; PostgreSQL takes up to six lines for one.
func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], " | ")
}
