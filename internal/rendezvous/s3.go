package rendezvous

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob"
	"gocloud.dev/blob/s3blob"
)

// Credentials are those of a bucket, as they are handed to another process.
type Credentials struct {
	AccessKeyID     string    `json:"access_key_id"`
	SecretAccessKey string    `json:"secret_access_key"`
	SessionToken    string    `json:"session_token,omitempty"`
	ExpiresAt       time.Time `json:"expires_at,omitzero"` // of temporary ones
}

// connections is how many connections to S3 are kept for the next requests.
const connections = 32

// defaultRegion is that of servers other than AWS which know none.
const defaultRegion = "us-east-1"

// openS3 makes the client. It asks for nothing yet.
func (b *Bucket) openS3(ctx context.Context, o BucketOptions) error {
	// What may pass is tried again by Bucket.try alone.
	load := []func(*config.LoadOptions) error{
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }),
		config.WithHTTPClient(awshttp.NewBuildableClient().
			WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTime }).
			WithTransportOptions(func(t *http.Transport) { t.MaxIdleConnsPerHost = connections })),
	}
	if b.at.region != "" {
		load = append(load, config.WithRegion(b.at.region))
	}
	if len(o.Credentials) > 0 {
		provider, err := given(o.Credentials)
		if err != nil {
			return err
		}
		load = append(load, config.WithCredentialsProvider(provider))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return fmt.Errorf("open %s: read the AWS configuration: %w", b.at, err)
	}
	b.client = s3.NewFromConfig(cfg, func(s *s3.Options) {
		s.UsePathStyle = b.at.pathStyle
		if o.Transport != nil {
			s.HTTPClient = &http.Client{Transport: o.Transport}
		}
		if b.at.endpoint != "" {
			s.BaseEndpoint = &b.at.endpoint
		}
		if s.BaseEndpoint != nil { // others than AWS may not know its newer checksums
			s.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
			s.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
			s.Region = cmp.Or(s.Region, defaultRegion)
		}
	})
	known := b.client.Options() // the environment may have said the rest
	b.at.region, b.at.endpoint = known.Region, aws.ToString(known.BaseEndpoint)
	if b.at.region == "" {
		return fmt.Errorf("open %s: the region is unknown; add ?region=… to the URL, or set AWS_REGION", b.at)
	}
	b.blob, err = s3blob.OpenBucket(ctx, b.client, b.at.bucket, &s3blob.Options{RequestChecksumCalculation: known.RequestChecksumCalculation})
	if err != nil {
		return fmt.Errorf("open %s: %w", b.at, err)
	}
	if b.at.prefix != "" {
		b.blob = blob.PrefixedBucket(b.blob, b.at.prefix+"/")
	}
	return nil
}

// given makes a provider of credentials that another process has handed over. Its
// errors do not repeat them.
func given(text json.RawMessage) (aws.CredentialsProvider, error) {
	var c Credentials
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&c) != nil || c.AccessKeyID == "" || c.SecretAccessKey == "" {
		return nil, errors.New("the bucket credentials must be {access_key_id, secret_access_key, session_token, expires_at}")
	}
	return credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken), nil
}

// Credentials returns what another process needs beside the URL, and until when
// it may be used (the zero time: for ever). It is nothing for a folder.
func (b *Bucket) Credentials(ctx context.Context) (json.RawMessage, time.Time, error) {
	if b.client == nil {
		return nil, time.Time{}, nil
	}
	have, err := b.client.Options().Credentials.Retrieve(ctx)
	if err != nil {
		return nil, time.Time{}, b.noCredentials(err)
	}
	c := Credentials{AccessKeyID: have.AccessKeyID, SecretAccessKey: have.SecretAccessKey, SessionToken: have.SessionToken}
	if have.CanExpire {
		c.ExpiresAt = have.Expires.UTC()
	}
	text, err := json.Marshal(c)
	return text, c.ExpiresAt, err
}

func (b *Bucket) noCredentials(err error) error {
	return fmt.Errorf("no credentials for %s; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or attach a role to the machine (%w)",
		b.at, innermost(err))
}
