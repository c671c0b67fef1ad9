package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	readyMax = 30 * time.Second
	// starts is how often the start is timed; the first ones fill caches.
	starts = 3
	// idleAfter is how long the service is left alone before its memory is read.
	idleAfter = 3 * time.Second
)

// program is the service as an executable.
type program struct {
	command []string
	bytes   int64 // size of the stripped binary
}

// build makes the release binary. With a profile wanted, the service runs in a
// process of the bench instead, which is wired the same way.
func build(ctx context.Context, o options) (*program, error) {
	path := filepath.Join(folder, "paysvc")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "./cmd/paysvc")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("build the service: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	p := &program{command: []string{path, "dev"}, bytes: info.Size()}
	if o.profile != "" {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		p.command = []string{self, roleServe, "-cpuprofile", o.profile}
	}
	return p, nil
}

// service is the running service.
type service struct {
	cmd     *exec.Cmd
	address string
	folder  string
	ready   time.Duration // from the start of the process to its first 2xx on /readyz
	idle    int64         // resident bytes before any load
}

// start runs the service a few times on the migrated database, keeps the last
// one and the median time that a start took.
func (p *program) start(ctx context.Context, databaseURL string) (*service, error) {
	dir := filepath.Join(folder, "service")
	if err := os.RemoveAll(dir); err != nil { // the ledger of the last run would be read again
		return nil, err
	}
	var took []time.Duration
	for {
		s, err := p.launch(ctx, dir, databaseURL)
		if err != nil {
			return nil, err
		}
		took = append(took, s.ready)
		if len(took) < starts {
			s.stop()
			continue
		}
		slices.Sort(took)
		s.ready = took[len(took)/2]
		if err := pause(ctx, idleAfter); err != nil {
			s.stop()
			return nil, err
		}
		if s.idle, err = s.memory(); err != nil {
			s.stop()
			return nil, err
		}
		return s, nil
	}
}

func (p *program) launch(ctx context.Context, dir, databaseURL string) (*service, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, p.command[0], p.command[1:]...)
	cmd.Env = append(os.Environ(),
		"PAYSVC_LISTEN="+address, "PAYSVC_DATABASE_URL="+databaseURL, "PAYSVC_DEV_FOLDER="+dir,
		"PAYSVC_DATABASE_CONNECTIONS="+strconv.Itoa(connectionsMax),
		"PAYSVC_RATE_PER_IP=0", "PAYSVC_RATE_PER_KEY=0", "PAYSVC_LOG_LEVEL=warn")
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = readyMax
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the service: %w", err)
	}
	s := &service{cmd: cmd, address: address, folder: dir}
	if err := s.awaitReady(ctx); err != nil {
		s.stop()
		return nil, err
	}
	s.ready = time.Since(begun)
	return s, nil
}

func (s *service) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyMax)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+"/readyz", http.NoBody)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = resp.Body.Close() // nothing is read from it
			if resp.StatusCode < http.StatusMultipleChoices {
				return nil
			}
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return fmt.Errorf("the service is not ready: %w", err)
		}
	}
}

// stop ends the service and waits for it.
func (s *service) stop() {
	_ = s.cmd.Process.Signal(os.Interrupt) // it may have ended by itself
	if err := s.cmd.Wait(); err != nil {
		fmt.Fprintln(os.Stderr, "bench: the service ended: "+err.Error())
	}
}

// secret is what the service's sandbox signs notifications with.
func (s *service) secret() (string, error) {
	kept, err := os.ReadFile(filepath.Join(s.folder, "sandbox-secrets"))
	if err != nil {
		return "", err
	}
	secrets := strings.Fields(string(kept))
	if len(secrets) != 2 {
		return "", errors.New("sandbox-secrets does not hold two secrets")
	}
	return secrets[1], nil
}

// memory is how much the process has resident.
func (s *service) memory() (int64, error) { return residentBytes(s.cmd.Process.Pid) }

// freeAddress is a loopback address that nobody listens on.
func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
