package kinesis

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// A partition key of Kinesis is text of 1 to 256 characters, and each record has
// one. A key that is such text stays as it is. The others, and the absence of a
// key, begin with a mark, so that a consumer can tell them apart: the mark and a
// number stand for no key, the mark and an x for a key in base64.
const (
	mark             = '~'
	encodedPrefix    = "~x"
	maxKeyCharacters = 256
)

// partitionKeyOf returns the partition key of a key.
func partitionKeyOf(key []byte) string {
	if isPlain(key) {
		return string(key)
	}
	return encodedPrefix + base64.RawURLEncoding.EncodeToString(key)
}

// isPlain reports whether a key is its own partition key.
func isPlain(key []byte) bool {
	return len(key) > 0 && key[0] != mark && utf8.Valid(key)
}

// keyOf returns the key that a partition key stands for, and whether there is
// one. It is made in buffer if that has room.
func keyOf(buffer []byte, partitionKey string) (key []byte, given bool) {
	if partitionKey == "" || partitionKey[0] != mark {
		return append(buffer[:0], partitionKey...), true
	}
	if text, ok := strings.CutPrefix(partitionKey, encodedPrefix); ok {
		if key, err := base64.RawURLEncoding.DecodeString(text); err == nil {
			return key, true
		}
	}
	if strings.Trim(partitionKey[1:], "0123456789") == "" {
		return nil, false
	}
	return append(buffer[:0], partitionKey...), true // a key that this driver did not write
}
