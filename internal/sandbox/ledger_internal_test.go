package sandbox

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A disk that takes nothing is played by a file that is closed already.
func TestWhatCannotBeWrittenDidNotHappen(t *testing.T) {
	t.Parallel()
	l, err := openLedger(filepath.Join(t.TempDir(), "ledger.jsonl"))
	require.NoError(t, err)
	first := &payment{ID: "sbx_1", Account: "shop", Version: 1, Operations: []operation{{ID: "sbo_1", Reference: "r1", State: statePending}}}
	require.NoError(t, l.write(entry{Payment: first}))
	require.NoError(t, l.journal.file.Close())

	_, _, err = l.open(refKey{"shop", "r2"}, func() (entry, error) {
		return entry{Payment: &payment{ID: "sbx_2", Account: "shop", Operations: []operation{{Reference: "r2"}}}}, nil
	})
	require.Error(t, err)
	_, known := l.payment(refKey{"shop", "r2"})
	require.False(t, known)

	_, err = l.update("sbx_1", func(next *payment) (*notification, error) {
		next.first().settle(stateApproved, nil, time.Now())
		return nil, nil
	})
	require.Error(t, err)
	got, _ := l.payment(refKey{"shop", "r1"})
	require.Equal(t, statePending, got.first().State)
	require.EqualValues(t, 1, got.Version)
}
