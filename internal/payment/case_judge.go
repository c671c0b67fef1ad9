package payment

import "time"

// Verdict is what a person decided of a case about a transaction. A fact that
// carries one settles that transaction and resolves the case, both or neither.
type Verdict struct {
	Case       Case // as it is in the books
	Resolution Resolution
}

// Judge returns the fact that settles the transaction of a case on a person's
// word: approved or declined.
func Judge(v Verdict) Fact {
	f := Fact{Source: SourceOperator, State: Declined, Reason: Reason{Code: "operator", Message: "An operator says that no money moved."}, Verdict: &v}
	if v.Resolution.Action == CaseActApprove {
		f.State, f.Reason = Approved, Reason{}
	}
	return f
}

// about finds the transaction that a fact is about.
func (o *Order) about(f Fact, at time.Time) (*Payment, *Transaction, error) {
	if f.Verdict != nil {
		return o.judge(f.Verdict, f.State)
	}
	p, t := o.subject(f, at)
	if t == nil {
		return nil, nil, ErrUnknownReference
	}
	return p, t, nil
}

// judge prepares the transaction of a case to be settled. Of a case about the
// amount, what the PSP reported is what was really moved.
func (o *Order) judge(v *Verdict, state State) (*Payment, *Transaction, error) {
	c := v.Case
	p, t := o.Transaction(c.Transaction)
	switch approve := state == Approved; {
	case t == nil:
		return nil, nil, NotAllowed("no_transaction", "the case is about no transaction that could be settled")
	case !t.State.CanBecome(state):
		return nil, nil, NotAllowed("settled_already", "the transaction is settled already")
	case approve && c.Kind == CaseCurrencyMismatch:
		return nil, nil, NotAllowed("currency_differs", "money of another currency cannot pay the order: give it back at the PSP, and decline")
	case approve && c.Kind == CaseAmountMismatch:
		if err := t.correct(c.Claimed); err != nil {
			return nil, nil, err
		}
	}
	o.ResolveCases(CaseEnd{Case: c.ID, Resolution: v.Resolution})
	return p, t, nil
}

// correct makes the transaction one of the amount that its PSP reported.
func (t *Transaction) correct(claimed *Money) error {
	switch {
	case claimed == nil || claimed.Currency() != t.Amount.Currency():
		return NotAllowed("amount_unclear", "what the PSP reported was not kept: wait until it reports it again")
	case !claimed.IsPositive():
		return NotAllowed("amount_invalid", "what the PSP reported is not an amount that can be moved")
	case claimed.Equal(t.Amount):
		return nil
	case t.Reference == "":
		return NotAllowed("amount_unclear", "the PSP began it by itself, and each amount that it reported is a transaction of its own")
	}
	t.Amount = *claimed
	t.change = t.change.touched()
	return nil
}

// RefundCase has the money given back that a case is about, from at on. Money that
// was never the order's, or came too late, is told apart from money that a person
// returns.
func (o *Order) RefundCase(c Case, at time.Time) error {
	o.locate(&c)
	given := false
	for _, p := range o.Payments {
		if c.Payment != 0 && p.N != c.Payment {
			continue
		}
		if p.Release.Open() && (p.Release.Refund || !p.Sums.Captured.Sub(p.Sums.Refunded).IsPositive()) {
			return NotAllowed("being_released", "the payment's money is being given back")
		}
		if !p.Sums.Reserved().IsPositive() && !p.Sums.Captured.Sub(p.Sums.Refunded).IsPositive() {
			continue
		}
		given = true
		if r := (Release{Reason: o.whyGiven(c, p), Refund: true}); !o.ReleaseLater(p, r, at) {
			o.PostponeRelease(p, at, false) // it was given up
		}
	}
	if !given {
		return NotAllowed("nothing_to_refund", "the payment holds no money that could be given back")
	}
	return nil
}

// whyGiven is why the money of a payment is given back on behalf of a case. It is
// a surplus only as long as the order is covered without it.
func (o *Order) whyGiven(c Case, p *Payment) ReleaseReason {
	switch {
	case c.Kind == CaseSurplus && o.Held().Sub(o.HeldBy(p)).Cmp(o.Total) >= 0:
		return ReleaseSurplus
	case c.Kind == CasePaidAfterCancel:
		return ReleaseLate
	case o.Saved.Status == OrderPending:
		return ReleaseUncovered
	}
	return ReleaseRequested
}
