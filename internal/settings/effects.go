package settings

import (
	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// Effects says which effects of its orders a store carries out itself. We carry
// out the others, in our own tables.
type Effects struct {
	// Storefront are the kinds of effects that are commands, posted to URL and
	// signed with every one of Secrets.
	Storefront []payment.EffectKind
	URL        string
	Secrets    []gateways.Secret
}

// Who carries out an effect.
const (
	byUs    = "internal"
	byStore = "storefront"
)

// effectKeys are the keys below effects, and what they are about.
var effectKeys = []struct {
	key  string
	kind payment.EffectKind
}{
	{"stock", payment.DeductStock}, {"promotions", payment.TrackPromotionCode}, {"basket", payment.DeleteBasket},
}

// effects reads who carries out what: the word internal for us, or keys.
func (l *loader) effects(n *node) Effects {
	var e Effects
	if n == nil || n.kind == text && n.text == byUs {
		return e
	}
	if n.kind != mapping {
		l.mistyped(n, "the word internal, or keys with values")
		return e
	}
	if !l.fields(n, "stock", "promotions", "basket", "url", "secret") {
		return e
	}
	for _, k := range effectKeys {
		if l.byStore(n.get(k.key)) {
			e.Storefront = append(e.Storefront, k.kind)
		}
	}
	e.URL = l.commandURL(n.get("url"))
	e.Secrets = l.commandSecrets(n.get("secret"))
	for _, needed := range []string{"url", "secret"} {
		if len(e.Storefront) > 0 && n.get(needed) == nil {
			l.report(n, "needs the key %s, as the storefront carries out effects", needed)
		}
	}
	return e
}

func (l *loader) byStore(n *node) bool {
	who, ok := l.scalar(n, "internal or storefront", text)
	if ok && who != byUs && who != byStore {
		l.report(n, "must be internal or storefront")
	}
	return ok && who == byStore
}

// commandURL reads where commands are posted to. It may be a reference: some URLs
// carry a token.
func (l *loader) commandURL(n *node) string {
	value, ok := l.scalar(n, "text", text)
	if !ok {
		return ""
	}
	if l.deps.CheckURL != nil {
		if err := l.deps.CheckURL(value); err != nil {
			l.report(n, "%s", err)
		}
	}
	return value
}

// commandSecrets reads one secret, or a list of them while one replaces another.
func (l *loader) commandSecrets(n *node) []gateways.Secret {
	if n == nil {
		return nil
	}
	items := []*node{n}
	if n.kind == sequence {
		items = n.items
	}
	if len(items) < 1 || len(items) > secretsMax {
		l.report(n, "must be a secret, or a list of 1 to %d", secretsMax)
		return nil
	}
	var secrets []gateways.Secret
	for _, item := range items {
		if !item.isReference() {
			l.report(item, "a secret stands here only as {env: NAME} or {file: path}")
			continue
		}
		value, ok := l.resolve(item)
		if !ok {
			continue
		}
		if l.deps.CheckSecret != nil {
			if err := l.deps.CheckSecret(value); err != nil {
				l.report(item, "%s", err)
			}
		}
		secrets = append(secrets, gateways.Secret(value))
	}
	return secrets
}

// secretsMax bounds the secrets that sign one message.
const secretsMax = 3
