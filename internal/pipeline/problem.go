package pipeline

import (
	"fmt"
	"strings"
)

// Problem is something that is wrong with a pipeline.
type Problem struct {
	Pipeline string
	// At is the place in the settings that is to blame, none where the program is.
	At   Position
	What string
}

func (p *Problem) Error() string {
	if p.Pipeline == "" {
		return p.What
	}
	return fmt.Sprintf("pipeline %q: %s", p.Pipeline, p.What)
}

// Problems is everything that is wrong with some pipelines.
type Problems []*Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "\n")
}
