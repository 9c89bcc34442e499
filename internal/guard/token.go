package guard

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// minToken is the length of a token below which it is refused: 128 bit in
// hexadecimal.
const minToken = 32

// Hash returns what may be kept of a token.
func Hash(token string) [sha256.Size]byte { return sha256.Sum256([]byte(token)) }

// LoadToken reads the token in a file. Without the file it makes a token of 256
// random bits and writes it there, readable for its owner alone; created says so.
func LoadToken(path string) (token string, created bool, err error) {
	token, err = readToken(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return token, false, err
	}
	return createToken(path)
}

func readToken(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	token := strings.TrimSpace(string(data))
	if len(token) < minToken || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("the token in %s is not usable: it must be one line of at least %d characters, as from 'openssl rand -hex 32'; "+
			"if the file is missing, a token is created", path, minToken)
	}
	return token, nil
}

// createToken writes a new token, whole or not at all. When another process was
// faster, its token counts.
func createToken(path string) (token string, created bool, err error) {
	var random [32]byte
	rand.Read(random[:]) // never fails
	token = "dec_" + base64.RawURLEncoding.EncodeToString(random[:])
	f, err := os.CreateTemp(filepath.Dir(path), ".token-*") // with mode 0600
	if err != nil {
		return "", false, fmt.Errorf("create the token: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(token + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", false, fmt.Errorf("write the token: %w", err)
	}
	switch err := os.Link(f.Name(), path); {
	case errors.Is(err, fs.ErrExist):
		token, err = readToken(path)
		return token, false, err
	case err != nil:
		return "", false, fmt.Errorf("write the token: %w", err)
	}
	return token, true, nil
}
