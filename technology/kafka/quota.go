package kafka

import (
	"context"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dec.local/dec/technology"
)

// The quotas by Kafka's names; they are bytes a second of each broker, for all
// clients with [clientID] together.
const (
	producerQuota = "producer_byte_rate"
	consumerQuota = "consumer_byte_rate"
)

// quotas are those that the stack asks for; 0 is none.
func (d *driver) quotas() map[string]float64 {
	return map[string]float64{producerQuota: d.ProducerQuota, consumerQuota: d.ConsumerQuota}
}

// setQuotas sets the quotas of the stack and waits until each broker knows them:
// the controllers take them, and the brokers learn of them later.
func (d *driver) setQuotas(ctx context.Context) error {
	name := clientID
	entry := kadm.AlterClientQuotaEntry{Entity: kadm.ClientQuotaEntity{{Type: "client-id", Name: &name}}}
	for key, limit := range d.quotas() {
		if limit > 0 {
			entry.Ops = append(entry.Ops, kadm.AlterClientQuotaOp{Key: key, Value: limit})
		}
	}
	if len(entry.Ops) == 0 {
		return nil
	}
	set := false
	return technology.Retry(ctx, func(ctx context.Context) error {
		if !set {
			altered, err := d.admin.AlterClientQuotas(ctx, []kadm.AlterClientQuotaEntry{entry})
			if err != nil {
				return err
			}
			for _, a := range altered {
				if a.Err != nil {
					return fmt.Errorf("%w: %s", a.Err, a.ErrMessage)
				}
			}
			set = true
		}
		have, err := d.readQuotas(ctx)
		if err != nil {
			return err
		}
		for broker, quotas := range have {
			for _, op := range entry.Ops {
				if quotas[op.Key] != op.Value {
					return fmt.Errorf("broker %d has %s %g, not %g", broker, op.Key, quotas[op.Key], op.Value)
				}
			}
		}
		return nil
	})
}

// readQuotas asks each broker for the quotas in force, by broker and name.
func (d *driver) readQuotas(ctx context.Context) (map[int32]map[string]float64, error) {
	m, err := d.admin.BrokerMetadata(ctx)
	if err != nil {
		return nil, err
	}
	name := clientID
	request := kmsg.NewPtrDescribeClientQuotasRequest()
	component := kmsg.NewDescribeClientQuotasRequestComponent()
	component.EntityType, component.MatchType, component.Match = "client-id", kmsg.QuotasMatchTypeExact, &name
	request.Components = append(request.Components, component)
	all := map[int32]map[string]float64{}
	for _, broker := range m.Brokers.NodeIDs() {
		response, err := request.RequestWith(ctx, d.client.Broker(int(broker)))
		if err == nil {
			err = kerr.ErrorForCode(response.ErrorCode)
		}
		if err != nil {
			return nil, fmt.Errorf("read the quotas of broker %d: %w", broker, err)
		}
		all[broker] = map[string]float64{}
		for _, entry := range response.Entries {
			for _, value := range entry.Values {
				all[broker][value.Key] = value.Value
			}
		}
	}
	return all, nil
}

// addQuotas adds the quotas in force; the brokers agree about them.
func (d *driver) addQuotas(ctx context.Context, details map[string]string) error {
	have, err := d.readQuotas(ctx)
	if err != nil {
		return err
	}
	for _, key := range []string{producerQuota, consumerQuota} {
		details[key] = "unlimited"
		for _, quotas := range have {
			if limit, ok := quotas[key]; ok {
				details[key] = strconv.FormatFloat(limit, 'f', -1, 64)
			}
		}
	}
	return nil
}
