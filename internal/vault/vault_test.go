package vault_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/vault"
)

// secret is the option that must be found nowhere but where it is revealed.
const secret = "canary-3d91f07b"

// plan has two variants with secrets and one without.
func plan() experiment.Plan {
	return experiment.Plan{Name: "p", Variants: []experiment.Variant{
		{Label: "a", Options: raw("size", `3`), Secrets: raw("password", `"`+secret+`"`)},
		{Label: "b", Secrets: raw("token", `"other"`)},
		{Label: "c", Options: raw("size", `4`)},
	}}
}

func raw(name, value string) map[string]json.RawMessage {
	return map[string]json.RawMessage{name: json.RawMessage(value)}
}

// keeper has what was sealed, by experiment.
type keeper map[string][]byte

func (k keeper) Secrets(_ context.Context, id string) ([]byte, error) {
	sealed, ok := k[id]
	if !ok {
		return nil, experiment.ErrNotFound
	}
	return sealed, nil
}

// open opens the vault of a key file.
func open(t *testing.T, path string) *vault.Vault {
	t.Helper()
	v, err := vault.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// seal seals the secrets of [plan] for an experiment.
func seal(t *testing.T, v *vault.Vault, id string) []byte {
	t.Helper()
	_, sealed, err := v.Seal(id, plan())
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestWhatIsSealedIsRevealedToItsVariant(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	given := plan()
	stripped, sealed, err := open(t, path).Seal("e1", given)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte(secret)) || bytes.Contains(sealed, []byte("password")) {
		t.Error("what is sealed holds the secret in clear")
	}
	want := plan()
	for i := range want.Variants {
		want.Variants[i].Secrets = nil
	}
	if diff := cmp.Diff(want, stripped); diff != "" {
		t.Errorf("plan without its secrets (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(plan(), given); diff != "" {
		t.Errorf("Seal() has changed the plan of its caller (-want +got):\n%s", diff)
	}
	later := open(t, path) // another process
	for label, want := range map[string]map[string]json.RawMessage{
		"a": raw("password", `"`+secret+`"`), "b": raw("token", `"other"`), "c": nil, "unknown": nil,
	} {
		got, err := later.Reveal(t.Context(), keeper{"e1": sealed}, "e1", label)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("Reveal(%s): %v (-want +got):\n%s", label, err, diff)
		}
	}
}

func TestAPlanWithoutSecretsNeedsNoSeal(t *testing.T) {
	v := open(t, filepath.Join(t.TempDir(), "key"))
	p := plan()
	p.Variants = p.Variants[2:]
	got, sealed, err := v.Seal("e1", p)
	if err != nil || sealed != nil || !cmp.Equal(p, got) {
		t.Errorf("Seal() = %v, %q, %v, want the plan as it is and nothing sealed", got, sealed, err)
	}
	if secrets, err := v.Reveal(t.Context(), keeper{}, "e1", "c"); err != nil || secrets != nil {
		t.Errorf("Reveal() where nothing is kept = %v, %v, want nothing", secrets, err)
	}
}

func TestEqualSecretsLookDifferent(t *testing.T) {
	v := open(t, filepath.Join(t.TempDir(), "key"))
	if bytes.Equal(seal(t, v, "e1"), seal(t, v, "e1")) {
		t.Error("the same secrets sealed twice are the same bytes")
	}
}

// TestSealedSecretsOpenOnlyAsTheyWereSealed tries another experiment, another key
// and other bytes. No error tells the secret.
func TestSealedSecretsOpenOnlyAsTheyWereSealed(t *testing.T) {
	dir := t.TempDir()
	v := open(t, filepath.Join(dir, "key"))
	other := open(t, filepath.Join(dir, "other"))
	sealed := seal(t, v, "e1")
	changed := bytes.Clone(sealed)
	changed[len(changed)-1] ^= 1
	tests := map[string]struct {
		vault  *vault.Vault
		id     string
		sealed []byte
	}{
		"another experiment":       {v, "e2", sealed},
		"another key":              {other, "e1", sealed},
		"changed bytes":            {v, "e1", changed},
		"too few bytes to be any":  {v, "e1", sealed[:4]},
		"none, where some must be": {v, "e1", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := tt.vault.Reveal(t.Context(), keeper{tt.id: tt.sealed}, tt.id, "a")
			if err == nil || got != nil {
				t.Fatalf("Reveal() = %v, %v, want an error", got, err)
			}
			if strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), tt.id) || !strings.Contains(err.Error(), dir) {
				t.Errorf("error = %q, want one that names experiment %s and the key's file, and no secret", err, tt.id)
			}
		})
	}
}

func TestASecretThatIsNoJSONIsNotRepeated(t *testing.T) {
	p := plan()
	p.Variants[0].Secrets = raw("password", secret)
	_, sealed, err := open(t, filepath.Join(t.TempDir(), "key")).Seal("e1", p)
	if err == nil || sealed != nil || strings.Contains(err.Error(), secret) {
		t.Errorf("Seal() = %q, %v, want an error that does not repeat the secret", sealed, err)
	}
}

// failing is a keeper that cannot be asked.
type failing struct{ err error }

func (f failing) Secrets(context.Context, string) ([]byte, error) { return nil, f.err }

func TestAKeeperThatFailsIsNoVariantWithoutSecrets(t *testing.T) {
	away := errors.New("the database is away")
	got, err := open(t, filepath.Join(t.TempDir(), "key")).Reveal(t.Context(), failing{away}, "e1", "a")
	if !errors.Is(err, away) || got != nil {
		t.Errorf("Reveal() = %v, %v, want %v", got, err, away)
	}
}

func TestTheKeyIsMadeOnceForItsOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	open(t, path)
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("key file: mode %v, %v, want %v", info.Mode(), err, fs.FileMode(0o600))
	}
	made, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	open(t, path)
	if again, err := os.ReadFile(path); err != nil || !bytes.Equal(made, again) {
		t.Errorf("the second Open has changed the key: %v", err)
	}
	another := filepath.Join(t.TempDir(), "key")
	open(t, another)
	if other, err := os.ReadFile(another); err != nil || bytes.Equal(made, other) {
		t.Errorf("two installations have the same key: %v", err)
	}
}

func TestAKeyMayBeWrittenByHand(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte("  "+strings.Repeat("0A", 32)+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, path)
}

func TestADamagedKeyIsRefusedAndStays(t *testing.T) {
	for name, content := range map[string]string{
		"empty": "", "too short": strings.Repeat("0a", 31), "too long": strings.Repeat("0a", 33), "not hexadecimal": strings.Repeat("0x", 32),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := vault.Open(path)
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "restore") {
				t.Errorf("Open() = %v, want an error that names the file and what to do", err)
			}
			if content != "" && strings.Contains(err.Error(), content) {
				t.Error("the error repeats what the file holds")
			}
			if left, err := os.ReadFile(path); err != nil || string(left) != content {
				t.Errorf("the file holds %q now, %v", left, err)
			}
		})
	}
}

func TestAKeyThatCannotBeMadeIsAnError(t *testing.T) {
	_, err := vault.Open(filepath.Join(t.TempDir(), "absent", "key"))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open() = %v, want that its folder is not there", err)
	}
}
