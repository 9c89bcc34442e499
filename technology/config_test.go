package technology_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/technology"
)

var fields = []technology.ConfigField{
	{Name: "linger_ms", Default: 5, Max: 100, Doc: "How long."},
	{Name: "compression", Default: "none", Enum: []string{"none", "lz4"}, Doc: "Codec."},
	{Name: "client_id", Default: "dec", Doc: "Name."},
	{Name: "idempotence", Default: true, Doc: "Once."},
}

type config struct {
	LingerMS    int    `json:"linger_ms"`
	Compression string `json:"compression"`
	ClientID    string `json:"client_id"`
	Idempotence bool   `json:"idempotence"`
}

func TestDecodeConfig(t *testing.T) {
	tests := map[string]struct {
		config string
		want   config
		err    string
	}{
		"nothing gives the defaults":                  {`{}`, config{5, "none", "dec", true}, ""},
		"what is given counts":                        {`{"linger_ms": 0, "compression": "lz4", "client_id": "", "idempotence": false}`, config{0, "lz4", "", false}, ""},
		"a whole number may be written as a fraction": {`{"linger_ms": 2.0}`, config{2, "none", "dec", true}, ""},
		"a wrong name gets the nearest one": {`{"lingerms": 1}`, config{},
			"client_config.lingerms: there is no such setting; did you mean linger_ms?"},
		"case is a wrong name too": {`{"Compression": "lz4"}`, config{},
			"client_config.Compression: there is no such setting; did you mean compression?"},
		"a name like none gets them all": {`{"xyz": 1}`, config{},
			"client_config.xyz: there is no such setting; known settings: linger_ms, compression, client_id, idempotence"},
		"all faults are told, in order": {`{"linger_ms": 101, "compression": "zip", "idempotence": 1, "client_id": 7}`, config{},
			"client_config.client_id: must be text, not 7\n" +
				"client_config.compression: must be one of none, lz4, not \"zip\"\n" +
				"client_config.idempotence: must be true or false, not 1\n" +
				"client_config.linger_ms: must be a whole number from 0 to 100, not 101"},
		"text is no number":   {`{"linger_ms": "5"}`, config{}, "client_config.linger_ms: must be a whole number, such as 5, not \"5\""},
		"a fraction is none":  {`{"linger_ms": 0.5}`, config{}, "client_config.linger_ms: must be a whole number from 0 to 100, not 0.5"},
		"a huge one is none":  {`{"linger_ms": 1e999}`, config{}, "client_config.linger_ms: must be a whole number from 0 to 100, not 1e999"},
		"null is no value":    {`{"compression": null}`, config{}, "client_config.compression: must be one of none, lz4, not null"},
		"a list is no choice": {`{"compression": ["lz4"]}`, config{}, "client_config.compression: must be one of none, lz4, not [\"lz4\"]"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var raw map[string]json.RawMessage
			if err := json.Unmarshal([]byte(tt.config), &raw); err != nil {
				t.Fatal(err)
			}
			var got config
			message := ""
			if err := technology.DecodeConfig(fields, raw, &got); err != nil {
				message = err.Error()
			}
			if message != tt.err {
				t.Fatalf("DecodeConfig(%s) = %q, want %q", tt.config, message, tt.err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("DecodeConfig(%s) (-want +got):\n%s", tt.config, diff)
			}
		})
	}
}

func TestConfigSchema(t *testing.T) {
	want := `{"$schema":"https://json-schema.org/draft/2020-12/schema","additionalProperties":false,"properties":{` +
		`"client_id":{"default":"dec","description":"Name.","type":"string"},` +
		`"compression":{"default":"none","description":"Codec.","enum":["none","lz4"],"type":"string"},` +
		`"idempotence":{"default":true,"description":"Once.","type":"boolean"},` +
		`"linger_ms":{"default":5,"description":"How long.","maximum":100,"minimum":0,"type":"integer"}},"type":"object",` +
		`"x-order":["linger_ms","compression","client_id","idempotence"]}`
	if got := string(technology.ConfigSchema(fields)); got != want {
		t.Errorf("ConfigSchema() = %s, want %s", got, want)
	}
}
