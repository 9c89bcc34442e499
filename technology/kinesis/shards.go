package kinesis

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"fmt"
	"math/big"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// hashKey is a number of 128 bits, the first byte the most significant.
type hashKey [md5.Size]byte

// shard is a shard of the stream.
type shard struct {
	id      string
	start   hashKey
	parents []string // those that it came from by a split or a merge
	open    bool     // takes records
}

// hash returns the shard's first hash key as Kinesis writes it.
func (s shard) hash() string { return new(big.Int).SetBytes(s.start[:]).String() }

// shards lists all shards that the stream still has, in the order of their hash
// keys.
func (d *driver) shards(ctx context.Context) ([]shard, error) {
	var found []shard
	err := d.control(ctx, func(ctx context.Context) error {
		found = nil
		input := &kinesis.ListShardsInput{StreamName: &d.stream}
		for {
			page, err := d.admin.ListShards(ctx, input)
			if err != nil {
				return err
			}
			for _, s := range page.Shards {
				one, err := readShard(s)
				if err != nil {
					return err
				}
				found = append(found, one)
			}
			if page.NextToken == nil {
				return nil
			}
			input = &kinesis.ListShardsInput{NextToken: page.NextToken}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("list the shards of stream %s: %w", d.stream, err)
	}
	slices.SortFunc(found, func(a, b shard) int {
		return cmp.Or(bytes.Compare(a.start[:], b.start[:]), cmp.Compare(a.id, b.id))
	})
	return found, nil
}

// openShards lists the shards that take records: partition i is the i-th one.
func (d *driver) openShards(ctx context.Context) ([]shard, error) {
	all, err := d.shards(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(s shard) bool { return !s.open }), nil
}

// readShard reads one shard of the SDK.
func readShard(s types.Shard) (shard, error) {
	one := shard{id: aws.ToString(s.ShardId), open: s.SequenceNumberRange == nil || s.SequenceNumberRange.EndingSequenceNumber == nil}
	for _, parent := range []*string{s.ParentShardId, s.AdjacentParentShardId} {
		if parent != nil {
			one.parents = append(one.parents, *parent)
		}
	}
	if s.HashKeyRange == nil {
		return one, fmt.Errorf("shard %s has no hash key range", one.id)
	}
	text := aws.ToString(s.HashKeyRange.StartingHashKey)
	start, ok := new(big.Int).SetString(text, 10)
	if !ok || start.Sign() < 0 || start.BitLen() > 8*len(one.start) {
		return one, fmt.Errorf("shard %s starts at hash key %q, which is not a 128-bit number", one.id, text)
	}
	start.FillBytes(one.start[:])
	return one, nil
}

// ranges are the first hash keys of the partitions, in their order.
type ranges []hashKey

func rangesOf(shards []shard) ranges {
	r := make(ranges, len(shards))
	for i, s := range shards {
		r[i] = s.start
	}
	return r
}

// partition returns the partition that takes a hash key.
func (r ranges) partition(h hashKey) int {
	i, found := slices.BinarySearchFunc(r, h, func(start, h hashKey) int { return bytes.Compare(start[:], h[:]) })
	if !found {
		i--
	}
	return max(i, 0)
}

// partitionKeys finds partition keys for messages without a key: some for each
// partition, so that they spread over the children of a shard that is split. A
// range may be too narrow to meet one; it gets none.
func (r ranges) partitionKeys(each int) [][]string {
	keys, missing := make([][]string, len(r)), each*len(r)
	for n := 0; missing > 0 && n < 64*each*len(r); n++ {
		key := string(mark) + strconv.Itoa(n)
		if i := r.partition(md5.Sum([]byte(key))); len(keys[i]) < each {
			keys[i] = append(keys[i], key)
			missing--
		}
	}
	return keys
}
