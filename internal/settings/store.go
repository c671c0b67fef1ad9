package settings

import (
	"net/mail"
	"slices"
	"strings"
)

// stores reads the whole file.
func (l *loader) stores(root *node) map[string]*Store {
	if !l.fields(root, "stores") {
		return nil
	}
	all := root.get("stores")
	if all == nil || all.kind == mapping && len(all.fields) == 0 {
		l.report(root, "needs at least one store below stores")
		return nil
	}
	stores := map[string]*Store{}
	receivers := map[[2]string]bool{}
	for _, f := range l.named(all) {
		stores[f.key] = l.store(f, receivers)
	}
	return stores
}

// store reads one store. receivers are the addresses of notifications that
// other stores have taken, by gateway and account.
func (l *loader) store(f field, receivers map[[2]string]bool) *Store {
	st := &Store{Name: f.key, Title: f.key, Accounts: map[string]*Account{}}
	n := f.value
	if !l.fields(n, "title", "return_origins", "accounts", "methods", "stock", "mail_from", "pipelines", "effects", "auto_refund") {
		return st
	}
	if title, ok := l.text(n.get("title")); ok {
		st.Title = title
	}
	st.ReturnOrigins = l.origins(n.get("return_origins"))
	st.Stock = l.flag(n.get("stock"), true)
	if refund := n.get("auto_refund"); refund != nil && l.fields(refund, "surplus", "paid_after_cancel") {
		st.ReturnSurplus, st.ReturnLate = l.flag(refund.get("surplus"), false), l.flag(refund.get("paid_after_cancel"), false)
	}
	st.Effects = l.effects(n.get("effects"))
	st.MailFrom = l.sender(n.get("mail_from"))
	for _, a := range l.named(n.get("accounts")) {
		account := l.account(st.Name, a)
		st.Accounts[a.key] = account
		if !account.receives() {
			continue
		}
		address := [2]string{account.GatewayName, account.Name}
		if receivers[address] {
			l.report(a.at, "another store has an account of this name at this gateway; notifications need a name of their own")
		}
		receivers[address] = true
	}
	st.Pipelines = l.pipelines(n.get("pipelines"))
	methods := map[*Method]field{}
	for _, f := range l.named(n.get("methods")) {
		m := l.method(st, f)
		st.Methods, methods[m] = append(st.Methods, m), f
	}
	slices.SortFunc(st.Methods, func(a, b *Method) int {
		if a.Position != b.Position {
			return a.Position - b.Position
		}
		return strings.Compare(a.Name, b.Name)
	})
	l.check(st, f, methods)
	return st
}

// sender reads the sender of mails.
func (l *loader) sender(n *node) string {
	value, ok := l.text(n)
	if !ok {
		return ""
	}
	if _, err := mail.ParseAddress(value); err != nil {
		l.report(n, "must be a mail address such as Shop <orders@shop.example>")
		return ""
	}
	return value
}
