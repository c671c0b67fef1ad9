package e2e_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheAuditIsVerifiedAndShownOnTheCommandLine(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	s := d.serve()
	s.paidStory("1")
	require.NoError(t, os.WriteFile(d.env["PAYSVC_SETTINGS"], []byte(noteOf(t, "first")), 0o600))
	reloaded := s.hangup()
	count := func(action string) func() bool {
		return func() bool { return d.count("select count(*) from audit where action = $1", action) > 0 }
	}
	eventually(t, "what happened to the order is taken over", count("transaction.approved"))
	eventually(t, "the settings that were read anew are noted", func() bool {
		return d.count("select count(*) from audit where action = 'settings.in_force' and subject = $1 and detail = 'reload'", reloaded.Settings) == 1
	})
	require.Equal(t, 1, d.count("select count(*) from audit where action = 'settings.in_force' and subject = $1 and detail = 'start'", reloaded.Before))
	require.Contains(t, s.log.String(), `"message":"audit head"`)

	verify := func(args ...string) result {
		t.Helper()
		return run(t, d.env, append([]string{"audit", "verify"}, args...)...)
	}
	fine := verify()
	require.Zero(t, fine.code, fine.out+fine.err)
	require.Equal(t, 2, strings.Count(fine.out, "it holds\n"), "the service as a whole, and the store: %s", fine.out)
	head := regexp.MustCompile(`(?m)^demo: \d+ entries, head (\d+:[0-9a-f]{64})`).FindStringSubmatch(fine.out)
	require.Len(t, head, 2, fine.out)
	require.Zero(t, verify("--store", "demo", "--head", head[1]).code)

	shown := run(t, d.env, "audit", "show", "--store", "demo", "--limit", "1")
	require.Zero(t, shown.code, shown.err)
	var first map[string]any
	require.NoError(t, json.Unmarshal([]byte(shown.out), &first))
	require.Equal(t, "key.created", first["action"])
	require.Equal(t, "command line", first["actor"])
	require.NotContains(t, shown.out, d.key)

	for _, args := range [][]string{{}, {"prove"}, {"verify", "--head", "1:ab", "--store", "demo"}, {"verify", "--head", head[1]}, {"verify", "--store", "dmeo"}, {"show"}, {"show", "--store", "demo", "--order", "x"}} {
		r := run(t, d.env, append([]string{"audit"}, args...)...)
		require.Equal(t, 1, r.code, args)
		require.Equal(t, 1, strings.Count(r.err, "\n"), "one line: %s", r.err)
	}

	conn := d.connect()
	_, err := conn.Exec(t.Context(), "alter table audit disable trigger audit_append_only")
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "update audit set actor = 'somebody else' where store = 'demo' and position = 2")
	require.NoError(t, err)
	broken := verify()
	require.Equal(t, 1, broken.code)
	require.Contains(t, broken.out, "demo: row 2 was changed")
	require.Contains(t, broken.err, "does not hold")
	require.Zero(t, verify("--store", "-").code, "the service as a whole has a chain of its own")
}
