// Package settings reads paysvc.yaml: the stores, their accounts at gateways
// and the methods that they offer. It is the place of these types. Reading is
// strict, and every problem is reported at once with file, line and column.
// No value of the file, of the environment or of a secret's file ever stands
// in a problem.
package settings

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// Settings is one valid paysvc.yaml with its gateways opened. It is not
// changed after Load: a reload makes another one.
type Settings struct {
	Stores map[string]*Store
	// Hash names the source bytes: the SHA-256, in hexadecimal.
	Hash string
}

// Store is a shop that takes payments.
type Store struct {
	Name  string
	Title string
	// ReturnOrigins are where shoppers may be sent back to: scheme://host[:port]
	// in lower case without a default port, http only on the loopback host.
	ReturnOrigins []string
	Accounts      map[string]*Account
	// Methods are sorted by position, then name.
	Methods []*Method
	// Stock tells that paid orders are deducted from our stock; true by default.
	Stock bool
	// ReturnSurplus tells that money on top of an order's price is refunded without
	// asking anybody, ReturnLate the same of money for a cancelled order.
	ReturnSurplus bool
	ReturnLate    bool
	// Effects says which effects the store carries out itself.
	Effects Effects
	// MailFrom is the sender of order mails, or "".
	MailFrom string
	// Pipelines are the store's edits of the pipelines, in the order of the file.
	Pipelines []pipeline.Edit
}

// Account is a store's credentials at one gateway.
type Account struct {
	Name        string
	Store       string
	GatewayName string
	Mode        payment.Mode
	Gateway     gateways.Gateway
	// Networks are where notifications may come from, in addition to their
	// verification; empty means anywhere.
	Networks []netip.Prefix
}

// Method is what the shopper chooses.
type Method struct {
	Name    string
	Title   string
	Account *Account
	// Kind is the gateway's own word for the method, and Spec what it says of it.
	Kind     string
	Spec     gateways.Method
	Position int
	Active   bool
	// Currencies and Countries (ISO 3166 alpha-2, of the billing address) are
	// those that the method is offered in; empty means all.
	Currencies []payment.Currency
	Countries  []string
	// MinTotal and MaxTotal bound the order's total by currency code, both
	// inclusive; a currency without an entry has no bound.
	MinTotal map[string]payment.Money
	MaxTotal map[string]payment.Money
	// Fee is what the method costs on top of what is paid with it.
	Fee payment.FeeRule
	// Pipelines are the method's edits of the pipelines, on top of the store's.
	Pipelines []pipeline.Edit
}

// Deps is what Load reaches the outside with.
type Deps struct {
	// Open makes the gateway of an account. decode fills a pointer to the
	// gateway's own configuration (see Decoding in decode.go) and reports what
	// is wrong with it. An error made by payment.Invalid with the name of a
	// setting is reported at that setting.
	Open func(gateway string, mode payment.Mode, account string, decode func(any) error) (gateways.Gateway, error)
	// LookupEnv is os.LookupEnv, and ReadFile reads the file of a secret. Paths
	// are handed over as they are written.
	LookupEnv func(string) (string, bool)
	ReadFile  func(string) ([]byte, error)
	// CheckURL and CheckSecret, when set, tell what is wrong with where commands
	// are posted to, and with what signs them. They repeat nothing of it.
	CheckURL    func(string) error
	CheckSecret func(string) error
	// Pipelines is what the key pipelines may hold.
	Pipelines Pipelines
}

// Load reads the settings; name is the file's name in problems. The error is
// of type Problems and lists everything that is wrong.
func Load(name string, source []byte, deps Deps) (*Settings, error) {
	l := &loader{file: name, deps: deps}
	var stores map[string]*Store
	if root := l.parse(source); root != nil {
		stores = l.stores(root)
	}
	if len(l.problems) > 0 {
		return nil, l.problems.sorted()
	}
	sum := sha256.Sum256(source)
	return &Settings{Stores: stores, Hash: hex.EncodeToString(sum[:])}, nil
}

// Store returns the store of this name, or nil.
func (s *Settings) Store(name string) *Store { return s.Stores[name] }

// Account returns a store's account, or nil.
func (s *Settings) Account(store, name string) *Account {
	if st := s.Stores[store]; st != nil {
		return st.Accounts[name]
	}
	return nil
}

// Method returns a store's method, active or not, or nil.
func (s *Settings) Method(store, name string) *Method {
	if st := s.Stores[store]; st != nil {
		return st.Method(name)
	}
	return nil
}

// Receiver returns the account that the notifications to
// /confirm/{gateway}/{account} are for, or nil. There is at most one, whatever
// its store: the address names no store.
func (s *Settings) Receiver(gateway, account string) *Account {
	for _, st := range s.Stores {
		if a := st.Accounts[account]; a != nil && a.GatewayName == gateway && a.receives() {
			return a
		}
	}
	return nil
}

// Method returns the method of this name, active or not, or nil.
func (st *Store) Method(name string) *Method {
	for _, m := range st.Methods {
		if m.Name == name {
			return m
		}
	}
	return nil
}

// receives tells whether notifications can arrive for the account.
func (a *Account) receives() bool {
	_, ok := a.Gateway.(gateways.NotificationReader)
	return ok
}
