// Package kinesis drives Amazon Kinesis Data Streams through aws-sdk-go-v2.
//
// One producer or consumer is one client with connections of its own, as in an
// application. README.md tells how the fields of a workload map to Kinesis, how
// order is kept under partial failures, and what an emulator does not show.
package kinesis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"dec.local/dec/technology"
)

// Technology is Amazon Kinesis Data Streams.
var Technology = technology.Technology{
	Name:         "kinesis",
	Title:        "Amazon Kinesis Data Streams",
	ConfigSchema: technology.ConfigSchema(fields),
	CheckConfig:  checkConfig,
	Open:         open,
	Cost:         technology.Cost{Send: 60 * time.Microsecond, Receive: 20 * time.Microsecond},
	Programs:     []technology.Program{limitsProgram},
}

// How consumers read, and how a stream gets its capacity.
const (
	polling        = "polling"
	enhancedFanOut = "enhanced_fan_out"
	provisioned    = "provisioned"
	onDemand       = "on_demand"
)

// endpoints is what the stacks output for this driver.
type endpoints struct {
	Region    string `json:"region"`
	Endpoint  string `json:"endpoint"`  // URL; "" for AWS's own
	Stream    string `json:"stream"`    // that the stack made; "" leaves it to the driver to create the destination
	Consumers string `json:"consumers"` // "polling" or "enhanced_fan_out"
	Emulator  string `json:"emulator"`  // program and version, as "kinesalite 3.3.3"; "" for AWS
	Limits    bool   `json:"limits"`    // a limiter before the emulator enforces the limits of shards
	Capacity  string `json:"capacity"`  // "provisioned" or "on_demand"
}

// driver is what the clients of one stream share.
type driver struct {
	endpoints endpoints
	settings  technology.Settings
	config    config
	log       *slog.Logger
	aws       aws.Config // without an HTTP client: each client has its own
	stream    string
	admin     *client
	close     sync.Once

	mu     sync.Mutex        // protects the following
	groups map[string]*group // of consumers, by name

	registering sync.Mutex         // held while a group is registered; protects the following
	arn         string             // of the stream; "" until it is needed
	fanOuts     map[string]*fanOut // registered consumers of enhanced fan-out, by group
}

// closePatience is how long Close waits for AWS to take back what was registered.
const closePatience = 5 * time.Second

// streamName is what Kinesis accepts as the name of a stream.
var streamName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,128}$`)

// open returns once the endpoint answers. Whether the stream is there is for
// Prepare to say: the stack's one may still be in the making.
func open(ctx context.Context, raw json.RawMessage, s technology.Settings) (technology.Driver, error) {
	d := &driver{settings: s, log: s.Logger, groups: map[string]*group{}, fanOuts: map[string]*fanOut{}}
	if d.log == nil {
		d.log = slog.Default()
	}
	var err error
	if d.endpoints, err = readEndpoints(raw); err != nil {
		return nil, err
	}
	if d.config, err = decode(s.ClientConfig, s.Workload); err != nil {
		return nil, err
	}
	if d.stream = d.endpoints.Stream; d.stream == "" {
		d.stream = s.Destination
	}
	if !streamName.MatchString(d.stream) {
		return nil, fmt.Errorf("destination %q: a stream name consists of 1 to 128 letters, digits, dots, hyphens and underscores", d.stream)
	}
	if d.aws, err = d.awsConfig(ctx); err != nil {
		return nil, err
	}
	d.admin = d.newClient()
	err = d.control(ctx, func(ctx context.Context) error {
		_, err := d.describe(ctx)
		if isNotFound(err) {
			return nil
		}
		return err
	})
	if err != nil {
		d.admin.close()
		return nil, fmt.Errorf("connect to Kinesis in region %s%s: %w", d.endpoints.Region, at(d.endpoints.Endpoint), err)
	}
	return d, nil
}

// at says where, unless it is AWS's own endpoint.
func at(endpoint string) string {
	if endpoint == "" {
		return ""
	}
	return " at " + endpoint
}

// readEndpoints reads what a stack outputs.
func readEndpoints(raw json.RawMessage) (endpoints, error) {
	e := endpoints{Consumers: polling, Capacity: provisioned}
	err := json.Unmarshal(raw, &e)
	switch {
	case err == nil && e.Region == "":
		err = errors.New("the region is missing")
	case err == nil && e.Consumers != polling && e.Consumers != enhancedFanOut:
		err = fmt.Errorf("consumers %q is neither %s nor %s", e.Consumers, polling, enhancedFanOut)
	case err == nil && e.Capacity != provisioned && e.Capacity != onDemand:
		err = fmt.Errorf("capacity %q is neither %s nor %s", e.Capacity, provisioned, onDemand)
	case err == nil && e.Emulator != "" && e.Endpoint == "":
		err = errors.New("an emulator needs an endpoint")
	}
	if err != nil {
		return e, fmt.Errorf(`read the endpoints %s: %w; want {"region": "eu-central-1", "endpoint": "http://host:port", "consumers": "polling"}`,
			raw, err)
	}
	return e, nil
}

// describe reads the stream's summary once.
func (d *driver) describe(ctx context.Context) (*kinesis.DescribeStreamSummaryOutput, error) {
	return d.admin.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: &d.stream})
}

// Close implements [technology.Driver]. It takes back the consumers that were
// registered here.
func (d *driver) Close() error {
	d.close.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closePatience)
		defer cancel()
		d.deregister(ctx)
		d.admin.close()
	})
	return nil
}
