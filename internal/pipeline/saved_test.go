package pipeline_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/pipeline"
)

// mover changes the order, and saver makes that last.
type (
	mover struct{ *testStep }
	saver struct{ *testStep }
)

func (mover) MovesOrder() {}
func (saver) SavesOrder() {}

func found(t *testing.T, definitions pipeline.Definitions, edits ...pipeline.Edit) pipeline.Problems {
	t.Helper()
	edited, err := definitions.Apply(edits)
	require.NoError(t, err)
	fork := &testStep{name: "fork", branches: []string{"status-ok"}}
	_, err = pipeline.Compile(edited, library(t, notes("a"), fork, mover{notes("pay-order")}, saver{notes("save-order")}))
	if err == nil {
		return nil
	}
	problems, ok := errors.AsType[pipeline.Problems](err)
	require.True(t, ok)
	return problems
}

func forking(ok, post []string) pipeline.Definitions {
	return pipeline.Definitions{
		"confirm": define("confirm", nil, nil, post), "status-ok": define("status-ok", nil, ok, nil),
	}
}

func TestWhatChangesTheOrderMustBeSaved(t *testing.T) {
	t.Parallel()
	always := []string{"fork", "save-order"}
	require.Empty(t, found(t, forking([]string{"pay-order"}, always)), "the pipeline that branches saves")
	require.Empty(t, found(t, forking([]string{"pay-order", "save-order"}, []string{"fork"})), "the branch saves")
	require.Empty(t, found(t, forking([]string{"a"}, []string{"fork"})), "nothing has to be saved")
	for name, definitions := range map[string]pipeline.Definitions{
		"nobody saves": forking([]string{"pay-order"}, []string{"fork"}), "saved before": forking([]string{"save-order", "pay-order"}, []string{"save-order", "fork"}),
	} {
		problems := found(t, definitions)
		require.Len(t, problems, 1, name)
		require.Equal(t, `pipeline "status-ok": step "pay-order" changes the order, and no save-order without a condition follows it`, problems[0].Error())
	}
	conditional := forking([]string{"pay-order"}, always)
	conditional["confirm"].Post[1].When = holds{source: "order.total > 1"}
	require.Len(t, found(t, conditional), 1, "what may be skipped saves nothing for sure")
}

// A problem leads to the line of the settings that made it.
func TestAProblemIsBlamedOnTheEditThatMadeIt(t *testing.T) {
	t.Parallel()
	here, there := pipeline.Position{Line: 7, Column: 3}, pipeline.Position{Line: 9, Column: 1}
	base := func() pipeline.Definitions { return forking([]string{"pay-order"}, []string{"fork", "save-order"}) }
	for name, c := range map[string]struct {
		edits []pipeline.Edit
		at    pipeline.Position
	}{
		"save-order is taken out": {[]pipeline.Edit{{Pipeline: "confirm", Op: pipeline.Remove, Step: pipeline.Use{Name: "save-order"}, At: here}}, here},
		"a step that nobody knows": {[]pipeline.Edit{
			{Pipeline: "confirm", Op: pipeline.Append, Step: pipeline.Use{Name: "x", At: here}, At: there},
		}, here},
		"a step stands there twice": {[]pipeline.Edit{
			{Pipeline: "confirm", Op: pipeline.Append, Step: pipeline.Use{Name: "fork", At: here}, At: here},
		}, here},
		"a cycle": {[]pipeline.Edit{
			{Pipeline: "status-ok", Op: pipeline.Append, Step: pipeline.Use{Name: "fork", At: here}, At: there},
		}, there},
	} {
		problems := found(t, base(), c.edits...)
		require.NotEmpty(t, problems, name)
		require.Equal(t, c.at, problems[0].At, "%s: %s", name, problems[0])
	}
	edit := pipeline.Edit{Pipeline: "confirm", Op: pipeline.Remove, Step: pipeline.Use{Name: "gone"}, At: here}
	_, err := base().Apply([]pipeline.Edit{edit})
	problems, ok := errors.AsType[pipeline.Problems](err)
	require.True(t, ok)
	require.Equal(t, here, problems[0].At)
	require.Equal(t, `pipeline "confirm": it has no step "gone"`, err.Error())
}

func TestOneStepMayStandThereTwiceUnderTwoNames(t *testing.T) {
	t.Parallel()
	edited, err := mainly("a").Apply([]pipeline.Edit{
		{Pipeline: "main", Op: pipeline.InsertAfter, Target: "a", Step: pipeline.Use{Name: "again", Step: "a", When: holds{source: "fact.changed"}}},
		{Pipeline: "main", Op: pipeline.Append, Step: pipeline.Use{Name: "asked", Step: "configured", Configured: notes("x"), Config: `url: "https://x"`}},
	})
	require.NoError(t, err)
	set, err := pipeline.Compile(edited, library(t, notes("a")))
	require.NoError(t, err)
	require.Contains(t, set["main"].Text(), "a, again, asked")
	require.Contains(t, set["main"].Text(), "again: a when fact.changed")
	require.Contains(t, set["main"].Mermaid(), `"again (a) when fact.changed"`)
}

// Whatever makes a step what it is makes the version.
func TestTheVersionHoldsConditionsAndConfigurations(t *testing.T) {
	t.Parallel()
	seen := make(map[string]pipeline.Use)
	for _, use := range []pipeline.Use{
		{Name: "a"}, {Name: "b"}, {Name: "b", Step: "a"}, {Name: "a", When: holds{source: "x"}}, {Name: "a", When: holds{source: "y"}},
		{Name: "a", Config: "x"}, {Name: "a", Config: "y"},
	} {
		hash := pipeline.Definition{Name: "main", Steps: []pipeline.Use{use}}.Hash()
		require.NotContains(t, seen, hash)
		seen[hash] = use
	}
}

func TestAStepThatStandsThereMovesAsItIs(t *testing.T) {
	t.Parallel()
	definitions := mainly("a", "b", "c")
	definitions["main"].Steps[0].When = holds{source: "x"}
	edited, err := definitions.Apply([]pipeline.Edit{{Pipeline: "main", Op: pipeline.MoveAfter, Step: pipeline.Use{Name: "a"}, Target: "c"}})
	require.NoError(t, err)
	require.Equal(t, "b, c, a when x", usesText(edited["main"].Steps))
}

func usesText(uses []pipeline.Use) (text string) {
	for i, use := range uses {
		if i > 0 {
			text += ", "
		}
		text += use.Text()
	}
	return text
}
