package guard_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"dec.local/dec/internal/guard"
)

func TestLoadTokenMakesOneAndKeepsIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	token, created, err := guard.LoadToken(path)
	if err != nil || !created || len(token) != len("dec_")+43 {
		t.Fatalf("LoadToken = %d characters, %t, %v; want a new token of 256 bit", len(token), created, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v (%v), want 0600", info.Mode(), err)
	}
	again, created, err := guard.LoadToken(path)
	if err != nil || created || again != token {
		t.Errorf("the second LoadToken gives the same = %t, created %t, %v", again == token, created, err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("beside the token lie %v (%v)", entries, err)
	}
}

func TestLoadTokenAtOnceGivesAllTheSame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	tokens := make([]string, 8)
	var wg sync.WaitGroup
	for i := range tokens {
		wg.Go(func() { tokens[i], _, _ = guard.LoadToken(path) })
	}
	wg.Wait()
	for i := range tokens {
		if tokens[i] == "" || tokens[i] != tokens[0] {
			t.Fatalf("caller %d got another token than caller 0, or none", i)
		}
	}
}

func TestLoadTokenRefusesWeakOnes(t *testing.T) {
	for name, content := range map[string]string{
		"empty": "", "short": "secret", "two lines": strings.Repeat("a", 32) + "\n" + strings.Repeat("b", 32), "not ASCII": strings.Repeat("ä", 32),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, _, err := guard.LoadToken(path)
			if err == nil || !strings.Contains(err.Error(), path) || content != "" && strings.Contains(err.Error(), content) {
				t.Errorf("LoadToken = %v, want an error that names the file and not the token", err)
			}
		})
	}
	if _, _, err := guard.LoadToken(filepath.Join(t.TempDir(), "no", "token")); err == nil {
		t.Error("LoadToken in a folder that is not there succeeded")
	}
}
