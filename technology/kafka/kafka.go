// Package kafka drives Apache Kafka through franz-go.
//
// One producer or consumer is one client with connections of its own, as in an
// application. README.md tells how the fields of a workload map to Kafka's
// settings, and why consumers have their partitions assigned.
package kafka

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"dec.local/dec/technology"
)

// Technology is Apache Kafka.
var Technology = technology.Technology{
	Name:         "kafka",
	Title:        "Apache Kafka",
	ConfigSchema: technology.ConfigSchema(fields),
	CheckConfig:  checkConfig,
	Open:         open,
	Cost:         technology.Cost{Send: 6 * time.Microsecond, Receive: 3 * time.Microsecond},
}

// endpoints is what the stacks output for this driver.
type endpoints struct {
	Bootstrap     []string  `json:"bootstrap"`      // host:port of every broker
	TLS           *identity `json:"tls"`            // nil without encryption
	Replicas      int       `json:"replicas"`       // copies of each partition; 0 is what the workload says
	ProducerQuota float64   `json:"producer_quota"` // bytes/s of each broker; 0 is no limit
	ConsumerQuota float64   `json:"consumer_quota"` // bytes/s of each broker; 0 is no limit
}

// driver is a connection to a cluster.
type driver struct {
	endpoints
	settings technology.Settings
	security security // how clients encrypt and authenticate
	config   config
	log      *slog.Logger
	client   *kgo.Client
	admin    *kadm.Client
	close    sync.Once
}

// clientID is the name of all clients, by which the brokers know their quotas. The one
// that looks for what did not arrive has another: the quota that held up the consumers
// must not keep it from seeing what is still there.
const clientID, rereadClientID = "dec", "dec-reread"

// metadataMinAge is how long the client does not ask again where the partitions
// are. Its default, 5 s, would be lost at each new topic of a cluster.
const metadataMinAge = 250 * time.Millisecond

// open returns once as many brokers as there are endpoints have joined the
// cluster, so that a topic can have a copy on each.
func open(ctx context.Context, raw json.RawMessage, s technology.Settings) (technology.Driver, error) {
	var e endpoints
	if err := json.Unmarshal(raw, &e); err != nil || len(e.Bootstrap) == 0 {
		return nil, fmt.Errorf("read the endpoints %s: want {\"bootstrap\": [\"host:port\"]}", raw)
	}
	c, err := decode(s.ClientConfig, s.Workload)
	if err != nil {
		return nil, err
	}
	d := &driver{endpoints: e, settings: s, config: c, log: s.Logger}
	if d.log == nil {
		d.log = slog.Default()
	}
	if d.security, err = e.clientSecurity(s.Secrets); err != nil {
		return nil, err
	}
	if d.client, err = d.newClient(nil); err != nil {
		return nil, err
	}
	d.admin = kadm.NewClient(d.client)
	err = technology.Retry(ctx, func(ctx context.Context) error {
		m, err := d.admin.BrokerMetadata(ctx)
		if err != nil {
			return refused(err)
		}
		if len(m.Brokers) < len(d.Bootstrap) {
			return fmt.Errorf("%d of %d brokers have joined", len(m.Brokers), len(d.Bootstrap))
		}
		return nil
	})
	if err != nil {
		d.client.Close()
		return nil, fmt.Errorf("connect to Kafka at %s: %w", strings.Join(d.Bootstrap, ", "), err)
	}
	return d, nil
}

// newClient returns a client with the options that all clients share. Unless it is nil,
// watch sees what goes through its connections.
func (d *driver) newClient(watch func(net.Conn) net.Conn, options ...kgo.Opt) (*kgo.Client, error) {
	client, err := kgo.NewClient(slices.Concat([]kgo.Opt{
		kgo.SeedBrokers(d.Bootstrap...),
		kgo.ClientID(clientID),
		kgo.DisableClientMetrics(), // the agent measures; the broker need not ask
		kgo.MetadataMinAge(metadataMinAge),
		kgo.Dialer(d.security.dialer(watch)),
	}, d.security.options, options)...)
	if err != nil {
		return nil, fmt.Errorf("create a Kafka client: %w", err)
	}
	return client, nil
}

// Close implements [technology.Driver].
func (d *driver) Close() error {
	d.close.Do(d.client.Close)
	return nil
}
