package main

import (
	"bufio"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAReplayHasOtherValuesWhereverTheRecordedOnesStood(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	soon, late := at.Add(time.Millisecond), at.Add(15*time.Second)
	order, token := [16]byte{1}, [16]byte{2}
	r := &recording{at: at, steps: []step{{batch: true, queries: []query{
		{sql: "first", args: []any{order, "number", 7, soon, &late, (*time.Time)(nil)}},
		{sql: "second", args: []any{token, order, "other", []time.Time{soon}}},
	}}}}
	r.parametrize("number")

	now := at.Add(time.Hour)
	v := &values{uuids: [][16]byte{{3}, {4}}, texts: []string{"fresh"}, now: now, later: 24 * time.Hour}
	first, second := &r.steps[0].queries[0], &r.steps[0].queries[1]
	require.Equal(t, []any{
		[16]byte{3}, "fresh", 7, now.Add(time.Millisecond), now.Add(15*time.Second + 24*time.Hour), (*time.Time)(nil),
	}, r.fill(first, v), "only deadlines are put off")
	require.Equal(t, []any{
		[16]byte{4}, [16]byte{3}, "other", []time.Time{now.Add(time.Millisecond)},
	}, r.fill(second, v), "the same id stands for the same order")
}

func TestAReplayThatTheServerAnswersOtherwiseIsAnError(t *testing.T) {
	t.Parallel()
	q := query{sql: "update orders", tag: "UPDATE 1"}
	require.NoError(t, q.check("UPDATE 1", nil))
	require.Error(t, q.check("UPDATE 0", nil))
}

func TestTheLoadReadsAnswersAndStopsAtAnyThatIsNot200(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, answer, failure string }{
		{"with a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", ""},
		{"in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", ""},
		{"a problem", "HTTP/1.1 402 Payment Required\r\nContent-Length: 5\r\n\r\nhello", "402"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ours, theirs := net.Pipe()
			defer ours.Close()
			go func() {
				_, _ = theirs.Write([]byte(tt.answer + tt.answer))
				_ = theirs.Close()
			}()
			c := &client{conn: ours, reader: bufio.NewReader(ours), order: &loadOrder{}}
			for range 2 { // the second begins where the first ends
				err := c.answer()
				if tt.failure != "" {
					require.ErrorContains(t, err, tt.failure)
					return
				}
				require.NoError(t, err)
			}
		})
	}
}

func TestTheRatioIsTheMedianOfTheTurns(t *testing.T) {
	t.Parallel()
	turn := func(requests int) sample { return sample{Took: time.Second, Latencies: make([]uint32, requests)} }
	c := cell{
		floor:   []sample{turn(100), turn(100), turn(100)},
		service: []sample{turn(60), turn(10), turn(70)},
	}
	require.InDelta(t, 0.6, c.ratio(), 1e-9)
}
