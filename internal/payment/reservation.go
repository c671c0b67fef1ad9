package payment

// Reservation is a value that only one order may use: a purchase order number.
// It is taken in the commit that keeps the payment which uses it. The order that
// holds it may take it again, and one that is cancelled holds nothing.
type Reservation struct {
	// Scope is what kind of value it is, and Subject whose it is within the store:
	// a customer's, or the store's own for "".
	Scope   string
	Subject string
	// Value is compared byte by byte.
	Value string
	// Field is the field of the request to blame when another order holds the value.
	Field string
}

// ErrReserved says that another order holds a value which a stretch wanted.
// Nothing of the stretch lasted.
var ErrReserved = Errorf(KindConflict, "value_taken", "another order uses the value")

// Reserve stages a reservation for the order.
func (o *Order) Reserve(r Reservation) {
	o.Staged.Reservations = append(o.Staged.Reservations, r)
}
