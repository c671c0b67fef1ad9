package e2e_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// patience bounds every wait of these tests; it is for slow machines, and
	// nothing that works comes near it.
	patience = 60 * time.Second
	pollWait = 10 * time.Millisecond
	logTail  = 8 << 10
)

// eventually polls until done says so.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	require.Eventually(t, done, patience, pollWait, what)
}

// output collects what a process writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// program is one run of the real binary.
type program struct {
	t     testing.TB
	cmd   *exec.Cmd
	out   output // standard output
	log   output // standard error
	ended chan struct{}
	code  int
}

// environ is the environment of a program: nothing of ours but what tools need.
func environ(own map[string]string) []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir()}
	if dir := os.Getenv("PAYSVC_POSTGRES_BIN"); dir != "" {
		env = append(env, "PAYSVC_POSTGRES_BIN="+dir)
	}
	for name, value := range own {
		env = append(env, name+"="+value)
	}
	return env
}

// start runs the binary in a process group of its own, as a terminal would. It
// is killed when the test ends, and its output shown if the test failed.
func start(t testing.TB, env map[string]string, args ...string) *program {
	t.Helper()
	p := &program{t: t, cmd: exec.Command(binary(t), args...), ended: make(chan struct{})}
	p.cmd.Dir = t.TempDir()
	p.cmd.Env = environ(env)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.WaitDelay = time.Second
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.ended)
		var exit *exec.ExitError
		if err := p.cmd.Wait(); errors.As(err, &exit) {
			p.code = exit.ExitCode()
		} else if err != nil {
			p.code = -1
		}
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			log := p.log.String()
			t.Logf("paysvc %s\n%s%s", strings.Join(args, " "), p.out.String(), log[max(0, len(log)-logTail):])
		}
	})
	return p
}

// kill is SIGKILL, and waits until the process is gone.
func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// signal sends a signal to the whole process group, like Ctrl-C in a terminal.
func (p *program) signal(s syscall.Signal) {
	p.t.Helper()
	require.NoError(p.t, syscall.Kill(-p.cmd.Process.Pid, s))
}

// wait returns the exit code.
func (p *program) wait() int {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.code
	case <-time.After(patience):
		require.Fail(p.t, "the program does not end")
		return -1
	}
}

// await waits until an output has what the pattern wants, and returns its first
// group. A program that ends before that fails the test.
func (p *program) await(o *output, pattern string) string {
	p.t.Helper()
	expression := regexp.MustCompile(pattern)
	var found []string
	over := false
	eventually(p.t, "output "+pattern, func() bool {
		select {
		case <-p.ended:
			over = true
		default:
		}
		found = expression.FindStringSubmatch(o.String())
		return found != nil || over
	})
	require.NotNil(p.t, found, "the program ended without output %s", pattern)
	return found[len(found)-1]
}

// result is what a command that ends by itself said.
type result struct {
	code     int
	out, err string
}

// run runs the binary to its end.
func run(t testing.TB, env map[string]string, args ...string) result {
	t.Helper()
	p := start(t, env, args...)
	code := p.wait()
	return result{code: code, out: p.out.String(), err: p.log.String()}
}
