package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// forkMax is how long a child may take from its beginning to its own program.
const forkMax = 300 * time.Millisecond

const (
	leasePrefix = "lease-"
	overPrefix  = "over-"
)

// keeper runs the server and stops it when the last process has let go of the lease. Its file 3 is the reading
// end of the lease's pipe, so cat ends when nobody holds the writing end. The folder of the lease is then moved
// away, which keeps newcomers out; whoever slipped in before that is waited for by the second cat. A server that
// has only just begun does not hear the first signal, so it is repeated. The folder disappears when the server
// has ended, for whatever reason. It is a shell script, and not a process of ours, because it must outlive us.
const keeper = `lease=$1 over=$2; shift 2
(
	"$@" 3<&- &
	server=$!
	( cat; mv "$lease" "$over" && cat
	while [ -d "$over" ] && kill -INT $server; do sleep 1; done ) <&3 >/dev/null 2>&1 3<&- &
	exec 3<&-
	wait $server
	rm -rf "$lease" "$over"
) </dev/null &`

// keep starts a server under a keeper and returns the first lease of it.
func (c cluster) keep(ctx context.Context, args []string) (lease *os.File, err error) {
	dir, err := os.MkdirTemp(c.dir, leasePrefix)
	if err != nil {
		return nil, err
	}
	if err := c.give(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		return nil, fmt.Errorf("make %s: %w", path, err)
	}
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	writer, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	// Opened without blocking because nobody writes yet; the keeper is to wait when it reads.
	if err := syscall.SetNonblock(int(reader.Fd()), false); err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	log, err := os.OpenFile(c.log(), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	defer log.Close()
	over := filepath.Join(c.dir, overPrefix+filepath.Base(dir))
	cmd := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", keeper, "paysvc-postgres-keeper", dir, over}, args...)...)
	c.prepare(cmd)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{reader}
	if err := cmd.Run(); err != nil {
		return nil, errors.Join(fmt.Errorf("start keeper: %w", err), writer.Close())
	}
	return writer, nil
}

// give makes the server's user the owner of path.
func (c cluster) give(path string) error {
	if c.user == nil {
		return nil
	}
	return os.Chown(path, int(c.user.Uid), int(c.user.Gid))
}

// pipes are the leases whose folder begins with prefix: one or none, unless keepers were killed.
func (c cluster) pipes(prefix string) []string {
	found, err := filepath.Glob(filepath.Join(c.dir, prefix+"*", "pipe"))
	if err != nil {
		return nil
	}
	return found
}

// kept says whether a keeper is there to stop the server: whether somebody reads one of the pipes.
func (c cluster) kept() bool {
	for _, path := range append(c.pipes(leasePrefix), c.pipes(overPrefix)...) {
		writer, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err == nil {
			_ = writer.Close()
			return true
		}
	}
	return false
}

// join takes part in the lease of a running server; nil means that there is none to join.
func (c cluster) join() *os.File {
	for _, path := range c.pipes(leasePrefix) {
		writer, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err != nil { // no reader: its keeper was killed
			continue
		}
		if sameFile(writer, path) {
			return writer
		}
		_ = writer.Close()
	}
	return nil
}

// forget removes what killed keepers left. No server runs now, so whatever is there is over.
func (c cluster) forget() error {
	for _, path := range append(c.pipes(leasePrefix), c.pipes(overPrefix)...) {
		if err := os.RemoveAll(filepath.Dir(path)); err != nil {
			return err
		}
	}
	return nil
}

// sameFile says whether path still leads to f: if so, the keeper has not begun to close.
func sameFile(f *os.File, path string) bool {
	now, err := os.Stat(path)
	if err != nil {
		return false
	}
	mine, err := f.Stat()
	return err == nil && os.SameFile(now, mine)
}

// heldByOthers says whether anybody still holds the writing end: a pipe without writers reads as ended,
// one with silent writers as "try again". A child that is being forked has a copy of every descriptor of ours until
// it executes its program, so only who still holds it after a moment holds it.
func heldByOthers(ctx context.Context, path string) bool {
	ctx, cancel := context.WithTimeout(ctx, forkMax)
	defer cancel()
	return poll(ctx, func() bool { return !held(path) }) != nil
}

func held(path string) bool {
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return false // moved away: the keeper is closing
	}
	_, err = syscall.Read(fd, make([]byte, 1))
	_ = syscall.Close(fd)
	return errors.Is(err, syscall.EAGAIN)
}

// lock keeps two processes from starting one cluster at once.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = poll(ctx, func() bool {
		return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("wait for %s: %w", path, err), f.Close())
	}
	return func() { _ = f.Close() }, nil
}
