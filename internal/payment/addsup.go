package payment

// AddsUp tells whether the total is lines + shipping − discount, plus tax unless
// lines and shipping contain it.
func (d *Details) AddsUp() bool {
	sum := d.Shipping
	for _, l := range d.Lines {
		sum = sum.Add(l.Total)
	}
	if !d.TaxIncluded {
		sum = sum.Add(d.Tax)
	}
	return d.Total.Equal(sum.Sub(d.Discount))
}
