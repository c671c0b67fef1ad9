package outbound

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
)

// secretBytes is the length of the secrets that we make, and the least of the key
// that they come from.
const secretBytes = 32

// Secrets derives the secrets of endpoints from one key, so that none has to be
// kept: whoever reads the database learns none. The zero value has no key.
type Secrets struct {
	derive func(info string) ([]byte, error)
}

var errNoKey = errors.New("PAYSVC_SECRET_KEY is not set")

// ParseSecrets reads the key: base64 of at least 32 bytes. "" is no key.
func ParseSecrets(key string) (Secrets, error) {
	if key == "" {
		return Secrets{}, nil
	}
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(raw) < secretBytes {
		return Secrets{}, errors.New("must be the base64 of at least 32 random bytes")
	}
	return Secrets{derive: func(info string) ([]byte, error) { // the key is in no field that could be printed
		return hkdf.Key(sha256.New, raw, nil, info, secretBytes)
	}}, nil
}

// Ready tells whether there is a key.
func (s Secrets) Ready() bool { return s.derive != nil }

// Key is 32 bytes for another purpose than endpoints, which nothing else is derived
// for.
func (s Secrets) Key(purpose string) ([]byte, error) {
	if !s.Ready() {
		return nil, errNoKey
	}
	key, err := s.derive("paysvc " + purpose)
	if err != nil {
		return nil, fmt.Errorf("derive a key: %w", err)
	}
	return key, nil
}

// Of is the secret of an endpoint in a version, which counts from 1.
func (s Secrets) Of(endpoint string, version int) (string, error) {
	if !s.Ready() {
		return "", errNoKey
	}
	key, err := s.derive("paysvc webhook endpoint\x00" + endpoint + "\x00" + strconv.Itoa(version))
	if err != nil {
		return "", fmt.Errorf("derive a secret: %w", err)
	}
	return secretPrefix + base64.StdEncoding.EncodeToString(key), nil
}
