package simulation

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What make simulate-mutants sets.
var (
	plant    = flag.Bool("plant", false, "plant each bug, and see that it is caught")
	plantMax = flag.Int("plant-histories", 400, "within how many histories a planted bug is to be caught")
	only     = flag.String("only", "", "the one bug to plant")
)

// root is where the module begins.
const root = "../.."

// Each planted bug stands where its text is, once. So a suite that has come apart
// from the code fails, and does not plant nothing.
func TestMutantsFitTheCode(t *testing.T) {
	t.Parallel()
	weave(t)
}

// The checker catches each bug that is planted in code that money depends on.
func TestPlantedBugsAreCaught(t *testing.T) {
	if !*plant {
		t.Skip("takes minutes: make simulate-mutants")
	}
	binary := build(t, weave(t))
	var mu sync.Mutex
	table := map[string]string{}
	t.Cleanup(func() {
		for _, m := range mutants {
			if row, ok := table[m.name]; ok {
				t.Logf("| %-52s | %s |", m.name, row)
			}
		}
	})
	t.Run("bugs", func(t *testing.T) {
		for _, m := range mutants {
			if *only != "" && *only != m.name {
				continue
			}
			t.Run(m.name, func(t *testing.T) {
				t.Parallel()
				row, caught := hunt(t, binary, m)
				assert.True(t, caught, "not caught in %d histories", *plantMax)
				mu.Lock()
				defer mu.Unlock()
				table[m.name] = row
			})
		}
	})
}

// weave puts all bugs into copies of their files, and returns the overlay that
// takes the copies for the files.
func weave(t *testing.T) string {
	t.Helper()
	into, err := filepath.Abs(t.TempDir())
	require.NoError(t, err)
	woven := map[string]string{} // content by file
	packages := map[string]bool{}
	for _, m := range mutants {
		text, ok := woven[m.file]
		if !ok {
			read, err := os.ReadFile(filepath.Join(root, m.file))
			require.NoError(t, err)
			text = string(read)
		}
		require.Equal(t, 1, strings.Count(text, m.find), "%q: its text has to stand in %s exactly once:\n%s", m.name, m.file, m.find)
		require.Contains(t, m.replace, fmt.Sprintf("planted(%q)", m.name))
		woven[m.file] = strings.Replace(text, m.find, m.replace, 1)
		packages[filepath.Dir(m.file)] = true
	}
	for folder := range packages {
		woven[filepath.Join(folder, "planted.go")] = fmt.Sprintf(`package %s

import "os"

var plantedBug = os.Getenv("PAYSVC_PLANTED")

func planted(name string) bool { return plantedBug == name }
`, packageIn(t, folder))
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for file, text := range woven {
		_, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution)
		require.NoError(t, err, "with its bugs, %s is no Go", file)
		replaced, err := filepath.Abs(filepath.Join(root, file))
		require.NoError(t, err)
		by := filepath.Join(into, strings.ReplaceAll(file, "/", "_"))
		require.NoError(t, os.WriteFile(by, []byte(text), 0o600))
		overlay.Replace[replaced] = by
	}
	encoded, err := json.Marshal(overlay)
	require.NoError(t, err)
	path := filepath.Join(into, "overlay.json")
	require.NoError(t, os.WriteFile(path, encoded, 0o600))
	return path
}

// packageIn is the name of the package in a folder.
func packageIn(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly)
		require.NoError(t, err)
		return parsed.Name.Name
	}
	require.Fail(t, "no package", folder)
	return ""
}

// build makes this test with all bugs in it.
func build(t *testing.T, overlay string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "planted.test")
	out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", overlay, "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return binary
}

// caughtIn is how a run of the bug reports that it was caught.
var caughtIn = regexp.MustCompile(`history (\d+), seed \d+: (\S+): (.*)`)

// hunt runs histories with one bug until one of them catches it.
func hunt(t *testing.T, binary string, m mutant) (row string, caught bool) {
	t.Helper()
	const huntMax = 10 * time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), huntMax)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "-test.run=^TestHistories$", "-test.cpu=1", "-first", "-with="+m.with,
		fmt.Sprintf("-histories=%d", *plantMax))
	cmd.Env = append(os.Environ(), "PAYSVC_PLANTED="+m.name)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err == nil {
		return "not caught", false
	}
	found := caughtIn.FindStringSubmatch(out.String())
	if !assert.NotNil(t, found, "it ended otherwise than by a violation:\n%s", out.String()) {
		return "broken", true
	}
	return fmt.Sprintf("%4s | %-8s", found[1], found[2]), true
}
