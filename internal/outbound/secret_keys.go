package outbound

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
)

// secretBytes is the length of the secrets that we make, and the least of a key
// that they come from.
const secretBytes = 32

// keysMax bounds the signatures of a message: two for each key.
const keysMax = 4

// What is wrong with keys. No error repeats one.
var (
	errKey      = errors.New("must be the base64 of at least 32 random bytes, or several by commas, the newest first")
	errKeysMany = errors.New("has more than four keys: drop those that nothing needs any more")
	errKeyTwice = errors.New("has the same key twice")
)

// ParseSecrets reads the key: base64 of at least 32 bytes, or several by commas, the
// newest first. "" is no key.
func ParseSecrets(list string) (Secrets, error) {
	if list == "" {
		return Secrets{}, nil
	}
	texts := strings.Split(list, ",")
	if len(texts) > keysMax {
		return Secrets{}, errKeysMany
	}
	var s Secrets
	var keys [][]byte
	for _, text := range texts {
		key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
		if err != nil || len(key) < secretBytes {
			return Secrets{}, errKey
		}
		if slices.ContainsFunc(keys, func(other []byte) bool { return subtle.ConstantTimeCompare(key, other) == 1 }) {
			return Secrets{}, errKeyTwice
		}
		keys = append(keys, key)
		s.derive = append(s.derive, derivationOf(key))
	}
	return s, nil
}
