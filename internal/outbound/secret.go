package outbound

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
)

// Secrets derives the secrets of endpoints from one key, so that none has to be
// kept: whoever reads the database learns none. While one key replaces another
// there are several, the newest first: it makes all that is new, and the others
// still count. The zero value has no key.
type Secrets struct {
	derive []derivation // one for each key
}

// derivation derives from a key, which is in no field that could be printed.
type derivation func(info string) ([]byte, error)

var errNoKey = errors.New("PAYSVC_SECRET_KEY is not set")

func derivationOf(key []byte) derivation {
	return func(info string) ([]byte, error) { return hkdf.Key(sha256.New, key, nil, info, secretBytes) }
}

// Ready tells whether there is a key.
func (s Secrets) Ready() bool { return len(s.derive) > 0 }

// Keys are 32 bytes for another purpose than endpoints, which nothing else is derived
// for, of each key: the newest first.
func (s Secrets) Keys(purpose string) ([][]byte, error) {
	if !s.Ready() {
		return nil, errNoKey
	}
	keys := make([][]byte, len(s.derive))
	for i, derive := range s.derive {
		var err error
		if keys[i], err = derive("paysvc " + purpose); err != nil {
			return nil, fmt.Errorf("derive a key: %w", err)
		}
	}
	return keys, nil
}

// Of is the secret of an endpoint in a version, which counts from 1: what its store
// is told, and so of the newest key.
func (s Secrets) Of(endpoint string, version int) (string, error) {
	if !s.Ready() {
		return "", errNoKey
	}
	return secretOf(s.derive[0], endpoint, version)
}

// Signing are the secrets that sign what an endpoint gets while these versions hold:
// those of the newest key first, and of each other key too, since an endpoint's
// store may have been told either.
func (s Secrets) Signing(endpoint string, versions []int) ([]string, error) {
	if !s.Ready() {
		return nil, errNoKey
	}
	secrets := make([]string, 0, len(s.derive)*len(versions))
	for _, derive := range s.derive {
		for _, version := range versions {
			secret, err := secretOf(derive, endpoint, version)
			if err != nil {
				return nil, err
			}
			secrets = append(secrets, secret)
		}
	}
	return secrets, nil
}

func secretOf(derive derivation, endpoint string, version int) (string, error) {
	key, err := derive("paysvc webhook endpoint\x00" + endpoint + "\x00" + strconv.Itoa(version))
	if err != nil {
		return "", fmt.Errorf("derive a secret: %w", err)
	}
	return secretPrefix + base64.StdEncoding.EncodeToString(key), nil
}
