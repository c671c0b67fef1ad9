package moments

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// Write writes the trial for people. other names what was tried beside the
// settings in force.
func (t *Tried) Write(w io.Writer, other string) error {
	var b strings.Builder
	o := t.Order
	fmt.Fprintf(&b, "%s for %s: order %s, %s %s, %s, %s\n", t.Pipeline, o.ID, o.Number, o.Total, o.Currency,
		o.Saved.Status, o.PaymentStatus())
	writeTrial(&b, "the settings in force", t.InForce)
	if t.Tried != nil {
		writeTrial(&b, other, t.Tried)
		b.WriteString("\nWhat differs:\n")
		WriteDifferences(&b, t.Differences)
	}
	if len(t.Remarks) > 0 {
		b.WriteString("\n" + strings.Join(t.Remarks, "\n") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeTrial(b *strings.Builder, under string, t *pipeline.Trial) {
	r := reportTrial(t)
	fmt.Fprintf(b, "\nUnder %s", under)
	if r.Version != "" {
		fmt.Fprintf(b, " (version %s)", r.Version)
	}
	b.WriteString(":\n")
	out := tabwriter.NewWriter(b, 0, 4, 3, ' ', 0)
	for _, s := range r.Steps {
		depth := strings.Count(s.Step, "/")
		name := s.Step[strings.LastIndex(s.Step, "/")+1:]
		row(out, 1, strings.Repeat("  ", depth)+name, s.Result, s.Why)
	}
	_ = out.Flush() // a builder takes everything
	if r.Outcome != string(payment.RunDone) {
		fmt.Fprintf(b, "  The run is %s: %s\n", r.Outcome, r.Why)
	}
	if len(r.Changes) == 0 {
		b.WriteString("  It changes nothing.\n")
		return
	}
	b.WriteString("  It changes:\n")
	for _, c := range t.Changes {
		text := c.To
		if c.From != "" {
			text = c.From + " → " + cmp.Or(c.To, "nothing")
		}
		row(out, 2, strings.TrimSpace(c.Kind+" "+c.Subject), text)
	}
	_ = out.Flush()
}

// WriteDifferences writes one line for each difference.
func WriteDifferences(w io.Writer, all []pipeline.Difference) {
	if len(all) == 0 {
		fmt.Fprintln(w, "  nothing: both decide the same")
		return
	}
	out := tabwriter.NewWriter(w, 0, 4, 3, ' ', 0)
	for _, d := range all {
		mark, text := "~ ", cmp.Or(d.Before, "–")+" → "+cmp.Or(d.After, "–")
		switch d.Kind {
		case pipeline.StepAdded:
			mark, text = "+ ", d.After
		case pipeline.StepRemoved:
			mark, text = "- ", d.Before
		case pipeline.StepMoved:
			text = "moved: " + text
		case pipeline.StepResult, pipeline.Outcome, pipeline.ChangeDiff:
		}
		row(out, 1, mark+d.Subject, text)
	}
	_ = out.Flush() // an error of w comes again with the next thing that is written
}

// row writes cells in columns, without blanks at the end of the line.
func row(out io.Writer, depth int, cells ...string) {
	for len(cells) > 1 && cells[len(cells)-1] == "" {
		cells = cells[:len(cells)-1]
	}
	fmt.Fprintln(out, strings.Repeat("  ", depth)+strings.Join(cells, "\t"))
}
