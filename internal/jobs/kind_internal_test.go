package jobs

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// errands are the arguments of a kind for tests.
type errands struct{}

func (errands) Kind() string { return "errands" }

// errand works one try of a job, as River does.
func errand(t *testing.T, k *kind[errands], try, of int) (log string, err error) {
	t.Helper()
	var out strings.Builder
	k.jobs = &Jobs{Deps: Deps{
		Log: zerolog.New(&out), Background: func(ctx context.Context) context.Context { return ctx },
	}}
	err = k.Work(t.Context(), &river.Job[errands]{JobRow: &rivertype.JobRow{ID: 7, Kind: "errands", Attempt: try, MaxAttempts: of}})
	return out.String(), err
}

func TestAJobThatFailsEveryTimeIsGivenUpOnce(t *testing.T) {
	t.Parallel()
	for name, work := range map[string]func(context.Context, errands) error{
		"an error":      func(context.Context, errands) error { return errors.New("no luck") },
		"a panic":       func(context.Context, errands) error { panic("secret of a@example.org") },
		"a nil pointer": func(context.Context, errands) error { var job *kind[errands]; job.jobs.Kick(); return nil },
		"its notice":    func(context.Context, errands) error { return errors.New("no luck") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gaveUp := 0
			k := &kind[errands]{work: work, gaveUp: func(context.Context, errands) error {
				gaveUp++
				if name == "its notice" {
					panic("again")
				}
				return nil
			}}
			for try := 1; try <= 3; try++ {
				log, err := errand(t, k, try, 3)
				require.Error(t, err)
				require.NotContains(t, err.Error()+log, "@", "what a panic says may be anything")
				require.Contains(t, log, `"job":"errands","id":7`)
			}
			require.Equal(t, 1, gaveUp)
		})
	}
}

func TestAJobThatIsRefusedForGoodIsGivenUpAtOnce(t *testing.T) {
	t.Parallel()
	gaveUp := 0
	_, err := errand(t, &kind[errands]{
		work:   func(context.Context, errands) error { return refused(errors.New("550")) },
		gaveUp: func(context.Context, errands) error { gaveUp++; return nil },
	}, 1, 14)
	require.ErrorIs(t, err, &rivertype.JobCancelError{}, "River parks it")
	require.Equal(t, 1, gaveUp)
}

func TestAJobThatIsCutByTheEndOfItsInstanceHasNotFailed(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	k := &kind[errands]{
		jobs: &Jobs{Deps: Deps{Background: func(ctx context.Context) context.Context { return ctx }}},
		work: func(context.Context, errands) error {
			cancel()
			return errors.New("some error of a library that hides its cause")
		},
		gaveUp: func(context.Context, errands) error { panic("it is not given up") },
	}
	err := k.Work(ctx, &river.Job[errands]{JobRow: &rivertype.JobRow{Kind: "errands", Attempt: 3, MaxAttempts: 3}})
	require.ErrorIs(t, err, context.Canceled, "what River takes for no try")
}
