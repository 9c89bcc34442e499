package fault

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/measure"
	"dec.local/dec/technology/technologytest"
)

func TestARequestDroppedOnTheWireOfKafkaIsLost(t *testing.T) {
	id := experiment.NewID("r")
	p := &kafkaProxy{t: t, run: measure.RunHash(id)}
	listener, broker, controller := listen(t), freePort(t), freePort(t)
	proxy(t, listener, fmt.Sprintf("127.0.0.1:%d", broker), p.relay)
	ctx := startKafka(t, listener.Addr().String(), map[string]int{"client": broker, "controller": controller})
	endpoints, err := json.Marshal(map[string][]string{"bootstrap": {listener.Addr().String()}})
	if err != nil {
		t.Fatal(err)
	}
	r := run{
		id:        id,
		endpoints: endpoints,
		// With sequence numbers of its own the broker would notice.
		variant: `{"label": "kafka", "technology": "kafka", "stack": "kraft", "client_config": {"acks": "all", "idempotence": false, "linger_ms": 0}}`,
	}
	got := r.offer(ctx, t)
	dropped := p.report()
	n := int64(len(dropped))
	if n == 0 {
		t.Fatalf("the proxy saw no request with message %d", targetSeq)
	}
	got.check(t, outcome{Counts: exactly(measure.Counts{Received: offered - n, Lost: n}), Lost: dropped})
}

// kafkaProxy passes on everything but one Produce request, which it answers
// itself as if it had been written.
type kafkaProxy struct {
	t   *testing.T
	run uint64 // of measure.RunHash

	mu      sync.Mutex // protects the following
	dropped []uint64   // sequence numbers of the messages in the request
}

func (p *kafkaProxy) report() []uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dropped
}

// relay passes on one request and its answer at a time, as brokers work: they
// read no further request of a connection before the answer to the last one.
func (p *kafkaProxy) relay(client, broker net.Conn) {
	for {
		request, err := readFrame(client)
		if err != nil {
			return // the client has ended
		}
		answer, err := p.intercept(request)
		if err != nil {
			p.t.Errorf("read a Produce request: %v", err)
			return
		}
		if answer == nil {
			if writeFrame(broker, request) != nil {
				return
			}
			if answer, err = readFrame(broker); err != nil {
				return
			}
		}
		if writeFrame(client, answer) != nil {
			return
		}
	}
}

// readFrame reads a request or an answer, which has its length before it.
func readFrame(r io.Reader) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	frame := make([]byte, binary.BigEndian.Uint32(length[:]))
	_, err := io.ReadFull(r, frame)
	return frame, err
}

func writeFrame(w io.Writer, frame []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(frame))), frame...))
	return err
}

// intercept returns the answer to the request that is dropped, and nil for all
// others. A request begins with its kind, its version, its number and the name
// of the client; an answer with the number.
func (p *kafkaProxy) intercept(frame []byte) (answer []byte, err error) {
	request := kmsg.NewProduceRequest()
	if len(frame) < 10 || int16(binary.BigEndian.Uint16(frame)) != request.Key() {
		return nil, nil
	}
	request.SetVersion(int16(binary.BigEndian.Uint16(frame[2:])))
	body := frame[10+max(0, int(int16(binary.BigEndian.Uint16(frame[8:])))):]
	number := frame[4:8]
	var tags []byte
	if request.IsFlexible() {
		tags, body = []byte{0}, body[1:] // none: the client knows of no tag
	}
	if err := request.ReadFrom(body); err != nil {
		return nil, err
	}
	numbers, err := p.sequence(request)
	if err != nil || !p.drop(numbers) {
		return nil, err
	}
	return append(append(append([]byte(nil), number...), tags...), success(request).AppendTo(nil)...), nil
}

// drop reports whether a request with these messages is the one to drop.
func (p *kafkaProxy) drop(numbers []uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, seq := range numbers {
		if seq == targetSeq && p.dropped == nil {
			p.dropped = numbers
			return true
		}
	}
	return false
}

// sequence returns the sequence numbers of all messages in a request.
func (p *kafkaProxy) sequence(request kmsg.ProduceRequest) (numbers []uint64, err error) {
	for _, topic := range request.Topics {
		for _, partition := range topic.Partitions {
			var batch kmsg.RecordBatch
			if err := batch.ReadFrom(partition.Records); err != nil {
				return nil, err
			}
			rest := batch.Records
			for range batch.NumRecords {
				length, n := binary.Varint(rest)
				end := n + int(length)
				if n <= 0 || length < 0 || end > len(rest) {
					return nil, errors.New("a record is cut off")
				}
				var record kmsg.Record
				if err := record.ReadFrom(rest[:end]); err != nil {
					return nil, err
				}
				h, kind := measure.ParseHeader(record.Value, p.run)
				if kind != measure.Intact {
					return nil, errors.New("a record is not of this run")
				}
				numbers, rest = append(numbers, h.Seq), rest[end:]
			}
		}
	}
	return numbers, nil
}

// success is the answer of a broker that has written everything.
func success(request kmsg.ProduceRequest) *kmsg.ProduceResponse {
	answer := kmsg.NewPtrProduceResponse()
	answer.SetVersion(request.GetVersion())
	for _, topic := range request.Topics {
		written := kmsg.NewProduceResponseTopic()
		written.Topic, written.TopicID = topic.Topic, topic.TopicID
		for _, partition := range topic.Partitions {
			one := kmsg.NewProduceResponseTopicPartition()
			one.Partition = partition.Partition
			written.Partitions = append(written.Partitions, one)
		}
		answer.Topics = append(answer.Topics, written)
	}
	return answer
}

// freePort finds a port that nobody listens on.
func freePort(t *testing.T) int {
	t.Helper()
	listener := listen(t)
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// startKafka runs the broker of the stack until the end of the test, but one
// that tells its clients to connect to another address. The returned context
// ends with the broker, and says why.
func startKafka(t *testing.T, advertised string, ports map[string]int) context.Context {
	t.Helper()
	stack, err := technologytest.Evaluate(t, "kafka", "kraft", map[string]any{"heap": "256m"},
		map[string][]technologytest.Address{"broker": {{Host: "127.0.0.1", Ports: ports}}})
	if err != nil {
		t.Fatal(err)
	}
	broker := stack.Services["broker-0"]
	broker.Files["server.properties"] += "advertised.listeners=CLIENT://" + advertised + "\n"
	dir := t.TempDir()
	for name, content := range broker.Files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, artifact := range broker.Artifacts {
		if err := os.Symlink(installed(t, artifact), filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	output, err := os.Create(filepath.Join(dir, "output.log"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	// Killed at the end of the test: its data is thrown away.
	command := exec.CommandContext(t.Context(), broker.Command[0], broker.Command[1:]...)
	command.Dir, command.Env = dir, []string{"PATH=/usr/bin:/bin"}
	command.Stdout, command.Stderr = output, output
	if err := command.Start(); err != nil {
		t.Fatalf("start Kafka: %v", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		cancel(fmt.Errorf("the broker has ended: %v", command.Wait()))
	}()
	t.Cleanup(func() {
		<-ended
		output.Close()
		if log, err := os.ReadFile(output.Name()); t.Failed() && err == nil {
			t.Logf("the broker said:\n%s", log[max(0, len(log)-4000):])
		}
	})
	return ctx
}

// installed returns the folder of an artifact, name@version.
func installed(t *testing.T, artifact string) string {
	t.Helper()
	path := filepath.Join("artifacts", strings.ReplaceAll(artifact, "@", string(filepath.Separator)))
	folder, err := filepath.Abs(filepath.Join("..", "..", ".tools", path))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(folder); err != nil {
		t.Fatalf(".tools/%s is missing: run make setup", path)
	}
	return folder
}
