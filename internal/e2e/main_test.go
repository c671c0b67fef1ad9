package e2e_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// binaries is the folder of the program that is tested, made by the first test
// that needs it.
var binaries = sync.OnceValues(build)

// parallelMin is how many tests run at once at least: they wait for time-outs
// and other processes far more than they compute.
const parallelMin = 5

func TestMain(m *testing.M) {
	flag.Parse()
	if parallel := flag.Lookup("test.parallel"); runtime.GOMAXPROCS(0) < parallelMin {
		if err := parallel.Value.Set(strconv.Itoa(parallelMin)); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	if dir, err := binaries(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// build builds the program as it is, without the race detector: the processes
// are tested from outside, and start ten times faster so.
func build() (string, error) {
	dir, err := os.MkdirTemp("", "paysvc-e2e-")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-ldflags", "-X main.version=e2e-test", "-o", filepath.Join(dir, "paysvc"), "../../cmd/paysvc")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("go build: %w\n%s", err, out), os.RemoveAll(dir))
	}
	return dir, nil
}

func binary(t testing.TB) string {
	t.Helper()
	dir, err := binaries()
	require.NoError(t, err)
	return filepath.Join(dir, "paysvc")
}
