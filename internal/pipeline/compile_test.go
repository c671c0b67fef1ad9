package pipeline_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paysvc/paysvc/internal/pipeline"
)

func library(t require.TestingT, steps ...pipeline.Step) pipeline.Library {
	l, err := pipeline.NewLibrary(steps...)
	require.NoError(t, err)
	return l
}

// problems returns what is wrong with the definitions, sorted.
func problems(t require.TestingT, definitions pipeline.Definitions, steps ...pipeline.Step) []string {
	_, err := pipeline.Compile(definitions, library(t, steps...))
	if err == nil {
		return nil
	}
	lines := strings.Split(err.Error(), "\n")
	slices.Sort(lines)
	return lines
}

func branchesTo(name string, branches ...string) *testStep {
	return &testStep{name: name, branches: branches}
}

func TestTwoStepsOfOneNameAreAnError(t *testing.T) {
	t.Parallel()
	_, err := pipeline.NewLibrary(notes("a"), notes("b"), notes("a"))
	require.EqualError(t, err, `two steps are named "a"`)
}

func TestEveryProblemOfThePipelinesIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	definitions := pipeline.Definitions{
		"confirm":     define("confirm", []string{"unknown"}, []string{"a", "needs-payment"}, []string{"a"}),
		"pre-process": define("pre-process", nil, []string{"needs-payment", "needs-facts"}, []string{"lost"}),
		"ring":        define("ring", nil, []string{"to-ring"}, nil),
		"empty":       define("empty", nil, []string{""}, nil),
	}
	want := []string{
		`pipeline "confirm": post: step "a" stands in the pipeline twice; give one of them another name`,
		`pipeline "confirm": pre: there is no step "unknown"`,
		`pipeline "confirm": step "needs-payment" needs a payment, which this pipeline does not have`,
		`pipeline "empty": steps: there is no step ""`,
		`pipeline "pre-process": step "lost" branches to "nowhere", which does not exist`,
		`pipeline "pre-process": step "needs-facts" needs facts, which this pipeline does not have`,
		`pipeline "ring": branches in a cycle: [ring] → ring`,
	}
	for range 20 { // maps have no order; reports have
		require.Equal(t, want, problems(t, definitions, notes("a"),
			&testStep{name: "needs-payment", needs: []pipeline.Input{pipeline.InputPayment}},
			&testStep{name: "needs-facts", needs: []pipeline.Input{pipeline.InputFacts}},
			branchesTo("lost", "nowhere"), branchesTo("to-ring", "ring")))
	}
}

// uncomparable is a step that == cannot be asked about.
type uncomparable struct{ do func() }

func (uncomparable) Name() string               { return "uncomparable" }
func (uncomparable) Do(run *pipeline.Run) error { return nil }

func TestAStepThatStandsTwiceIsReportedWhateverItIsMadeOf(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{`pipeline "main": steps: step "uncomparable" stands in the pipeline twice; give one of them another name`},
		problems(t, mainly("uncomparable", "uncomparable"), uncomparable{do: func() {}}))
}

func TestCyclesOfAnyLengthAreReportedOnce(t *testing.T) {
	t.Parallel()
	for range 20 {
		require.Equal(t, []string{`pipeline "a": branches in a cycle: [a b c] → a`}, problems(t, pipeline.Definitions{
			"a": define("a", nil, []string{"to-b"}, nil), "b": define("b", nil, nil, []string{"to-c"}),
			"c": define("c", []string{"to-a"}, nil, nil), "main": define("main", nil, []string{"to-a"}, nil),
		}, branchesTo("to-a", "a"), branchesTo("to-b", "b"), branchesTo("to-c", "c")))
	}
}

// chain returns pipelines that branch into each other, so many deep. Their names
// sort from the first to the last, or the other way round.
func chain(depth int, backwards bool) (pipeline.Definitions, []pipeline.Step) {
	definitions := make(pipeline.Definitions)
	var steps []pipeline.Step
	name := func(i int) string {
		if backwards {
			i = depth - i
		}
		return fmt.Sprintf("p%d", i)
	}
	for i := range depth {
		definitions[name(i)] = define(name(i), nil, nil, nil)
		if i+1 < depth {
			definitions[name(i)] = define(name(i), nil, []string{"to-" + name(i+1)}, nil)
			steps = append(steps, branchesTo("to-"+name(i+1), name(i+1)))
		}
	}
	return definitions, steps
}

func TestPipelinesThatBranchTooDeepAreReported(t *testing.T) {
	t.Parallel()
	for _, backwards := range []bool{false, true} {
		definitions, steps := chain(4, backwards)
		require.Empty(t, problems(t, definitions, steps...))
		definitions, steps = chain(5, backwards)
		got := problems(t, definitions, steps...)
		require.Len(t, got, 1)
		require.Contains(t, got[0], "branches more than 4 deep")
	}
}

// A pipeline that is branched to has what the one that branches has; each way to
// it is looked at.
func TestWhatAStepNeedsIsAskedOfEveryPipelineThatLeadsToIt(t *testing.T) {
	t.Parallel()
	definitions := pipeline.Definitions{
		"internal": define("internal", nil, []string{"to-child"}, nil), "post-process": define("post-process", nil, []string{"to-child"}, nil),
		"child": define("child", nil, []string{"needs-payment"}, nil),
	}
	needy := &testStep{name: "needs-payment", needs: []pipeline.Input{pipeline.InputPayment}}
	for range 20 {
		require.Equal(t, []string{
			`pipeline "child": step "needs-payment" needs a payment, which pipeline "post-process" does not have`,
		}, problems(t, definitions, branchesTo("to-child", "child"), needy))
	}
	delete(definitions, "post-process")
	require.Empty(t, problems(t, definitions, branchesTo("to-child", "child"), needy))
	definitions["child"] = define("child", nil, []string{"to-pre-process"}, nil)
	definitions["pre-process"] = define("pre-process", nil, []string{"needs-payment"}, nil)
	require.Empty(t, problems(t, definitions, branchesTo("to-child", "child"), branchesTo("to-pre-process", "pre-process"), needy),
		"pre-process has its own, whoever else leads to it")
	require.Empty(t, problems(t, pipeline.Definitions{"status-ok": define("status-ok", nil, []string{"facts"}, nil)},
		&testStep{name: "facts", needs: []pipeline.Input{pipeline.InputFacts}}), "the branches of confirm have what confirm has")
	require.NotEmpty(t, problems(t, pipeline.Definitions{"alone": define("alone", nil, []string{"needs-payment"}, nil)}, needy))
}

// versions compiles pipelines and returns the version of each.
func versions(t require.TestingT, definitions pipeline.Definitions, steps ...pipeline.Step) map[string]string {
	set, err := pipeline.Compile(definitions, library(t, steps...))
	require.NoError(t, err)
	all := make(map[string]string)
	for name, p := range set {
		require.Len(t, p.Version, 12)
		all[name] = p.Version
	}
	return all
}

func TestTheVersionChangesWithThePipelineAndWithAllThatItBranchesTo(t *testing.T) {
	t.Parallel()
	steps := []pipeline.Step{notes("a"), notes("b"), branchesTo("fork", "x", "y"), branchesTo("deeper", "z")}
	definitions := func() pipeline.Definitions {
		return pipeline.Definitions{
			"main": define("main", []string{"a"}, []string{"fork"}, nil), "x": define("x", nil, []string{"deeper"}, nil),
			"y": define("y", nil, nil, nil), "z": define("z", nil, []string{"a"}, nil), "other": define("other", nil, nil, nil),
		}
	}
	before := versions(t, definitions(), steps...)
	require.Equal(t, before, versions(t, definitions(), steps...))
	for name, c := range map[string]struct {
		pipeline string
		changed  []string
	}{
		"main": {"main", []string{"main"}}, "x": {"x", []string{"main", "x"}}, "y": {"y", []string{"main", "y"}},
		"z": {"z", []string{"main", "x", "z"}}, "other": {"other", []string{"other"}},
	} {
		edited, err := definitions().Apply([]pipeline.Edit{{Pipeline: c.pipeline, Op: pipeline.Append, Step: pipeline.Use{Name: "b"}, List: pipeline.Post}})
		require.NoError(t, err)
		after := versions(t, edited, steps...)
		for p := range before {
			require.Equal(t, slices.Contains(c.changed, p), before[p] != after[p], "%s changed: %s", name, p)
		}
	}
}

// No two definitions have one hash: neither the place of a step, nor its list,
// nor the pipeline's name may get lost.
func TestDifferentDefinitionsHaveDifferentHashes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "a-b"}), 0, 3)
		draw := func(label string) pipeline.Definition {
			return define(rapid.SampledFrom([]string{"p", "q"}).Draw(t, label), names.Draw(t, label+" pre"),
				names.Draw(t, label+" steps"), names.Draw(t, label+" post"))
		}
		one, other := draw("one"), draw("other")
		same := one.Name == other.Name && slices.Equal(one.Pre, other.Pre) && slices.Equal(one.Steps, other.Steps) &&
			slices.Equal(one.Post, other.Post)
		require.Equal(t, same, one.Hash() == other.Hash())
		require.NotEqual(t, one.Hash(), one.Hash(other))
		require.Equal(t, same, one.Hash(one) == one.Hash(other))
	})
}

func TestCompiledPipelinesKeepTheirDefinition(t *testing.T) {
	t.Parallel()
	definitions := mainly("a", "b")
	set, err := pipeline.Compile(definitions, library(t, notes("a"), notes("b")))
	require.NoError(t, err)
	require.Equal(t, []string{"confirm", "main"}, slices.Sorted(maps.Keys(set)))
	require.Equal(t, definitions["main"], set["main"].Definition)
}
