package gateways_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// carrier is a PSP in the process.
type carrier func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (c carrier) RoundTrip(r *http.Request) (*http.Response, error) { return c(r) }

func answered(status int, body string) (*http.Response, error) {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func refusedConnection() error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
}

func client(rt http.RoundTripper, l gateways.Limits) *gateways.Client {
	return gateways.NewClient("acme", gateways.Deps{
		Account: "main", Now: time.Now, Log: zerolog.Nop(),
		Transport: func(string, string) http.RoundTripper { return rt },
	}, l)
}

// send is a request that may move money, ask a question.
var (
	send = gateways.Exchange{Operation: "pay", Reference: "R1", Method: http.MethodPost, URL: "http://psp.invalid/pay", Body: []byte("{}")}
	ask  = gateways.Exchange{Operation: "inquire", Reference: "R1", Method: http.MethodGet, URL: "http://psp.invalid/pay", Safe: true}
)

func at(e gateways.Exchange, url string) gateways.Exchange {
	e.URL = url
	return e
}

func TestWhatNeverLeftIsNotSent(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	foreign := httptest.NewUnstartedServer(http.NotFoundHandler())
	foreign.Config.ErrorLog = log.New(io.Discard, "", 0) // it will complain about us
	foreign.StartTLS()
	t.Cleanup(foreign.Close)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	lost := gateways.NewTransport()
	lost.DialContext = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}
	}
	stuck := gateways.NewTransport()
	stuck.DialContext = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
	}
	for name, c := range map[string]struct {
		transport http.RoundTripper
		url       string
		reason    string
	}{
		"nobody listens":        {nil, closed.URL, gateways.ReasonConnectionRefused},
		"no TLS":                {nil, "https" + strings.TrimPrefix(plain.URL, "http"), gateways.ReasonTLSFailed},
		"untrusted certificate": {nil, foreign.URL, gateways.ReasonTLSFailed},
		"no address":            {lost, "http://psp.invalid", gateways.ReasonHostUnknown},
		"no connection in time": {stuck, "http://psp.invalid", gateways.ReasonConnectTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := client(c.transport, gateways.Limits{}).Do(t.Context(), at(send, c.url))
			require.Equal(t, gateways.NotSent, a.Outcome)
			require.Equal(t, c.reason, a.Reason)
			fact := a.Fact("R1")
			require.Equal(t, payment.NotSent, fact.State)
			require.Equal(t, c.reason, fact.Reason.Code)
			require.NotEmpty(t, fact.Reason.Message)
			require.Equal(t, payment.KindUnavailable, payment.KindOf(a.Err()))
		})
	}
}

func TestAConnectionThatIsNotThereWhenTimeIsUpSentNothing(t *testing.T) {
	t.Parallel()
	over := make(chan struct{}) // the library goes on dialling without us
	t.Cleanup(func() { close(over) })
	stuck := gateways.NewTransport()
	stuck.DialContext = func(context.Context, string, string) (net.Conn, error) {
		<-over
		return nil, net.ErrClosed
	}
	a := client(stuck, gateways.Limits{Timeout: 50 * time.Millisecond}).Do(t.Context(), send)
	require.Equal(t, gateways.NotSent, a.Outcome)
	require.Equal(t, gateways.ReasonConnectTimeout, a.Reason)
}

// TestAnErrorWithoutAProofIsUnknown is about transports that tell nothing of
// their connections.
func TestAnErrorWithoutAProofIsUnknown(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"any":   errors.New("something"),
		"read":  &net.OpError{Op: "read", Err: syscall.ECONNRESET},
		"write": &net.OpError{Op: "write", Err: syscall.EPIPE},
		"EOF":   io.ErrUnexpectedEOF,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			c := client(carrier(func(*http.Request) (*http.Response, error) { calls.Add(1); return nil, err }), gateways.Limits{})
			a := c.Do(t.Context(), send)
			require.Equal(t, gateways.Unknown, a.Outcome)
			require.Equal(t, gateways.ReasonConnectionLost, a.Reason)
			require.EqualValues(t, 1, calls.Load(), "and not sent again")
			require.Equal(t, payment.Unknown, a.Fact("R1").State)
		})
	}
}

func TestOnlyWhatNeverLeftIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		exchange gateways.Exchange
		first    error
		calls    int64
	}{
		"send, nothing left":        {send, refusedConnection(), 2},
		"send, connection lost":     {send, io.ErrUnexpectedEOF, 1},
		"question, nothing left":    {ask, refusedConnection(), 2},
		"question, connection lost": {ask, io.ErrUnexpectedEOF, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var calls atomic.Int64
				a := client(carrier(func(r *http.Request) (*http.Response, error) {
					if calls.Add(1) == 1 {
						return nil, c.first
					}
					body, err := io.ReadAll(r.Body)
					require.NoError(t, err)
					require.Equal(t, string(c.exchange.Body), string(body), "with the whole body")
					return answered(200, "ok")
				}), gateways.Limits{}).Do(t.Context(), c.exchange)
				require.Equal(t, c.calls, calls.Load())
				require.Equal(t, c.calls == 2, a.Outcome == gateways.Answered)
			})
		})
	}
}

// TestTheLibraryRepeatsNothingByItself uses a connection twice; the PSP drops
// it when the second request has arrived.
func TestTheLibraryRepeatsNothingByItself(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]http.Header{"plain": nil, "with the PSP's key": {"Idempotency-Key": {"R1"}}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if calls.Add(1) > 1 {
					panic(http.ErrAbortHandler)
				}
			}))
			t.Cleanup(server.Close)
			c, e := client(nil, gateways.Limits{}), at(send, server.URL)
			e.Header = header
			require.Equal(t, gateways.Answered, c.Do(t.Context(), e).Outcome)
			a := c.Do(t.Context(), e)
			require.Equal(t, gateways.Unknown, a.Outcome)
			require.EqualValues(t, 2, calls.Load())
		})
	}
}

func TestAnAnswerIsJudgedByItsStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]gateways.Answer{
		200: {Outcome: gateways.Answered}, 201: {Outcome: gateways.Answered}, 402: {Outcome: gateways.Answered},
		400: {Outcome: gateways.Answered}, 404: {Outcome: gateways.Answered}, 409: {Outcome: gateways.Answered},
		301: {Outcome: gateways.Unknown, Reason: gateways.ReasonRedirected},
		307: {Outcome: gateways.Unknown, Reason: gateways.ReasonRedirected},
		429: {Outcome: gateways.NotSent, Reason: gateways.ReasonThrottled},
		500: {Outcome: gateways.Unknown, Reason: gateways.ReasonPSPError},
		503: {Outcome: gateways.Unknown, Reason: gateways.ReasonPSPError},
		101: {Outcome: gateways.Unknown, Reason: gateways.ReasonUnreadableAnswer},
	} {
		c := client(carrier(func(*http.Request) (*http.Response, error) { return answered(status, "body") }), gateways.Limits{})
		a := c.Do(t.Context(), send)
		require.Equal(t, want.Outcome, a.Outcome, status)
		require.Equal(t, want.Reason, a.Reason, status)
		require.Equal(t, status, a.Status)
	}
}

func TestAnAnswerMayBeOneMebibyte(t *testing.T) {
	t.Parallel()
	for size, outcome := range map[int]gateways.Outcome{1 << 20: gateways.Answered, 1<<20 + 1: gateways.Unknown} {
		c := client(carrier(func(*http.Request) (*http.Response, error) {
			return answered(200, strings.Repeat(" ", size))
		}), gateways.Limits{})
		require.Equal(t, outcome, c.Do(t.Context(), send).Outcome)
	}
}

func TestNoCompressionIsAskedFor(t *testing.T) {
	t.Parallel()
	var asked atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked.Store(r.Header.Get("Accept-Encoding"))
	}))
	t.Cleanup(server.Close)
	require.Equal(t, gateways.Answered, client(nil, gateways.Limits{}).Do(t.Context(), at(send, server.URL)).Outcome)
	require.Equal(t, "", asked.Load(), "what is not unpacked cannot grow")
}

func TestAnExchangeEndsByItsTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		hang := carrier(func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() })
		a := client(hang, gateways.Limits{}).Do(t.Context(), send)
		require.Equal(t, 15*time.Second, time.Since(begun))
		require.Equal(t, gateways.ReasonTimeout, a.Reason)
		require.Equal(t, gateways.Unknown, a.Outcome)

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.Equal(t, gateways.ReasonCancelled, client(hang, gateways.Limits{}).Do(ctx, send).Reason)
	})
}

func TestABrokenPSPIsLeftAloneForAWhile(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]error{"nobody listens": refusedConnection(), "time-outs": context.DeadlineExceeded} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var calls atomic.Int64
				var well atomic.Bool
				c := client(carrier(func(*http.Request) (*http.Response, error) {
					calls.Add(1)
					if well.Load() {
						return answered(200, "")
					}
					return nil, failure
				}), gateways.Limits{})
				for range 20 {
					require.NotEqual(t, gateways.Answered, c.Do(t.Context(), send).Outcome)
				}
				require.EqualValues(t, 5, calls.Load(), "then the circuit is open")
				a := c.Do(t.Context(), send)
				require.Equal(t, gateways.NotSent, a.Outcome)
				require.Equal(t, gateways.ReasonCircuitOpen, a.Reason)
				require.Equal(t, gateways.ReasonCircuitOpen, c.Do(t.Context(), ask).Reason)

				time.Sleep(5 * time.Second)
				c.Do(t.Context(), ask)
				require.EqualValues(t, 6, calls.Load(), "one may try")
				require.Equal(t, gateways.ReasonCircuitOpen, c.Do(t.Context(), ask).Reason)

				well.Store(true)
				time.Sleep(5 * time.Second)
				for range 3 {
					require.Equal(t, gateways.Answered, c.Do(t.Context(), send).Outcome, "it recovers by itself")
				}
			})
		})
	}
}

func TestAPSPThatDeclinesIsNotBroken(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 402, 404, 409, 422, 429, 500} {
		var calls atomic.Int64
		c := client(carrier(func(*http.Request) (*http.Response, error) {
			calls.Add(1)
			return answered(status, "{}")
		}), gateways.Limits{})
		for range 50 {
			c.Do(t.Context(), send)
		}
		require.EqualValues(t, 50, calls.Load(), status)
	}
}

func TestOurOwnHurryIsNotTheFaultOfThePSP(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	c := client(carrier(func(r *http.Request) (*http.Response, error) { calls.Add(1); return nil, r.Context().Err() }), gateways.Limits{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 {
		require.Equal(t, gateways.ReasonCancelled, c.Do(ctx, send).Reason)
	}
	require.EqualValues(t, 20, calls.Load())
}

func TestASlowPSPKeepsItsOwnPlacesOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := client(carrier(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodGet {
				return answered(200, "")
			}
			time.Sleep(10 * time.Second)
			return answered(200, "")
		}), gateways.Limits{SendsMax: 2, InquiriesMax: 1})
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { c.Do(t.Context(), send) })
		}
		synctest.Wait()
		a := c.Do(t.Context(), send)
		require.Equal(t, gateways.NotSent, a.Outcome)
		require.Equal(t, gateways.ReasonBulkheadFull, a.Reason)
		require.Equal(t, gateways.Answered, c.Do(t.Context(), ask).Outcome, "questions have their own")
		wg.Wait()
		require.Equal(t, gateways.Answered, c.Do(t.Context(), send).Outcome)
	})
}

func TestAPlaceThatBecomesFreeIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := client(carrier(func(*http.Request) (*http.Response, error) {
			time.Sleep(500 * time.Millisecond)
			return answered(200, "")
		}), gateways.Limits{SendsMax: 1})
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { require.Equal(t, gateways.Answered, c.Do(t.Context(), send).Outcome) })
		}
		wg.Wait()
	})
}

func TestEachExchangeIsOneLineWithoutItsContent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		var calls atomic.Int64
		c := gateways.NewClient("acme", gateways.Deps{
			Account: "main", Now: time.Now, Log: zerolog.New(&out),
			Transport: func(string, string) http.RoundTripper {
				return carrier(func(r *http.Request) (*http.Response, error) {
					if calls.Add(1) == 1 {
						return nil, refusedConnection() // tried again: still one exchange
					}
					time.Sleep(400 * time.Millisecond)
					return answered(int(200+300*min(calls.Load()-2, 1)), "canary")
				})
			},
		}, gateways.Limits{})
		e := at(send, "http://user:canary@psp.invalid/canary?token=canary")
		e.Header, e.Body = http.Header{"Authorization": {"canary"}}, []byte("canary")
		require.Equal(t, gateways.Answered, c.Do(t.Context(), e).Outcome)
		require.Equal(t, gateways.Unknown, c.Do(t.Context(), e).Outcome)
		require.Equal(t, []string{
			`{"level":"info","gateway":"acme","account":"main","operation":"pay","reference":"R1","outcome":"answered","status":200,"took":500,"message":"exchange"}`,
			`{"level":"warn","gateway":"acme","account":"main","reason":"psp_error_5xx","operation":"pay","reference":"R1","outcome":"unknown","status":500,"took":400,"message":"exchange"}`,
		}, strings.Split(strings.TrimSpace(out.String()), "\n"))
	})
}
