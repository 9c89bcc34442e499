// Package vault encrypts the secret options of experiments, so that the database
// and its backups hold none in the clear. The key is a file outside the database.
package vault

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"dec.local/dec/internal/experiment"
)

// Vault seals and opens secret options with one key.
type Vault struct {
	aead cipher.AEAD
	path string // of the key, for messages
}

// keyBytes is the length of the key: AES-256.
const keyBytes = 32

// Open reads the key file, which it makes, readable by its owner only, when there
// is none.
func Open(path string) (*Vault, error) {
	key, err := readKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = makeKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	return &Vault{aead: aead, path: path}, nil
}

func readKey(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != keyBytes {
		return nil, fmt.Errorf("%s does not contain %d bytes in hexadecimal: restore it from a backup, or move it away, "+
			"which loses the secrets of unfinished experiments", path, keyBytes)
	}
	return key, nil
}

func makeKey(path string) ([]byte, error) {
	key := make([]byte, keyBytes)
	rand.Read(key) // never fails
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = file.WriteString(hex.EncodeToString(key) + "\n")
	return key, errors.Join(err, file.Sync(), file.Close())
}

// options are the secret options of an experiment, by label of the variant.
type options map[string]map[string]json.RawMessage

// secretsOf takes the secrets out of a checked plan; nil without any.
func secretsOf(p experiment.Plan) options {
	var all options
	for _, v := range p.Variants {
		if len(v.Secrets) > 0 {
			if all == nil {
				all = options{}
			}
			all[v.Label] = v.Secrets
		}
	}
	return all
}

// Seal takes the secrets out of the checked plan of an experiment and encrypts
// them; nil without any. They open for no other experiment.
func (v *Vault) Seal(id string, p experiment.Plan) (experiment.Plan, []byte, error) {
	secrets := secretsOf(p)
	if len(secrets) == 0 {
		return p, nil, nil
	}
	text, err := json.Marshal(secrets)
	if err != nil {
		return p, nil, errors.New("a secret option is not JSON") // err may repeat it
	}
	p.Variants = slices.Clone(p.Variants)
	for i := range p.Variants {
		p.Variants[i].Secrets = nil
	}
	return p, v.aead.Seal(nil, nil, text, []byte(id)), nil
}

// open is the inverse of [Vault.Seal].
func (v *Vault) open(id string, sealed []byte) (options, error) {
	text, err := v.aead.Open(nil, nil, sealed, []byte(id))
	if err != nil {
		return nil, fmt.Errorf("the stored secrets of experiment %s cannot be decrypted with the key in %s: restore the key that encrypted them",
			id, v.path)
	}
	var secrets options
	if json.Unmarshal(text, &secrets) != nil {
		return nil, fmt.Errorf("the stored secrets of experiment %s are not the expected JSON", id)
	}
	return secrets, nil
}

// Keeper has the sealed secrets of experiments.
type Keeper interface {
	// Secrets returns what was sealed, [experiment.ErrNotFound] when there is
	// nothing, or nothing more.
	Secrets(ctx context.Context, experimentID string) ([]byte, error)
}

// Reveal returns the secret options of one variant of an experiment.
func (v *Vault) Reveal(ctx context.Context, keeper Keeper, experimentID, label string) (map[string]json.RawMessage, error) {
	sealed, err := keeper.Secrets(ctx, experimentID)
	if errors.Is(err, experiment.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	secrets, err := v.open(experimentID, sealed)
	return secrets[label], err
}
