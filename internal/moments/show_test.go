package moments_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/moments"
)

func TestOperatorsSeeWhatRunsForEachMethodWithoutADatabase(t *testing.T) {
	t.Parallel()
	s, err := moments.New(moments.Deps{Settings: demo(t, &bundle{t: t, clock: &clock{}})})
	require.NoError(t, err)
	var lists, charts strings.Builder
	require.NoError(t, s.ShowPipelines(&lists, false))
	require.NoError(t, s.ShowPipelines(&charts, true))
	for _, shown := range []string{lists.String(), charts.String()} {
		for _, method := range []string{"card", "card-manual", "wallet", "invoice", "free"} {
			require.Contains(t, shown, " "+method+" (gateway ")
		}
	}
	require.Contains(t, lists.String(), "  post   order-path-selector, save-order\n         order-path-selector → status-ok\n")
	require.Equal(t, 3*15, strings.Count(charts.String(), "```mermaid\nflowchart LR\n"),
		"fifteen pipelines, as many for the method whose gateway edits one, and for that whose settings do")
	require.Contains(t, lists.String(), "         large-order: note when order.total >= 1000 && fact.changed with {text: ")

	require.Len(t, s.Pipelines("demo"), 6)
	require.Empty(t, s.Pipelines("nobody"))
}
