package payment

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"time"
)

// AuditEntry is a line of the audit: who changed what, when, and how we know of
// it. It names no person but the holder of a key, and holds no payload.
type AuditEntry struct {
	Store string // "" for the service as a whole
	// Position numbers the entries of a store from 1 without gaps.
	Position int64
	At       time.Time
	// Actor is the id of a key, or one of the constants below.
	Actor string
	// Source is how we know: that of a fact, or api, command_line, settings.
	Source string
	// Action is what was done: the type of an event, or such as key.created.
	Action string
	// Subject is the id of what was changed.
	Subject string
	// Order is zero for none. Of an entry that takes over what a case without an order
	// told of itself it is the case's id, as in the event: see AboutOrder.
	Order    OrderID
	Amount   string // decimal text, "" for none
	Currency string
	Status   string
	Detail   string
	// Event is the number of the event that the entry takes over, 0 for none, with
	// its Sequence and the Digest of its content.
	Event    int
	Sequence int64
	Digest   []byte
	// Hash chains the entry to the one before.
	Hash []byte
}

// Who acts where it is not the holder of a key.
const (
	ActorSystem      = "system"
	ActorPSP         = "psp"
	ActorCommandLine = "command line"
)

// Chained returns the hash of the entry behind another one: SHA-256 over the hash
// before and every field with its length, so that no two entries read alike.
func (e *AuditEntry) Chained(before []byte) []byte {
	h := sha256.New()
	var length [8]byte
	for _, field := range [][]byte{
		before, []byte(e.Store), []byte(strconv.FormatInt(e.Position, 10)), []byte(strconv.FormatInt(e.At.UnixMicro(), 10)),
		[]byte(e.Actor), []byte(e.Source), []byte(e.Action), []byte(e.Subject), e.Order[:], []byte(e.Amount), []byte(e.Currency),
		[]byte(e.Status), []byte(e.Detail), []byte(strconv.Itoa(e.Event)), []byte(strconv.FormatInt(e.Sequence, 10)), e.Digest,
	} {
		binary.BigEndian.PutUint64(length[:], uint64(len(field)))
		h.Write(length[:]) // a hash never fails
		h.Write(field)
	}
	return h.Sum(nil)
}

// AuditOf makes the entry of an event, whose content hashes to digest.
func AuditOf(store string, e Event, digest []byte) AuditEntry {
	entry := AuditEntry{
		Store: store, At: e.At, Actor: e.Actor, Source: e.Source, Action: e.Type, Subject: auditSubject(e), Order: e.ID().Order,
		Status: e.Status, Detail: string(e.CaseKind), Event: e.N, Sequence: e.Sequence, Digest: digest,
	}
	if e.Amount != nil {
		entry.Amount, entry.Currency = e.Amount.String(), e.Amount.Currency().String()
	}
	switch {
	case e.Actor == "" && e.Source == string(SourceNotification):
		entry.Actor = ActorPSP
	case e.Actor == "":
		entry.Actor = ActorSystem
	case e.Source == "": // no fact came with what the holder of a key did
		entry.Source = auditSourceAPI
	}
	if entry.Source == "" {
		entry.Source = ActorSystem
	}
	return entry
}

// AboutOrder is the order that the entry is about, zero for none.
func (e *AuditEntry) AboutOrder() OrderID {
	if e.Subject == CaseID(e.Order).String() {
		return OrderID{}
	}
	return e.Order
}

func auditSubject(e Event) string {
	switch {
	case e.Case != (CaseID{}):
		return e.Case.String()
	case e.Transaction != 0:
		return TransactionID{Order: e.Order, N: e.Transaction}.String()
	case e.Payment != 0:
		return PaymentID{Order: e.Order, N: e.Payment}.String()
	}
	return e.Order.String()
}

// Where an entry comes from that takes over no fact.
const (
	auditSourceAPI         = "api"
	auditSourceCommandLine = "command_line"
	auditSourceSettings    = "settings"
)

// ByCommandLine begins the entry of what somebody does on the command line.
func ByCommandLine(at time.Time) AuditEntry {
	return AuditEntry{At: at, Actor: ActorCommandLine, Source: auditSourceCommandLine}
}

// ByActor begins the entry of what the holder of an API key does, or, for "", the
// service by itself.
func ByActor(actor string, at time.Time) AuditEntry {
	if actor == "" {
		return AuditEntry{At: at, Actor: ActorSystem, Source: ActorSystem}
	}
	return AuditEntry{At: at, Actor: actor, Source: auditSourceAPI}
}

// SettingsInForce is the entry of the settings that an instance works with from now
// on: the hash of their file, and whether it was read at the start or anew.
func SettingsInForce(hash, why string, at time.Time) AuditEntry {
	return AuditEntry{
		At: at, Actor: ActorSystem, Source: auditSourceSettings, Action: "settings.in_force", Subject: hash, Detail: why,
	}
}
