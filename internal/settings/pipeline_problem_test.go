package settings_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/settings"
)

// base is the key path of the pipelines of edited.
const base = "stores.demo.pipelines."

func TestBadPipelines(t *testing.T) {
	t.Parallel()
	const (
		none     = "there is no step of this name; there are "
		stepName = "the name of a step is 1 to 40 of a-z, 0-9 and -, and begins with a letter"
	)
	names := append(slices.Clone(pipelines().Steps), "bell", "http", "note")
	slices.Sort(names)
	require.Contains(t, names, "save-order")
	steps := strings.Join(names, ", ")
	for _, c := range []struct{ name, edits, want string }{
		// what may stand there
		{"list of pipelines", "- confirm", "8:7: stores.demo.pipelines: must be pipelines by name, with what to change below them"},
		{
			"unknown pipeline", "confrim: []",
			"8:7: " + base + "confrim: there is no pipeline of this name; there are " + strings.Join(pipelines().Names, ", "),
		},
		{"text for a pipeline", "confirm: none", "8:16: " + base + "confirm: must be a list of edits, or the three lists pre, steps and post"},
		{"empty pipeline", "confirm:", "8:7: " + base + "confirm: is empty; must be a list of edits, or the three lists pre, steps and post"},
		{"text for an edit", "confirm: [save-order]", "8:17: " + base + "confirm[0]: must be an edit, such as remove: send-order-mail"},
		{"no operation", "confirm: [{as: x}]", "8:17: " + base + "confirm[0]: says nothing to do; an edit has one of the keys insert, append, remove, move, replace, change"},
		{"two operations", "confirm: [{remove: save-order, move: save-order}]", "8:17: " + base + "confirm[0]: has the keys remove, move; an edit has one of them"},
		{
			"unknown key of an edit", "confirm:\n  - insert: bell\n    before: save-order\n    unless: order.total > 1",
			"11:11: " + base + "confirm[0].unless: unknown key; known here: insert, as, before, after, when, with",
		},
		{
			"key of another operation", "status-ok: [{remove: pay-order, when: order.total > 1}, {append: bell, before: x}]",
			"8:39: " + base + "status-ok[0].when: unknown key; known here: remove\n" +
				"8:78: " + base + "status-ok[1].before: unknown key; known here: append, as, to, when, with",
		},
		{
			"edit without its dash", "status-ok:\n  append: bell\n  when: order.total > 1",
			"8:7: " + base + "status-ok: edits are a list: each begins with a dash, such as - append: STEP",
		},
		{
			"pipeline replaced by an unknown list", "status-pending: {pre: [], steps: [], post: [], main: []}",
			"8:54: " + base + "status-pending.main: unknown key; known here: pre, steps, post",
		},
		{
			"list forgotten", "status-pending: {steps: [pending-order]}",
			"8:7: " + base + "status-pending: needs the key pre; a list without steps is []\n" +
				"8:7: " + base + "status-pending: needs the key post; a list without steps is []",
		},
		{"step for a list", "status-pending: {pre: [], steps: pending-order, post: []}", "8:40: " + base + "status-pending.steps: must be a list"},
		{
			"unknown key of a step in a list", "status-pending: {pre: [], steps: [{step: bell, before: x}], post: []}",
			"8:54: " + base + "status-pending.steps[0].before: unknown key; known here: step, as, when, with",
		},
		{"step in a list without its name", "status-pending: {pre: [], steps: [{as: x}], post: []}", "8:41: " + base + "status-pending.steps[0]: needs the key step: a step"},

		// steps and names
		{"unknown step", "status-pending: [{append: bel}]", "8:33: " + base + "status-pending[0].append: " + none + steps},
		{"unknown step in a list", "status-pending: {pre: [bel], steps: [], post: []}", "8:30: " + base + "status-pending.pre[0]: " + none + steps},
		{"no name", "status-pending: [{append: Save Order}]", "8:33: " + base + "status-pending[0].append: " + stepName},
		{"number for a name", "status-pending: [{append: 5}]", "8:33: " + base + "status-pending[0].append: must be the name of a step"},
		{"reference for a name", "status-pending: [{append: bell, as: {env: PSP_KEY}}]", "8:43: " + base + "status-pending[0].as: must be the name of a step"},
		{"bad name for a step", "status-pending: [{append: bell, as: has_underscore}]", "8:43: " + base + "status-pending[0].as: " + stepName},
		{"nothing inserted", "status-pending: [{insert: , before: pending-order}]", "8:25: " + base + "status-pending[0].insert: is empty; must be the name of a step"},
		{"duplicate name", "status-pending: [{append: bell}, {append: bell}]", `8:40: ` + base + `status-pending[1]: pipeline "status-pending": steps: step "bell" stands in the pipeline twice; give one of them another name`},
		{
			"duplicate name by as", "status-pending: [{append: bell, as: pending-order}]",
			`8:24: ` + base + `status-pending[0]: pipeline "status-pending": steps: step "pending-order" stands in the pipeline twice; give one of them another name`,
		},
		{"duplicate key", "confirm: [{insert: bell, before: save-order, insert: bell}]", "8:52: " + base + "confirm[0].insert: stands here a second time"},

		// where
		{"both before and after", "confirm: [{insert: bell, before: save-order, after: save-order}]", "8:17: " + base + "confirm[0]: has both keys before and after; one of them says where"},
		{"neither before nor after", "confirm: [{insert: bell}]", "8:17: " + base + "confirm[0]: needs the key before or after: the step to stand beside"},
		{"nowhere to move", "confirm: [{move: save-order}]", "8:17: " + base + "confirm[0]: needs the key before or after: the step to stand beside"},
		{"missing target", "confirm: [{insert: bell, before: pay-order}]", `8:17: ` + base + `confirm[0]: pipeline "confirm": it has no step "pay-order"`},
		{"missing step to remove", "confirm: [{remove: pay-order}]", `8:17: ` + base + `confirm[0]: pipeline "confirm": it has no step "pay-order"`},
		{"missing step to change", "confirm: [{change: pay-order, when: order.total > 1}]", `8:17: ` + base + `confirm[0]: pipeline "confirm": it has no step "pay-order"`},
		{"moved to itself", "confirm: [{move: save-order, after: save-order}]", `8:17: ` + base + `confirm[0]: pipeline "confirm": step "save-order" cannot be moved to itself`},
		{"list that is none", "confirm: [{append: bell, to: end}]", "8:36: " + base + "confirm[0].to: must be pre, steps or post"},
		{"replaced by nothing", "confirm: [{replace: save-order}]", "8:17: " + base + "confirm[0]: needs the key by: a step"},
		{"changed by nothing", "confirm: [{change: save-order}]", "8:17: " + base + "confirm[0]: needs the key when: what may be changed of a step is its condition"},

		// conditions
		{
			"unknown name in a condition", "status-ok: [{append: bell, when: order.totl > 1}]",
			"8:46: " + base + "status-ok[0].when: order has no such name; it has attributes, basket_id, billing, currency, customer, " +
				"discount, due, id, lines, locale, metadata, number, payment_status, promotion_codes, quantity, review, shipping, skus, " +
				"status, store, tax, total",
		},
		{
			"unknown name in a quoted condition", "status-ok: [{append: bell, when: 'shop.total > 1'}]",
			"8:41: " + base + "status-ok[0].when: there is no such name; there are fact, method, operation, order, payment (a text stands in quotes)",
		},
		{
			"unknown name in a folded condition", "status-ok:\n  - append: bell\n    when: >-\n      order.total > 1\n      and shop.total > 1",
			"10:17: " + base + "status-ok[0].when: column 21: there is no such name; there are fact, method, operation, order, payment (a text stands in quotes)",
		},
		{"condition of several lines", "status-ok:\n  - append: bell\n    when: |\n      order.total > 1\n      and order.total < 5", "10:17: " + base + "status-ok[0].when: must be one line; where it is too long, >- folds several into one"},
		{"condition that loops", "status-ok: [{append: bell, when: 'all(1..1000000000, # > 0)'}]", "8:41: " + base + "status-ok[0].when: " + "this function is not allowed in a condition; allowed are abs, len, lower, max, min, trim, upper"},
		{"huge condition", "status-ok: [{append: bell, when: order.total > 1" + strings.Repeat(" or order.total > 1", 100) + "}]", "8:40: " + base + "status-ok[0].when: the condition is longer than 1000 bytes"},
		{"condition of many parts", "status-ok: [{append: bell, when: '" + strings.Repeat("!", 300) + "fact.exists'}]", "8:41: " + base + "status-ok[0].when: the condition has more than 200 parts"},
		{"condition that is none", "status-ok: [{append: bell, when: order.total}]", "8:46: " + base + "status-ok[0].when: a condition is true or false; this is a number: compare it with something"},
		{"empty condition", "status-ok: [{append: bell, when: ''}]", "8:41: " + base + "status-ok[0].when: the condition is empty"},
		{"no condition", "status-ok: [{append: bell, when: }]", "8:34: " + base + "status-ok[0].when: is empty; must be text"},
		{"flag for a condition", "status-ok: [{append: bell, when: true}]", "8:40: " + base + "status-ok[0].when: must be text; put it in quotes"},
		{"reference for a condition", "status-ok: [{append: bell, when: {env: PSP_KEY}}]", "8:40: " + base + "status-ok[0].when: must be text"},

		// configuration
		{"step that takes none", "status-ok: [{append: bell, with: {a: b}}]", "8:40: " + base + "status-ok[0].with: this step has no settings"},
		{"step of the library that takes none", "status-pending: {pre: [], steps: [{step: pending-order, with: {a: b}}], post: []}", "8:69: " + base + "status-pending.steps[0].with: this step has no settings"},
		{"step that needs one", "status-ok: [{append: http}]", "8:19: " + base + "status-ok[0].with.url: is required"},
		{"step that needs more", "status-ok: [{append: http, with: {tries: 1}}]", "8:19: " + base + "status-ok[0].with.url: is required"},
		{"setting refused", "status-ok: [{append: http, with: {url: ''}}]", "8:46: " + base + "status-ok[0].with.url: is required"},
		{"unknown setting", "status-ok: [{append: http, with: {uri: a}}]", "8:41: " + base + "status-ok[0].with.uri: unknown key; known here: url, secret, tries, timeout, on_failure"},
		{"text for settings", "status-ok: [{append: http, with: a}]", "8:40: " + base + "status-ok[0].with: must be keys with values"},
		{"text for number", "status-ok: [{append: http, with: {tries: x}}]", "8:48: " + base + "status-ok[0].with.tries: must be a whole number"},
		{"plain secret", "status-ok: [{append: http, with: {url: a, secret: " + canary + "}}]", "8:57: " + base + "status-ok[0].with.secret: a secret stands here only as {env: NAME} or {file: path}"},
		{"unset secret", "status-ok: [{append: http, with: {url: a, secret: {env: UNSET_KEY}}}]", "8:63: " + base + "status-ok[0].with.secret: the environment variable UNSET_KEY is not set"},
		{"secret that cannot be read", "status-ok: [{append: http, with: {url: a, secret: {file: /forbidden}}}]", "8:64: " + base + "status-ok[0].with.secret: the file may not be read"},
		{"secret that is not there", "status-ok: [{append: http, with: {url: a, secret: {file: /absent}}}]", "8:64: " + base + "status-ok[0].with.secret: the file does not exist"},
		{"step that repeats a secret", "status-ok: [{append: http, with: {url: {env: PSP_URL}, tries: 10}}]", "8:19: " + base + "status-ok[0]: too many tries for ***"},

		// what the engine finds
		{
			"pipeline without save-order", "confirm: [{remove: save-order}]",
			`8:17: ` + base + `confirm[0]: pipeline "status-ok": step "pay-order" changes the order, and no save-order without a condition follows it` + "\n" +
				`8:17: ` + base + `confirm[0]: pipeline "status-cancel": step "cancel-order" changes the order, and no save-order without a condition follows it` + "\n" +
				`8:17: ` + base + `confirm[0]: pipeline "status-pending": step "pending-order" changes the order, and no save-order without a condition follows it`,
		},
		{
			"save-order with a condition", "cancel: [{append: cancel-order}, {append: save-order, as: save-later, when: order.total > 1}]",
			`8:16: ` + base + `cancel[0]: pipeline "cancel": step "cancel-order" changes the order, and no save-order without a condition follows it`,
		},
		{
			"cycle", "status-ok: [{append: order-path-selector}]",
			`8:19: ` + base + `status-ok[0]: pipeline "status-ok": branches in a cycle: [status-ok] → status-ok`,
		},
		{
			"missing input", "post-process: [{append: psp-redirect}]",
			`8:22: ` + base + `post-process[0]: pipeline "post-process": step "psp-redirect" needs a payment, which this pipeline does not have`,
		},
		{
			"too many edits", "status-ok: [" + strings.Repeat("{append: bell},", 201) + "]",
			"8:7: stores.demo.pipelines: holds 201 steps and edits; 200 are allowed",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, "paysvc.yaml:"+strings.ReplaceAll(c.want, "\n", "\npaysvc.yaml:"), strings.Join(problems(t, edited(c.edits)), "\n"))
		})
	}
}

func TestAnEditOfTheStoreThatFitsNotEveryMethodNamesThem(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{
		`paysvc.yaml:8:18: ` + base + `internal[0]: for method later: pipeline "internal": it has no step "pay-order"`,
	}, problems(t, edited("internal: [{insert: bell, before: pay-order}]")), "its gateway has replaced the step")

	const two = "stores:\n  demo:\n    accounts: {zero: {gateway: zero}}\n    pipelines: {status-ok: [{append: bell}]}\n    methods:\n" +
		"      a: {account: zero, kind: zero, pipelines: {status-ok: [{append: bell}]}}\n      b: {account: zero, kind: zero}\n"
	require.Equal(t, []string{
		`paysvc.yaml:6:62: stores.demo.methods.a.pipelines.status-ok[0]: pipeline "status-ok": ` +
			`steps: step "bell" stands in the pipeline twice; give one of them another name`,
	}, problems(t, two), "one of a method's own names no method")

}

func TestAllThatIsWrongWithPipelinesIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	var places []string
	for _, line := range problems(t, edited(`confirm:
  - insert: bel
    as: ring
    before: save-order
  - insert: bell
    after: ring
    when: order.totl > 1
  - remove: pay-order
  - insert: http
  - move: http
    before: ring
status-ok:
  - replace: pay-order
    by: save-order
    when: fact.exists
  - append: order-path-selector
  - explode: pay-order
cancel: {steps: [cancel-order]}`)) {
		place, _, _ := strings.Cut(strings.TrimPrefix(line, "paysvc.yaml:"), ": ")
		places = append(places, place)
	}
	require.Equal(t, []string{
		"9:19",           // no such step
		"14:23",          // no such name
		"15:11",          // nothing to remove
		"16:11", "16:11", // neither settings nor a place; that it cannot be moved to ring would be none
		"23:11",        // a cycle
		"24:11",        // no such operation
		"25:7", "25:7", // two lists are missing
		"25:24", // nothing is saved
	}, places)
}

func TestAProblemOfSeveralMethodsIsReportedOnce(t *testing.T) {
	t.Parallel()
	const source = "stores:\n  demo:\n    accounts: {later: {gateway: later}, zero: {gateway: zero}}\n    pipelines: {internal: [{remove: pay-order}]}\n" +
		"    methods:\n      a: {account: later, kind: invoice}\n      b: {account: later, kind: invoice}\n      c: {account: zero, kind: zero}\n"
	require.Equal(t, []string{
		`paysvc.yaml:4:28: stores.demo.pipelines.internal[0]: for methods a, b: pipeline "internal": it has no step "pay-order"`,
	}, problems(t, source))
}

func TestAStepThatCannotBeMadeIsFoundByLaterEdits(t *testing.T) {
	t.Parallel()
	for _, broken := range []string{
		"{append: No Name, as: x}", "{append: nope, as: x}", "{append: http, as: x}", "{append: bell, as: x, when: no}", "{insert: bell, as: x}",
		"{append: bell, as: x, to: end}", "{replace: pay-order, by: nope, as: x}",
	} {
		require.Len(t, problems(t, edited("status-ok: ["+broken+", {insert: bell, after: x}, {change: x, when: fact.exists}]")), 1, broken)
	}
}

func TestWhatNoEditIsToBlameForIsReportedAtThePipelines(t *testing.T) {
	t.Parallel()
	const source = "stores:\n  demo:\n    accounts: {zero: {gateway: zero}}\n    methods:\n      a: {account: zero, kind: zero}\n" +
		"      b:\n        account: zero\n        kind: zero\n        pipelines: {cancel: [{append: bell}]}\n"
	for name, c := range map[string]struct {
		source string
		err    error
		want   []string
	}{
		"of a program": {
			source, pipeline.Problems{{Pipeline: "confirm", What: "is odd"}},
			[]string{
				`paysvc.yaml:5:7: stores.demo.methods.a: pipeline "confirm": is odd`,
				`paysvc.yaml:9:9: stores.demo.methods.b.pipelines: pipeline "confirm": is odd`,
			},
		},
		"of another kind": {
			strings.Replace(source, "    methods:", "    pipelines: {cancel: [{append: bell, as: ring}]}\n    methods:", 1), errors.New("two steps are named alike"),
			[]string{
				`paysvc.yaml:4:5: stores.demo.pipelines: for method a: two steps are named alike`,
				`paysvc.yaml:10:9: stores.demo.methods.b.pipelines: two steps are named alike`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := deps()
			d.Pipelines.Check = func(_ *settings.Store, m *settings.Method) error {
				if m == nil {
					return nil
				}
				return c.err
			}
			_, err := settings.Load("paysvc.yaml", []byte(c.source), d)
			require.EqualError(t, err, strings.Join(c.want, "\n"))
		})
	}
}
