package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBooksAreComparedByHand(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	d.serve()
	done := run(t, d.env, "reconcile", "--store", "demo", "--from", "2026-01-01")
	require.Zero(t, done.code, done.err)
	require.Equal(t, "demo sandbox (sandbox): listed 0, recorded 0, orphans 0, missing 0\n", done.out)
	for name, wrong := range map[string][]string{
		"an account that cannot list": {"--account", "free"},
		"a store that is not there":   {"--store", "elsewhere"},
		"no time":                     {"--from", "yesterday"},
		"the end before its begin":    {"--from", "2026-01-02", "--to", "2026-01-01"},
	} {
		require.Equal(t, 1, run(t, d.env, append([]string{"reconcile"}, wrong...)...).code, name)
	}
}
