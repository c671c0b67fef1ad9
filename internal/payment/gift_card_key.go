package payment

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// giftCardKeyBytes is the least length of what codes are hashed with.
const giftCardKeyBytes = 32

// GiftCardKey is what the codes of gift cards are hashed with. Codes from elsewhere
// may be so short that all of them can be tried: with a hash alone, by whoever has
// a dump of the books, with a key by nobody. The zero value is no key.
type GiftCardKey struct {
	hash func(text string) []byte // the key is in no field that could be printed
}

// NewGiftCardKey makes the key out of a secret of at least 32 bytes, which serves
// nothing else.
func NewGiftCardKey(secret []byte) (GiftCardKey, error) {
	if len(secret) < giftCardKeyBytes {
		return GiftCardKey{}, Errorf(KindInternal, "internal", "the secret for the codes of gift cards is too short")
	}
	return GiftCardKey{hash: func(text string) []byte {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(text)) // never fails
		return mac.Sum(nil)
	}}, nil
}

// Ready tells whether there is a key.
func (k GiftCardKey) Ready() bool { return k.hash != nil }

// Hash is what is kept of a store's code. The same code at another store has another
// hash.
func (k GiftCardKey) Hash(store string, code GiftCardCode) []byte {
	return k.hash("gift card\n" + store + "\n" + code.text)
}

// Name tells keys apart, and nothing about what they hash.
func (k GiftCardKey) Name() string { return hex.EncodeToString(k.hash("name")[:8]) }
