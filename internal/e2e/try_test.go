package e2e_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// trials is what docs/pipelines.md says about trying a change: the edits, and
// each command with what it prints.
type trials struct {
	edits    string
	commands []shown
}

func documentedTrials(t *testing.T) (all trials) {
	t.Helper()
	text, err := os.ReadFile("../../docs/pipelines.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "\n## Try a change\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	for _, m := range regexp.MustCompile("(?s)```(\\w+)\n(.*?)```").FindAllStringSubmatch(section, -1) {
		switch m[1] {
		case "yaml":
			all.edits = m[2]
		case "sh":
			all.commands = append(all.commands, shown{script: strings.TrimSpace(m[2])})
		case "text":
			last := &all.commands[len(all.commands)-1]
			last.results = append(last.results, m[2])
		}
	}
	require.Len(t, all.commands, 3, "an order, a replay, and how it is done in dev")
	return all
}

// newSettings are those of the deployment with edits of the store's pipelines.
func (d *deployment) newSettings(edits string) string {
	d.t.Helper()
	source, err := os.ReadFile(d.env["PAYSVC_SETTINGS"])
	require.NoError(d.t, err)
	const before = "    return_origins:\n"
	require.Equal(d.t, 1, strings.Count(string(source), before))
	path := filepath.Join(d.t.TempDir(), "new.yaml")
	require.NoError(d.t, os.WriteFile(path, []byte(strings.Replace(string(source), before, edits+before, 1)), 0o600))
	return path
}

func (d *deployment) tryPipelines(args ...string) result {
	d.t.Helper()
	return run(d.t, d.env, append([]string{"pipelines", "try"}, args...)...)
}

// as tells whether a text is what was documented; … stands for any word.
func as(documented string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(documented), "…", `[^\s()]+`) + "$")
}

func TestTryingAChangeGoesAsDocumented(t *testing.T) {
	t.Parallel()
	docs, d := documentedTrials(t), deploy(t)
	s := d.serve()
	id := s.newOrder("10001", "")
	s.do(http.StatusOK, http.MethodPost, "/v1/orders/"+id+"/pay", "pay-1", payJSON("wallet"))
	path := d.newSettings(docs.edits)
	try := func(documented shown) {
		t.Helper()
		words := strings.Fields(documented.script)
		require.Equal(t, []string{"paysvc", "pipelines", "try"}, words[:3])
		for i, word := range words {
			words[i] = map[string]string{"ord_…": id, "new.yaml": path}[word]
			if words[i] == "" {
				words[i] = word
			}
		}
		r := d.tryPipelines(words[3:]...)
		require.Zero(t, r.code, r.err)
		require.Regexp(t, as(documented.results[0]), strings.ReplaceAll(r.out, path, "new.yaml"))
	}
	try(docs.commands[0])

	paid := s.newOrder("10002", "")
	s.do(http.StatusOK, http.MethodPost, "/v1/orders/"+paid+"/pay", "pay-2", payJSON("card"))
	try(docs.commands[1])
}

// The command works with a user that cannot write, so it writes nothing.
func TestATrialNeedsNoRightToWrite(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	s := d.serve()
	id := s.newOrder("1", "")
	s.do(http.StatusOK, http.MethodPost, "/v1/orders/"+id+"/pay", "pay-1", payJSON("card"))
	config, err := pgx.ParseConfig(d.database)
	require.NoError(t, err)
	conn := d.connect()
	_, err = conn.Exec(t.Context(), "alter database "+pgx.Identifier{config.Database}.Sanitize()+" set default_transaction_read_only = on")
	require.NoError(t, err)
	charges := len(d.psp.charges(""))

	for _, pipeline := range []string{"confirm", "pre-process", "post-process", "cancel"} {
		r := d.tryPipelines("--order", id, "--pipeline", pipeline, "--json")
		require.Zero(t, r.code, r.err)
		require.True(t, json.Valid([]byte(r.out)))
	}
	path := d.newSettings("    pipelines: {status-ok: [{remove: deduct-stock}]}\n")
	r := d.tryPipelines("--replay", "100", "--settings", path, "--json")
	require.Zero(t, r.code, r.err)
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	require.Len(t, lines, 2)
	var run struct {
		Order       string
		Differences []struct{ Kind, Subject string }
	}
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &run))
	require.Equal(t, id, run.Order)
	require.Equal(t, "step_removed", run.Differences[0].Kind)
	require.JSONEq(t, `{"summary":{"tried":2,"differing":1,"moved_on":0,"failed":0,"stopped":false}}`, lines[1])
	require.Len(t, d.psp.charges(""), charges)
}

func TestATrialThatMakesNoSenseIsRefused(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	path := d.newSettings("    pipelines: {status-ok: [{remove: pay-oder}]}\n")
	const order, none = "--order", "ord_00000000000000000000000000"
	for _, args := range [][]string{
		{}, {order, none}, {order, none, "--pipeline", "status-ok"}, {order, none, "--pipeline", "confirm"},
		{order, "ord_x", "--pipeline", "confirm"}, {order, none, "--replay", "5"}, {"--replay", "5"},
		{"--replay", "0", "--settings", path}, {"--replay", "10001", "--settings", path}, {"--replay", "-1", "--settings", path},
		{"--replay", "5", "--settings", path, "--fact", "approved"}, {"confirm"},
	} {
		r := d.tryPipelines(args...)
		require.Equal(t, 1, r.code, args)
		require.Empty(t, r.out)
		require.Equal(t, 1, strings.Count(r.err, "\n"), "one line: %s", r.err)
	}
	r := d.tryPipelines(order, none, "--pipeline", "confirm", "--settings", path)
	require.Equal(t, 1, r.code)
	require.Contains(t, r.err, "new.yaml:6:")
	require.Contains(t, r.err, "stores.demo.pipelines.status-ok[0]")
	require.Equal(t, 1, d.tryPipelines(order, none, "--pipeline", "confirm", "--settings", "/nowhere.yaml").code)
}
