package moments

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// Write writes the trial for people. other names what was tried beside the
// settings in force.
func (t *Tried) Write(w io.Writer, other string) error {
	var b strings.Builder
	o := t.Order
	fmt.Fprintf(&b, "%s, tried on order %s (%s)\n%s %s, status %s, payment %s\n", t.Pipeline, o.Number, o.ID, o.Total,
		o.Currency, o.Saved.Status, o.PaymentStatus())
	writeSteps(&b, "the settings in force", t.InForce)
	writeChanges(&b, o, t.InForce.Changes)
	if t.Tried != nil {
		writeSteps(&b, other, t.Tried)
		b.WriteString("\nWhat differs:\n")
		_ = WriteDifferences(&b, o, t.Differences) // a builder takes everything
	}
	if len(t.Remarks) > 0 {
		b.WriteString("\n" + strings.Join(t.Remarks, "\n") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeSteps(b *strings.Builder, under string, t *pipeline.Trial) {
	r := reportTrial(t)
	fmt.Fprintf(b, "\nUnder %s", under)
	if r.Version != "" {
		fmt.Fprintf(b, " (version %s)", r.Version)
	}
	b.WriteString(":\n")
	var rows table
	for _, s := range t.Steps {
		indent := strings.Repeat("  ", 1+strings.Count(s.Step, "/"))
		result := s.Result
		if s.Branched {
			result = "→ " + result
		}
		rows = append(rows, []string{indent + s.Step[strings.LastIndex(s.Step, "/")+1:], result, s.Why})
	}
	b.WriteString(rows.String())
	if r.Outcome != string(payment.RunDone) {
		fmt.Fprintf(b, "  The run is %s: %s\n", r.Outcome, r.Why)
	}
}

func writeChanges(b *strings.Builder, o *payment.Order, changes []pipeline.TrialChange) {
	if len(changes) == 0 {
		b.WriteString("  It changes nothing.\n")
		return
	}
	b.WriteString("  It changes:\n")
	short := shortNames(o)
	var rows table
	for _, c := range changes {
		rows = append(rows, []string{"    " + short.Replace(c.Name()), c.Text()})
	}
	b.WriteString(rows.String())
}

// WriteDifferences writes a line for each difference of two trials on an order.
func WriteDifferences(w io.Writer, o *payment.Order, all []pipeline.Difference) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "  nothing: both decide the same")
		return err
	}
	short := shortNames(o)
	var rows table
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
		rows = append(rows, []string{"  " + mark + short.Replace(d.Subject), text})
	}
	_, err := io.WriteString(w, rows.String())
	return err
}

// shortNames takes the ids of payments and transactions for what they are, where
// the order has one of a kind only.
func shortNames(o *payment.Order) *strings.Replacer {
	methods, types := make(map[string][]string), make(map[string][]string)
	for _, p := range o.Payments {
		methods[p.Method] = append(methods[p.Method], payment.PaymentID{Order: o.ID, N: p.N}.String())
		for _, t := range p.Transactions {
			types[string(t.Type)] = append(types[string(t.Type)], payment.TransactionID{Order: o.ID, N: t.N}.String())
		}
	}
	var pairs []string
	for _, names := range []map[string][]string{methods, types} {
		for name, ids := range names {
			if len(ids) == 1 {
				pairs = append(pairs, ids[0], name)
			}
		}
	}
	return strings.NewReplacer(pairs...)
}

// table is rows of cells that are written in columns.
type table [][]string

// String pads all cells but the last of a row that says something.
func (t table) String() string {
	widths := make(map[int]int)
	for _, row := range t {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range t {
		line := ""
		for i, cell := range row {
			line += cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+3)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}
