package experiment

import "crypto/rand"

const (
	idAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	idLength   = 9 // 36⁹ ≈ 10¹⁴
)

// NewID returns prefix followed by nine random characters of [a-z0-9]: "e" for
// experiments, "r" for runs.
func NewID(prefix string) string {
	id := []byte(prefix)
	var random [1]byte
	for len(id) < len(prefix)+idLength {
		rand.Read(random[:]) // never fails: it crashes the program instead
		// Bytes above the last multiple of 36 would make some characters likelier.
		if int(random[0]) < 256/len(idAlphabet)*len(idAlphabet) {
			id = append(id, idAlphabet[int(random[0])%len(idAlphabet)])
		}
	}
	return string(id)
}
