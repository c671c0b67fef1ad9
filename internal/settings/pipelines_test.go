package settings_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
	"github.com/paysvc/paysvc/internal/settings"
)

// called is a configured step, as steps/http is one.
type called struct {
	URL    string          `yaml:"url"`
	Secret gateways.Secret `yaml:"secret"`
	Tries  int             `yaml:"tries"`
	// What the example says beside.
	Timeout   time.Duration `yaml:"timeout"`
	OnFailure string        `yaml:"on_failure"`
}

func (called) Name() string           { return "http" }
func (called) Do(*pipeline.Run) error { return nil }

// said is a configured step that needs nothing to be said.
type said struct{ Text string }

func (said) Name() string           { return "note" }
func (said) Do(*pipeline.Run) error { return nil }

// pipelines are the real default pipelines and steps, with makers that need
// nothing from outside.
func pipelines() settings.Pipelines {
	return moments.PipelineSettings([]pipeline.Maker{
		{Name: "http", Make: func(decode func(any) error) (pipeline.Step, error) {
			var c called
			if err := decode(&c); err != nil {
				return nil, err
			}
			if c.URL == "" {
				return nil, payment.Invalid("url", "required", "is required")
			}
			if c.Tries > 9 {
				return nil, errors.New("too many tries for " + c.URL)
			}
			return c, nil
		}},
		{Name: "note", Make: func(decode func(any) error) (pipeline.Step, error) { var s said; return s, decode(&s) }},
		{Name: "bell", Make: func(func(any) error) (pipeline.Step, error) { return said{"ding"}, nil }},
	})
}

// waiting is the gateway "later" of these tests: its orders wait for their money.
type waiting struct{ decider }

// EditPipelines edits a pipeline as gateways may in Go.
func (waiting) EditPipelines(string) []pipeline.Edit {
	return []pipeline.Edit{{
		Pipeline: pipeline.Internal, Op: pipeline.Replace, Target: "pay-order", Step: pipeline.Use{Name: "pending-order"},
	}}
}

// edited wraps the pipelines of a store with the methods free (of gateway zero)
// and later (of one that edits pipelines); the lines begin in line 8, column 7.
func edited(lines string) string {
	return store("accounts: {zero: {gateway: zero}, later: {gateway: later}}\n" +
		"methods:\n  free: {account: zero, kind: zero}\n  later: {account: later, kind: invoice}\npipelines:\n  " + strings.ReplaceAll(lines, "\n", "\n  "))
}

// shown writes the pipelines of a method, or with "" those of a store's orders
// without one, as people see them.
func shown(t *testing.T, s *settings.Settings, method, name string) string {
	t.Helper()
	st := s.Store("demo")
	edits := st.Pipelines
	if m := st.Method(method); m != nil {
		edits = append(append([]pipeline.Edit(nil), edits...), m.Pipelines...)
	}
	defaults := steps.Defaults()
	// As it is here, so that who adds a step to the defaults has no test of edits to change.
	defaults[pipeline.StatusOK] = pipeline.Definition{
		Name: pipeline.StatusOK, Steps: pipeline.Named("pay-order", "deduct-stock", "delete-basket", "send-order-mail"),
	}
	definitions, err := defaults.Apply(edits)
	require.NoError(t, err)
	d := definitions[name]
	var lists []string
	for _, uses := range [][]pipeline.Use{d.Pre, d.Steps, d.Post} {
		texts := make([]string, len(uses))
		for i := range uses {
			if texts[i] = uses[i].Text(); uses[i].Config != "" {
				texts[i] += " with " + uses[i].Config
			}
		}
		lists = append(lists, strings.Join(texts, ", "))
	}
	return strings.Join(lists, " | ")
}

func TestAStoreEditsAPipelineByStepNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, edits, pipeline, want string }{
		{
			"insert before", "confirm: [{insert: bell, before: save-order}]", "confirm",
			" |  | order-path-selector, bell, save-order",
		},
		{
			"insert after, under a name", "confirm: [{insert: bell, as: ring, after: save-order}]", "confirm",
			" |  | order-path-selector, save-order, ring (bell)",
		},
		{"append", "status-pending: [{append: bell}]", "status-pending", " | pending-order, bell | "},
		{"append to pre", "status-pending: [{append: bell, to: pre}]", "status-pending", "bell | pending-order | "},
		{"append to post", "status-pending: [{append: bell, to: post}]", "status-pending", " | pending-order | bell"},
		{"append to steps", "status-pending: [{append: bell, to: steps}]", "status-pending", " | pending-order, bell | "},
		{"remove", "status-ok: [{remove: send-order-mail}]", "status-ok", " | pay-order, deduct-stock, delete-basket | "},
		{
			"move after", "status-ok: [{move: deduct-stock, after: send-order-mail}]", "status-ok",
			" | pay-order, delete-basket, send-order-mail, deduct-stock | ",
		},
		{
			"move before", "status-ok: [{move: delete-basket, before: pay-order}]", "status-ok",
			" | delete-basket, pay-order, deduct-stock, send-order-mail | ",
		},
		{
			"replace", "status-ok: [{replace: send-order-mail, by: http, with: {url: a}, when: order.total > 5}]", "status-ok",
			` | pay-order, deduct-stock, delete-basket, http when order.total > 5 with {url: "a"} | `,
		},
		{
			"change", "status-ok: [{change: send-order-mail, when: order.locale == 'nl'}]", "status-ok",
			" | pay-order, deduct-stock, delete-basket, send-order-mail when order.locale == 'nl' | ",
		},
		{
			"change a step that settings configured", "status-ok: [{append: http, as: ask, with: {url: a}}, {change: ask, when: order.total > 5}]",
			"status-ok", ` | pay-order, deduct-stock, delete-basket, send-order-mail, ask (http) when order.total > 5 with {url: "a"} | `,
		},
		{
			"three lists", "status-pending: {pre: [bell], steps: [pending-order, {step: note, as: hello, when: order.total >= 1, with: {text: b}}], post: []}",
			"status-pending", `bell | pending-order, hello (note) when order.total >= 1 with {text: "b"} | `,
		},
		{
			"one on another", "status-ok: [{insert: bell, as: a, before: pay-order}, {insert: bell, as: b, after: a}, {remove: a}]", "status-ok",
			" | b (bell), pay-order, deduct-stock, delete-basket, send-order-mail | ",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := load(t, edited(c.edits))
			require.Equal(t, c.want, shown(t, s, "", c.pipeline))
			require.Equal(t, c.want, shown(t, s, "free", c.pipeline), "it applies to every method")
		})
	}
}

func TestAMethodEditsOnTopOfItsStore(t *testing.T) {
	t.Parallel()
	s := load(t, `stores:
  demo:
    accounts: {zero: {gateway: zero}}
    pipelines:
      status-ok: [{append: bell, as: ring}]
    methods:
      free:
        account: zero
        kind: zero
        pipelines:
          status-ok: [{insert: note, before: ring, with: {text: "{number}"}}]
      other: {account: zero, kind: zero}
`)
	const ring = ", send-order-mail, ring (bell) | "
	require.Contains(t, shown(t, s, "free", "status-ok"), `send-order-mail, note with {text: "{number}"}, ring (bell) | `)
	require.Contains(t, shown(t, s, "other", "status-ok"), ring)
	require.Contains(t, shown(t, s, "", "status-ok"), ring)
}

func TestAStepGetsItsConfigurationAndShowsNoSecret(t *testing.T) {
	t.Parallel()
	s := load(t, edited("confirm:\n  - insert: http\n    before: save-order\n    with:\n      secret: {env: PSP_KEY}\n"+
		"      url: {env: PSP_URL}\n      tries: 3"))
	use := s.Store("demo").Pipelines[0].Step
	require.Equal(t, called{URL: canary, Secret: canary, Tries: 3}, use.Configured)
	require.Equal(t, `{secret: {env: "PSP_KEY"}, tries: 3, url: {env: "PSP_URL"}}`, use.Config)
	require.Equal(t, pipeline.Position{Line: 9, Column: 11}, use.At)

	again := load(t, edited("confirm: [{insert: http, before: save-order, with: {tries: 3, url: {env: PSP_URL}, secret: {env: PSP_KEY}}}]"))
	require.Equal(t, use.Config, again.Store("demo").Pipelines[0].Step.Config, "the order of keys means nothing")
}

func TestNamesOfPipelinesAreThoseOfTheEngine(t *testing.T) {
	t.Parallel()
	got := problems(t, edited("confrim: [{remove: save-order}]"))
	require.Len(t, got, 1)
	for name := range steps.Defaults() {
		require.Contains(t, got[0], name)
	}
}
