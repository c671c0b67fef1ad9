package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"time"
)

const readyMax = 30 * time.Second

// instance is one process of the service that is killed and started again.
type instance struct {
	binary string
	env    []string
	log    *os.File

	mu      sync.Mutex // one at a time kills, pauses or starts it
	process *exec.Cmd
	ended   chan struct{}

	atMu sync.RWMutex
	at   string // where it listens, "" while it does not
}

// build makes the program once.
func build(ctx context.Context, path string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-ldflags", "-X main.version=chaos", "-o", path, "./cmd/paysvc") //nolint:gosec // into a folder of our own
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the service: %w\n%s", err, out)
	}
	return nil
}

// command runs a command of the program to its end and returns what it said.
func command(ctx context.Context, binary string, env []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, binary, args...) //nolint:gosec // what we built
	cmd.Env = env
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("paysvc %s: %w", args[0], err)
	}
	return string(out), nil
}

// address is where the instance listens, "" while it does not.
func (i *instance) address() string {
	i.atMu.RLock()
	defer i.atMu.RUnlock()
	return i.at
}

func (i *instance) listens(at string) {
	i.atMu.Lock()
	defer i.atMu.Unlock()
	i.at = at
}

// start runs the process, if it does not run.
func (i *instance) start() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.process != nil {
		return nil
	}
	cmd := exec.Command(i.binary, "serve") //nolint:gosec // what we built
	cmd.Env = i.env
	cmd.SysProcAttr = ownGroup()
	said, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start an instance: %w", err)
	}
	i.process, i.ended = cmd, make(chan struct{})
	go i.follow(cmd, said, i.ended)
	return nil
}

var readyLine = regexp.MustCompile(`"address":"([^"]+)".*"message":"ready"`)

// follow keeps the log of a process and waits for its end.
func (i *instance) follow(cmd *exec.Cmd, said io.Reader, ended chan<- struct{}) {
	defer close(ended)
	lines := bufio.NewReader(said)
	for {
		line, err := lines.ReadBytes('\n')
		if ready := readyLine.FindSubmatch(line); ready != nil {
			i.listens(string(ready[1]))
		}
		_, _ = i.log.Write(line) // a log that cannot be written is missed by a reader only
		if err != nil {
			break
		}
	}
	_ = cmd.Wait() // it was killed
	i.listens("")
}

// kill is SIGKILL. It tells whether there was a process to kill.
func (i *instance) kill() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.process == nil {
		return false
	}
	_ = i.process.Process.Kill() // it may have ended by itself
	<-i.ended
	i.process = nil
	return true
}

// over tells whether the process has ended by itself, and forgets it then.
func (i *instance) over() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.process == nil {
		return false
	}
	select {
	case <-i.ended:
		i.process = nil
		return true
	default:
		return false
	}
}

// stall stops the process for a while, as a machine that is starved does, and
// lets it go on with what it was about to do.
func (i *instance) stall(ctx context.Context, length time.Duration) error {
	if !i.signal(syscall.SIGSTOP) {
		return nil
	}
	err := pause(ctx, length)
	i.signal(syscall.SIGCONT) // unless it was killed meanwhile
	return err
}

func (i *instance) signal(s syscall.Signal) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.process != nil && i.process.Process.Signal(s) == nil
}

// awaitReady waits until the instance can work.
func (i *instance) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyMax)
	defer cancel()
	for {
		if i.over() {
			return errors.New("an instance ended by itself: its log says why")
		}
		if at := i.address(); at != "" && isReady(ctx, at) {
			return nil
		}
		if err := pause(ctx, pollEvery); err != nil {
			return errors.New("an instance is not ready: its log says why")
		}
	}
}

func isReady(ctx context.Context, address string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", http.NoBody)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close() // nothing is read from it
	return resp.StatusCode == http.StatusOK
}
