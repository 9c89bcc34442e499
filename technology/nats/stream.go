package nats

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/technology"
)

// Codes of JetStream's errors that it matters to tell apart.
const (
	codeNoPeers      jetstream.ErrorCode = 10005 // not all servers have joined
	codeNotAvailable jetstream.ErrorCode = 10008 // no leader yet
	codeNotClustered jetstream.ErrorCode = 10074
	codeNoStorage    jetstream.ErrorCode = 10047
	codeNoMemory     jetstream.ErrorCode = 10028
)

const (
	joinPatience     = 30 * time.Second // for the servers of a cluster to join
	monitorBodyLimit = 1 << 20          // bytes
	defaultSync      = 2 * time.Minute  // between two fsyncs of nats-server
)

// Prepare implements [technology.Driver]. All partitions are subjects of one
// stream, which drops its oldest messages past the retention.
func (d *driver) Prepare(ctx context.Context, t experiment.Topology, retention experiment.Bytes) (experiment.Effective, error) {
	want, err := d.streamConfig(t, retention)
	if err != nil {
		return experiment.Effective{}, err
	}
	if err := d.createStream(ctx, want); err != nil {
		return experiment.Effective{}, fmt.Errorf("create stream %s: %w", want.Name, err)
	}
	return d.effective(ctx)
}

func (d *driver) streamConfig(t experiment.Topology, retention experiment.Bytes) (jetstream.StreamConfig, error) {
	c := jetstream.StreamConfig{
		Name:     d.settings.Destination,
		Subjects: []string{d.settings.Destination + ".*.*"},
		Replicas: max(t.Replicas, 1),
		MaxBytes: int64(retention),
		Discard:  jetstream.DiscardOld,
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = -1
	}
	switch d.endpoints.Storage {
	case "file":
		c.Storage = jetstream.FileStorage
	case "memory":
		c.Storage = jetstream.MemoryStorage
	default:
		return c, fmt.Errorf("storage %q in the endpoints: want file or memory", d.endpoints.Storage)
	}
	return c, nil
}

// createStream succeeds on a stream that exists in the same shape.
func (d *driver) createStream(ctx context.Context, want jetstream.StreamConfig) error {
	ctx, cancel := context.WithTimeoutCause(ctx, joinPatience, errors.New("servers are missing"))
	defer cancel()
	return technology.Retry(ctx, func(ctx context.Context) error {
		_, err := d.js.CreateStream(ctx, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return d.checkStream(ctx, want)
		}
		api, ok := errors.AsType[*jetstream.APIError](err)
		if !ok {
			return err // nil, or the connection's
		}
		switch api.ErrorCode {
		case codeNoPeers, codeNotAvailable:
			return err
		case codeNotClustered:
			return technology.Final(fmt.Errorf("workload.topology.replicas is %d, but there is one server: raise the stack's option servers, "+
				"or lower replicas: %w", want.Replicas, err))
		case codeNoStorage, codeNoMemory:
			return technology.Final(fmt.Errorf("the server has no space for workload.retention_bytes, %s: lower it, or free space: %w",
				experiment.Bytes(want.MaxBytes), err))
		}
		return technology.Final(err)
	})
}

// checkStream reports whether the existing stream is the wanted one.
func (d *driver) checkStream(ctx context.Context, want jetstream.StreamConfig) error {
	stream, err := d.js.Stream(ctx, want.Name)
	if err != nil {
		return err
	}
	have := stream.CachedInfo().Config
	if have.Storage != want.Storage || have.Replicas != want.Replicas || have.MaxBytes != want.MaxBytes {
		return technology.Final(fmt.Errorf("it already exists with %d replicas, %s storage and %d bytes, not %d, %s and %d: use another destination",
			have.Replicas, have.Storage, have.MaxBytes, want.Replicas, want.Storage, want.MaxBytes))
	}
	return nil
}

// effective reads the guarantees back from the servers. JetStream acknowledges
// once a majority of the copies has a message.
func (d *driver) effective(ctx context.Context) (experiment.Effective, error) {
	stream, err := d.js.Stream(ctx, d.settings.Destination)
	if err != nil {
		return experiment.Effective{}, fmt.Errorf("read the settings of stream %s: %w", d.settings.Destination, err)
	}
	c := stream.CachedInfo().Config
	details := map[string]string{
		"storage":      c.Storage.String(),
		"max_bytes":    strconv.FormatInt(c.MaxBytes, 10),
		"discard":      c.Discard.String(),
		"consumer_ack": d.config.ConsumerAck,
		"prefetch":     strconv.Itoa(d.config.Prefetch),
		"ack_wait":     experiment.Duration(d.config.ackWait()).String(),
		"client":       "nats.go",
		"password":     strconv.FormatBool(d.conn.AuthRequired()),
	}
	always, interval := true, time.Duration(0)
	for _, url := range d.endpoints.Monitors {
		m, err := readMonitor(ctx, url)
		if err != nil {
			return experiment.Effective{}, err
		}
		details["version"] = m.Version
		details["sync_interval"] = m.sync()
		always = always && m.Config.SyncAlways
		if every := m.every(); interval == 0 || every < interval {
			interval = every
		}
	}
	durability := "page_cache"
	switch {
	case c.Storage == jetstream.MemoryStorage:
		durability = "memory"
	case always && c.PersistMode == jetstream.DefaultPersistMode:
		durability = "fsync_before_ack"
	}
	return experiment.Effective{
		ProducerAck: "all",
		Durability:  durability,
		Replicas:    c.Replicas,
		MinInSync:   c.Replicas/2 + 1,
		WaitedFor:   new(c.Replicas/2 + 1), // and no longer, however many there are
		Zones:       1,                     // servers tell nothing of where they are
		Raise: map[string]string{
			"durability":  "sync_interval: always, with storage: file",
			"replicas":    "servers: {want} and workload.topology.replicas: {want}",
			"min_in_sync": "enough servers and workload.topology.replicas that {want} of them are a majority",
			"waited_for":  "enough servers and workload.topology.replicas that {want} of them are a majority",
		},
		Details: details,
		// Nothing is sent again by the client or by this driver, which is a number too.
		Incidents: []experiment.Incident{experiment.RetriedSends, experiment.Reconnects},
		Nature:    d.nature(),
		Fsync:     fsync(durability, interval),
		Clients:   d.config.clients(d.settings.Workload.Load.MaxInFlight),
	}, nil
}

// nature says what partitions of a stream are.
func (d *driver) nature() string {
	partitions := d.settings.Workload.Topology.Partitions
	if partitions <= 1 {
		return ""
	}
	return fmt.Sprintf("NATS JetStream has no partitions. The %d of the workload are subjects of one stream: they keep order and share the reading, "+
		"but one leader writes them all, into one log.", partitions)
}

// monitor is what the monitoring port of a server tells about JetStream.
type monitor struct {
	Version string `json:"-"`
	Config  struct {
		SyncInterval time.Duration `json:"sync_interval"` // ns; 0 is the default
		SyncAlways   bool          `json:"sync_always"`
	} `json:"config"`
}

func (m monitor) sync() string {
	if m.Config.SyncAlways {
		return "always"
	}
	return experiment.Duration(m.every()).String()
}

// every is the time between two fsyncs.
func (m monitor) every() time.Duration {
	if m.Config.SyncAlways {
		return 1
	}
	return cmp.Or(m.Config.SyncInterval, defaultSync)
}

// fsync tells when servers call it for messages that they have acknowledged from the page
// cache: for the first time after half of the interval to all of it, at random, from when
// the stream was made.
func fsync(durability string, interval time.Duration) *experiment.Fsync {
	if durability != "page_cache" {
		return nil
	}
	return &experiment.Fsync{AfterNS: max(1, (interval / 2).Nanoseconds())}
}

// readMonitor reads what NATS itself tells no client: the fsync policy.
func readMonitor(ctx context.Context, url string) (monitor, error) {
	var m monitor
	if err := getJSON(ctx, url+"/jsz", &m); err != nil {
		return m, fmt.Errorf("read the fsync policy: %w", err)
	}
	var server struct {
		Version string `json:"version"`
	}
	if err := getJSON(ctx, url+"/varz", &server); err != nil {
		return m, fmt.Errorf("read the server's version: %w", err)
	}
	m.Version = server.Version
	return m, nil
}

func getJSON(ctx context.Context, url string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	// A client of its own: its one connection must not outlive the call.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", url, answer.Status)
	}
	return json.NewDecoder(io.LimitReader(answer.Body, monitorBodyLimit)).Decode(into)
}
