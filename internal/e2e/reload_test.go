package e2e_test

import (
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/settings"
)

// logged is a line of the log about a reload.
type logged struct {
	Message, Level, Before, Settings string
	Problems                         []string
}

// reloads returns what the log says about reloads.
func (p *program) reloads() (lines []logged) {
	for line := range strings.Lines(p.log.String()) {
		var l logged
		if json.Unmarshal([]byte(line), &l) == nil && strings.HasPrefix(l.Message, "settings ") {
			lines = append(lines, l)
		}
	}
	return lines
}

// hangup sends a real SIGHUP and returns what the log says of it.
func (p *program) hangup() logged {
	p.t.Helper()
	before := len(p.reloads())
	p.signal(syscall.SIGHUP)
	eventually(p.t, "the log says what became of the reload", func() bool { return len(p.reloads()) > before })
	lines := p.reloads()
	return lines[len(lines)-1]
}

// noteOf returns the demo's settings with a note for every paid order.
func noteOf(t *testing.T, text string) string {
	t.Helper()
	source := string(settings.Demo())
	require.Contains(t, source, "    methods:\n")
	return strings.Replace(source, "    methods:\n", "    pipelines: {status-ok: [{append: note, as: store-note, with: {text: "+text+"}}]}\n    methods:\n", 1)
}

func (i *instance) paidStory(number string) string {
	i.shop.t.Helper()
	id := i.newOrder(number, "")
	require.Equal(i.shop.t, http.StatusOK, i.pay(id, "pay-"+number, "card").status)
	return string(i.do(http.StatusOK, http.MethodGet, "/v1/orders/"+id+"/notes", "", "").body)
}

func TestSettingsAreReloadedOnSIGHUP(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	path := d.env["PAYSVC_SETTINGS"]
	write := func(text string) {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	s := d.serve()
	require.NotContains(t, s.paidStory("1"), "first")

	write(noteOf(t, "first"))
	first := s.hangup()
	require.Equal(t, "settings reloaded", first.Message)
	require.NotEqual(t, first.Before, first.Settings)
	require.Len(t, first.Settings, 64)
	require.Contains(t, s.paidStory("2"), "first")

	write(strings.Replace(noteOf(t, "first"), "text: first", "text: first, txet: hunter2", 1))
	refused := s.hangup()
	require.Equal(t, "error", refused.Level)
	require.Equal(t, first.Settings, refused.Settings, "the old ones stay in force")
	require.Len(t, refused.Problems, 1)
	require.Contains(t, refused.Problems[0], "stores.demo.pipelines.status-ok[0].with.txet: unknown key")
	require.Contains(t, s.paidStory("3"), "first")

	write("stores: {demo: {pipelines: {confirm: [{remove: save-order}, {append: pay-ordr}, {append: bell, when: order.totl > 1}]}}}")
	require.Len(t, s.hangup().Problems, 6, "each of them: no such step twice, no such name, and nothing saves the three branches")

	require.NoError(t, os.Remove(path))
	require.Contains(t, s.hangup().Problems[0], "no such file")
	require.Contains(t, s.paidStory("4"), "first")

	write(noteOf(t, "second"))
	require.Equal(t, first.Settings, s.hangup().Before)
	story := s.paidStory("5")
	require.Contains(t, story, "second")
	require.NotContains(t, story, "first")
	require.NotContains(t, s.log.String(), pspKey)
	require.NotContains(t, s.log.String(), "hunter2")

	s.signal(syscall.SIGTERM)
	require.Zero(t, s.wait(), "a clean exit")
}

func TestReloadsDoNotDisturbPayments(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	s := d.serve()
	stop := make(chan struct{})
	var signals sync.WaitGroup
	signals.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
				text := noteOf(t, "note-"+strconv.Itoa(n))
				if n%3 == 2 {
					text = "stores: none"
				}
				if err := os.WriteFile(d.env["PAYSVC_SETTINGS"], []byte(text), 0o600); err != nil {
					t.Error(err)
				}
				if err := syscall.Kill(s.cmd.Process.Pid, syscall.SIGHUP); err != nil {
					t.Error(err)
				}
				pause()
			}
		}
	})
	var ids []string
	for n := range 20 {
		ids = append(ids, s.newOrder(strconv.Itoa(n), ""))
	}
	var payers sync.WaitGroup
	for n := range 4 {
		payers.Go(func() {
			for i := n; i < len(ids); i += 4 {
				if a := s.pay(ids[i], "pay-"+ids[i], "card"); a.err != nil || a.status != http.StatusOK {
					t.Errorf("order %d: %d %s %v", i, a.status, a.body, a.err)
				}
			}
		})
	}
	payers.Wait()
	close(stop)
	signals.Wait()
	for _, id := range ids {
		require.True(t, isPaid(s.order(id)))
	}
	require.Len(t, d.psp.charges(""), len(ids))
	require.Zero(t, d.count("select count(*) from runs where state <> 'done'"))
	require.NotEmpty(t, s.reloads())
}

func TestDevReloadsTheFileThatItWasGiven(t *testing.T) {
	t.Parallel()
	env := devEnv(t)
	env["PAYSVC_SETTINGS"] = writeSettings(t, string(settings.Demo()))
	d := startDev(t, env)
	require.NoError(t, os.WriteFile(env["PAYSVC_SETTINGS"], []byte(noteOf(t, "dev-note")), 0o600))
	require.Equal(t, "settings reloaded", d.hangup().Message)
	id := d.newOrder("1", "")
	require.Equal(t, http.StatusOK, d.pay(id, "pay", "card").status)
	require.Contains(t, d.story(id), "dev-note")
	d.interrupt()
}
