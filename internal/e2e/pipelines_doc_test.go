package e2e_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/pipeline/steps"
)

// page is a file of the documentation.
func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + name)
	require.NoError(t, err)
	return string(text)
}

// guide is the text of docs/pipelines.md about changing a pipeline.
func guide(t *testing.T) string {
	t.Helper()
	_, section, found := strings.Cut(page(t, "pipelines.md"), "\n## Change a pipeline\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	return section
}

var fence = regexp.MustCompile("(?s)```(\\w*)\n(.*?)```")

// serveLine is the command of the guide that begins to serve the file of the guide.
const serveLine = "PAYSVC_SETTINGS=shop.yaml make run\n"

// Every command of the guide is run as it stands there, against the real program,
// and prints what the guide says.
func TestTheGuideToPipelinesWorksWordForWord(t *testing.T) {
	t.Parallel()
	var definitions string
	var parts [2][]shown // with the demo, and with the file of the guide
	part := 0
	for _, m := range fence.FindAllStringSubmatch(guide(t), -1) {
		switch {
		case m[1] == "sh" && m[2] == serveLine:
			part = 1
		case m[1] == "sh" && definitions == "":
			definitions = m[2]
		case m[1] == "sh":
			parts[part] = append(parts[part], shown{script: m[2]})
		case m[1] == "text":
			last := &parts[part][len(parts[part])-1]
			last.results = strings.Split(strings.TrimSpace(m[2]), "\n")
		}
	}
	// The shop's file is written and checked before it is served.
	folder := t.TempDir()
	before := len(parts[0]) - 1
	d := newDev(t)
	check(t, d, folder, definitions, parts[0][:before])
	check(t, d, folder, "", parts[0][before:])

	env := devEnv(t)
	env["PAYSVC_SETTINGS"] = filepath.Join(folder, "shop.yaml")
	check(t, startDev(t, env), folder, definitions, parts[1])
}

// check runs pieces of the guide in one shell, in a folder.
func check(t *testing.T, d *devInstance, folder, definitions string, pieces []shown) {
	t.Helper()
	var script strings.Builder
	script.WriteString("exec 2>&1\ncd " + folder + "\n" + definitions)
	for _, p := range pieces {
		script.WriteString(p.script + "printf '\\036'\n")
	}
	replaced := strings.NewReplacer(
		"http://127.0.0.1:8080", d.base, "go run ./cmd/paysvc", binary(t),
		"pkill -HUP -x paysvc", "kill -HUP "+strconv.Itoa(d.cmd.Process.Pid),
	).Replace(script.String())
	printed := strings.Split(shell(t, replaced), "\036")
	require.Len(t, printed, len(pieces)+1)
	for i, p := range pieces {
		require.NotEmpty(t, p.results)
		for _, result := range p.results {
			require.Regexp(t, strings.ReplaceAll(regexp.QuoteMeta(result), "…", ".*"), printed[i], "after:\n%s", p.script)
		}
	}
}

// someSecret has the shape of a webhook secret, which steps check.
const someSecret = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

func TestEveryPipelineOfTheGuidesLoads(t *testing.T) {
	t.Parallel()
	const store = "stores:\n  demo:\n    accounts: {zero: {gateway: zero}}\n    methods: {free: {account: zero, kind: zero}}\n    "
	count := 0
	for _, m := range fence.FindAllStringSubmatch(guide(t)+page(t, "configured-steps.md"), -1) {
		if m[1] != "yaml" {
			continue
		}
		count++
		env := map[string]string{
			"PAYSVC_SETTINGS":  writeSettings(t, store+strings.ReplaceAll(m[2], "\n", "\n    ")),
			"WAREHOUSE_SECRET": someSecret, "FRAUD_SECRET": someSecret,
		}
		r := run(t, env, "settings", "check")
		require.Zero(t, r.code, "%s\n%s", m[2], r.err)
	}
	require.Equal(t, 4, count)
}

// The example is read by the real gateways and steps; its references lead to
// something that each of them takes.
func TestTheExampleLoads(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../deploy/paysvc.example.yaml")
	require.NoError(t, err)
	folder, env := t.TempDir(), map[string]string{}
	file := filepath.Join(folder, "secret")
	require.NoError(t, os.WriteFile(file, []byte(someSecret), 0o600))
	for _, m := range regexp.MustCompile(`\{env: (\w+)\}`).FindAllStringSubmatch(string(text), -1) {
		env[m[1]] = someSecret
	}
	env["PAYSVC_SETTINGS"] = filepath.Join(folder, "paysvc.yaml")
	text = regexp.MustCompile(`\{file: [^}]+\}`).ReplaceAll(text, []byte("{file: "+file+"}"))
	require.NoError(t, os.WriteFile(env["PAYSVC_SETTINGS"], text, 0o600))
	r := run(t, env, "settings", "check")
	require.Zero(t, r.code, r.err)
}

func TestTheGuideExplainsEveryConfiguredStep(t *testing.T) {
	t.Parallel()
	text := page(t, "configured-steps.md")
	for _, maker := range steps.Makers(steps.MakerDeps{}) {
		require.True(t, strings.Contains(text, "| `"+maker.Name+"` |"), "docs/configured-steps.md has no row for %s", maker.Name)
	}
}
