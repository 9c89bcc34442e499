package fault

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"dec.local/dec/internal/measure"
)

// readStream reads a whole stream with the bare SDK and returns the sequence
// numbers of the messages of a run that are in it.
func readStream(t *testing.T, endpoint, stream string, run uint64) map[uint64]bool {
	t.Helper()
	client := kinesis.New(kinesis.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(endpoint),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	shards, err := client.ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: aws.String(stream)})
	if err != nil {
		t.Fatal(err)
	}
	found := map[uint64]bool{}
	for _, shard := range shards.Shards {
		iterator, err := client.GetShardIterator(t.Context(), &kinesis.GetShardIteratorInput{
			StreamName: aws.String(stream), ShardId: shard.ShardId, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
		})
		if err != nil {
			t.Fatal(err)
		}
		for next := iterator.ShardIterator; next != nil; {
			page, err := client.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: next})
			if err != nil {
				t.Fatal(err)
			}
			for _, record := range page.Records {
				h, kind := measure.ParseHeader(record.Data, run)
				if kind != measure.Intact {
					t.Errorf("shard %s holds a record that no producer has sent", aws.ToString(shard.ShardId))
				}
				found[h.Seq] = true
			}
			if next = page.NextShardIterator; len(page.Records) == 0 {
				break
			}
		}
	}
	return found
}
