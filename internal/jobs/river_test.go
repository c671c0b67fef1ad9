package jobs_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/jobs"
	"github.com/paysvc/paysvc/internal/mail"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/postgres/pgtest"
)

const (
	patience = 30 * time.Second
	pollWait = 10 * time.Millisecond
)

// instance is one of several that work on one queue.
type instance struct {
	*jobs.Jobs
	stop func()
}

// start runs an instance on a database until it is stopped, or the test ends.
func start(t *testing.T, url string, b *books, m jobs.Mailer, change ...func(*jobs.Deps)) *instance {
	t.Helper()
	d := jobs.Deps{
		Transactions: b, Runs: b, Notifications: b, Effects: b, Expiries: b, Releases: b, Clocks: b, Comparisons: b, Claims: b, Moments: b, Orders: b, Mailer: m,
		OrderMail: orderMail, Now: time.Now, Log: zerolog.Nop(), DatabaseURL: url,
	}
	for _, c := range change {
		c(&d)
	}
	j, err := jobs.New(t.Context(), d)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var group sync.WaitGroup
	group.Go(func() { j.Run(ctx) })
	i := &instance{Jobs: j, stop: sync.OnceFunc(func() {
		cancel()
		group.Wait()
		j.Close()
	})}
	t.Cleanup(i.stop)
	return i
}

// query reads one value of the queue's database.
func query[T any](t *testing.T, url, sql string, args ...any) (v T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(context.WithoutCancel(t.Context()))
	require.NoError(t, conn.QueryRow(t.Context(), sql, args...).Scan(&v))
	return v
}

// order is a mail of an order, due now.
func (b *books) order(n byte) payment.DueEffect {
	return payment.DueEffect{Store: "demo", Order: payment.OrderID{n}, Key: "send_order_mail", Kind: payment.SendOrderMail}
}

func (b *books) mailsDue(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range n {
		b.effects = append(b.effects, b.order(byte(i+1)))
	}
}

func TestInstancesShareAQueueAndSendEachMailOnce(t *testing.T) {
	t.Parallel()
	url, b, m := pgtest.Database(t), &books{}, &mails{}
	one, two := start(t, url, b, m), start(t, url, b, m)
	b.mailsDue(20)
	one.Kick()
	two.Kick()
	require.Eventually(t, func() bool { return b.count("finished send_order_mail") == 20 }, patience, pollWait)
	require.Len(t, m.all(), 20)
	b.mailsDue(20) // as if their effects had been handed in again
	require.NoError(t, one.Sweep(t.Context(), "effects"))
	require.Eventually(t, func() bool { return unfinished(t, one) == 0 }, patience, pollWait)
	require.Len(t, m.all(), 20, "whose effect is done is not sent again")
}

func unfinished(t *testing.T, i *instance) int {
	t.Helper()
	found, _, err := i.ListJobs(t.Context(), "demo", "", payment.Page{})
	require.NoError(t, err)
	return len(found)
}

func TestAMailThatIsRefusedIsParkedAndMayBeTriedAgain(t *testing.T) {
	t.Parallel()
	url, b, m := pgtest.Database(t), &books{}, &mails{err: permanent(t)}
	i := start(t, url, b, m)
	b.mailsDue(3)
	i.Kick()
	var found []payment.Job
	require.Eventually(t, func() bool {
		var err error
		found, _, err = i.ListJobs(t.Context(), "demo", payment.JobParked, payment.Page{})
		require.NoError(t, err)
		return len(found) == 3
	}, patience, pollWait)
	require.Equal(t, 3, b.count("gave up send_order_mail"), "a person is told")
	job := found[0]
	require.Equal(t, "send-mail", job.Kind)
	require.Equal(t, payment.JobParked, job.State)
	require.Equal(t, 1, job.Tries, "what is refused for good is not tried again by itself")
	require.NotContains(t, job.Error, "@")
	require.NotEmpty(t, job.Error)
	require.NotZero(t, job.Order)

	page, next, err := i.ListJobs(t.Context(), "demo", "", payment.Page{Limit: 2})
	require.NoError(t, err)
	require.Len(t, page, 2)
	rest, end, err := i.ListJobs(t.Context(), "demo", "", payment.Page{Limit: 2, After: next})
	require.NoError(t, err)
	require.Len(t, rest, 1)
	require.Empty(t, end)
	others, _, err := i.ListJobs(t.Context(), "other", "", payment.Page{})
	require.NoError(t, err)
	require.Empty(t, others)
	_, _, err = i.ListJobs(t.Context(), "demo", "", payment.Page{After: "nonsense"})
	require.Equal(t, "cursor_invalid", payment.CodeOf(err))

	m.set(nil)
	_, err = i.RetryJob(t.Context(), "other", job.ID)
	require.Equal(t, payment.KindNotFound, payment.KindOf(err))
	_, err = i.RetryJob(t.Context(), "demo", 1<<40)
	require.Equal(t, payment.KindNotFound, payment.KindOf(err))
	_, err = i.RetryJob(t.Context(), "demo", job.ID)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return b.count("finished send_order_mail") == 1 }, patience, pollWait)
	require.Eventually(t, func() bool {
		_, err = i.RetryJob(t.Context(), "demo", job.ID)
		return payment.CodeOf(err) == "job_done"
	}, patience, pollWait)
}

func TestWhatAnInstanceHadBegunIsFinishedBeforeItStops(t *testing.T) {
	t.Parallel()
	url, b := pgtest.Database(t), &books{}
	begun := make(chan struct{})
	i := start(t, url, b, mailer(func(ctx context.Context) error {
		close(begun)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(300 * time.Millisecond): // a mail server that takes its time
			return nil
		}
	}))
	b.mailsDue(1)
	i.Kick()
	<-begun
	i.stop()
	require.Equal(t, 1, b.count("finished send_order_mail"))
	require.Equal(t, "completed", query[string](t, url, "select state::text from river_job where kind = 'send-mail'"))
	require.Eventually(t, func() bool {
		return query[int](t, url, `select count(*) from pg_stat_activity
			where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`) == 0
	}, patience, pollWait, "no connection stays open")
}

func TestWhatAnInstanceCouldNotFinishIsDoneByAnother(t *testing.T) {
	t.Parallel()
	url, b := pgtest.Database(t), &books{}
	begun := make(chan struct{})
	one := start(t, url, b, mailer(func(ctx context.Context) error {
		close(begun)
		<-ctx.Done() // a mail server that hangs
		return ctx.Err()
	}), func(d *jobs.Deps) { d.DrainMax = 10 * time.Millisecond })
	b.mailsDue(1)
	one.Kick()
	<-begun
	one.stop()
	require.Zero(t, b.count("gave up send_order_mail"))
	m := &mails{}
	start(t, url, b, m)
	require.Eventually(t, func() bool { return b.count("finished send_order_mail") == 1 }, patience, pollWait)
	require.Len(t, m.all(), 1)
}

func TestASweepGoesOnAfterTheInstanceThatDidItDied(t *testing.T) {
	t.Parallel()
	url, b := pgtest.Database(t), &books{}
	require.True(t, query[bool](t, url, `insert into river_job (state, kind, queue, args, attempt, max_attempts, attempted_at, attempted_by,
			unique_key, unique_states)
		values ('running', 'sweep', 'sweeps', '{"name": "inquiries"}', 1, 25, now() - interval '2 minutes', '{dead}', 'as if', '11110101')
		returning true`))
	start(t, url, b, &mails{})
	require.Eventually(t, func() bool {
		return query[bool](t, url, "select bool_or(state <> 'running' or attempted_by <> '{dead}') from river_job where attempt > 0 and 'dead' = any(attempted_by)")
	}, patience, pollWait)
	b.mu.Lock()
	b.transactions = []payment.DueTransaction{{Store: "demo"}}
	b.mu.Unlock()
	require.Eventually(t, func() bool { return b.count("asked for demo") == 1 }, patience, pollWait)
}

func TestADatabaseThatIsNotThereYetIsWaitedFor(t *testing.T) {
	t.Parallel()
	i := start(t, "postgres://nobody@127.0.0.1:1/none", &books{}, &mails{})
	i.stop()
}

// mailer is a Mailer that does one thing.
type mailer func(ctx context.Context) error

func (f mailer) Send(ctx context.Context, _ mail.Message) error { return f(ctx) }

// permanent is an error of a mail that no server will ever take.
func permanent(t *testing.T) error {
	t.Helper()
	err := mail.Folder(t.TempDir()).Send(t.Context(), mail.Message{ID: "m", To: "nobody"})
	require.True(t, mail.Permanent(err))
	return fmt.Errorf("send: %w", err)
}
