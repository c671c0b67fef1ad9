package payment

// Opening says how a stretch begins: which order it locks, and what is durable
// with it whatever its steps do. Exactly one of Order, Reference and New is set.
type Opening struct {
	// Store, when set, is the only store whose order may be found.
	Store string
	Order OrderID
	// Reference finds the order by our reference of one of its transactions, which
	// must be at this gateway and account.
	Reference string
	Gateway   string
	Account   string
	// New is an order that does not exist yet.
	New *Order
	// Claim is taken before anything else; a *Claimed error says that it was gone.
	Claim *Claim
	// Notification is put in the inbox; ErrDuplicate says that it was there, and
	// ErrParked that no order fits: it is kept and nothing else happened.
	Notification *Notification
	// Journal is the run that the stretch goes on with; ErrStale says that somebody
	// else took it up.
	Journal *RunRecord
	// Attributes loads the attributes of the order with it, for pipelines that use
	// them; without it the order has none to read and takes none.
	Attributes bool
	// Token names this stretch, so that a lost answer to COMMIT can be resolved.
	Token ID
}

// Closing is what a stretch writes beside the order.
type Closing struct {
	Runs []*RunRecord
	// Claim is answered with Reply; a nil Reply leaves it running.
	Claim   *Claim
	Reply   *Reply
	Payment int // the payment that the reply is about, 0 for none
	Run     int // the run whose transactions the reply is about, 0 for none
	// DetailsChanged tells that the frozen part of the order was re-written.
	DetailsChanged bool
	// Notification is what becomes of the one that opened the stretch, or of a
	// parked one that is tried again.
	Notification *Notification
}

// What a stretch can find instead of its order.
var (
	ErrOrderNotFound = NotFound("an order of this id")
	ErrDuplicate     = Errorf(KindConflict, "duplicate_notification", "the notification was received before")
	ErrParked        = Errorf(KindNotFound, "unknown_reference", "the notification fits no transaction")
	ErrNumberTaken   = Errorf(KindConflict, "order_number_taken", "another order of the store has this number")
	ErrConflicting   = Errorf(KindConflict, "conflicting_notification", "the event was received with other content")
	// ErrUnrecorded is a call to a PSP whose outcome could not be written down. The
	// announced transaction is in the books, and the PSP is asked about it.
	ErrUnrecorded = Errorf(KindUnavailable, "outcome_not_recorded", "the outcome could not be recorded yet; ask again")
	ErrStale      = Errorf(KindConflict, "stale_run", "the run was taken up elsewhere")
)
