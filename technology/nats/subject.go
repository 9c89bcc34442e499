package nats

import (
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// A message's subject is <destination>.<partition>.<key>, the key in base64url,
// which has no character that means something in a subject, or noKey.
const noKey = "~"

// subjectOf returns the subject of a message. A nil key is none.
func subjectOf(destination string, partition int, key []byte) string {
	token := noKey
	if key != nil {
		token = emptyKey(base64.RawURLEncoding.EncodeToString(key))
	}
	return destination + "." + strconv.Itoa(partition) + "." + token
}

// emptyKey stands for a key without bytes: a subject has no empty tokens.
func emptyKey(token string) string {
	if token == "" {
		return noKey + noKey
	}
	return token
}

// filterOf matches all subjects of a partition.
func filterOf(destination string, partition int) string {
	return destination + "." + strconv.Itoa(partition) + ".*"
}

// parseSubject is the reverse of subjectOf.
func parseSubject(destination, subject string) (partition int, key []byte, err error) {
	rest, ok := strings.CutPrefix(subject, destination+".")
	if !ok {
		return 0, nil, fmt.Errorf("subject %q does not belong to %s", subject, destination)
	}
	number, token, _ := strings.Cut(rest, ".")
	if partition, err = strconv.Atoi(number); err != nil {
		return 0, nil, fmt.Errorf("subject %q: %w", subject, err)
	}
	switch token {
	case noKey:
		return partition, nil, nil
	case noKey + noKey:
		return partition, []byte{}, nil
	}
	if key, err = base64.RawURLEncoding.DecodeString(token); err != nil {
		return 0, nil, fmt.Errorf("subject %q: %w", subject, err)
	}
	return partition, key, nil
}

// partitionOf spreads keys evenly and the same way in every process: FNV-1a of
// the key, modulo the partitions.
func partitionOf(key []byte, partitions int) int {
	hash := fnv.New64a()
	hash.Write(key)
	return int(hash.Sum64() % uint64(partitions))
}
