package api

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"io"
)

// seal closes an answer so that only who sends the same API key opens it again. The
// service keeps hashes of API keys, so what it keeps sealed it cannot read itself.
type seal struct {
	secret string // the Authorization header, which was authenticated
	about  string // what is sealed; it opens as nothing else
}

func (s seal) close(text []byte, random io.Reader) ([]byte, error) {
	aead, err := s.aead()
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, fmt.Errorf("seal an answer: %w", err)
	}
	return aead.Seal(nonce, nonce, text, []byte(s.about)), nil
}

func (s seal) open(sealed []byte) (text []byte, ok bool) {
	aead, err := s.aead()
	if err != nil || len(sealed) < aead.NonceSize() {
		return nil, false
	}
	nonce, rest := sealed[:aead.NonceSize()], sealed[aead.NonceSize():]
	text, err = aead.Open(nil, nonce, rest, []byte(s.about))
	return text, err == nil
}

func (s seal) aead() (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, []byte(s.secret), nil, "paysvc: an answer that shows a gift card", 32)
	if err != nil {
		return nil, fmt.Errorf("seal an answer: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("seal an answer: %w", err)
	}
	return cipher.NewGCM(block)
}
