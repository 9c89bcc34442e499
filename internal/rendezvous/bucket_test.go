package rendezvous_test

import (
	"strings"
	"testing"

	"dec.local/dec/internal/rendezvous"
)

func TestOpenBucketRefusesOtherURLs(t *testing.T) {
	tests := map[string]struct{ url, want string }{
		"a relative folder":             {"file://bucket", "file:/// with an absolute path"},
		"a folder with parameters":      {"file:///tmp/b?region=a", "file:/// with an absolute path"},
		"another scheme":                {"gs://bucket", `starts with "gs"`},
		"no scheme":                     {"/tmp/bucket", "s3://NAME"},
		"nothing":                       {"", "s3://NAME"},
		"not a URL":                     {"s3://\x00canary", "is not valid"},
		"no name":                       {"s3:///prefix", "is not a bucket name"},
		"no name that S3 takes":         {"s3://A_b", "is not a bucket name"},
		"credentials":                   {"s3://key:canary@bucket", "AWS_ACCESS_KEY_ID"},
		"credentials in the parameters": {"s3://bucket?secret_access_key=canary", `unknown parameter "secret_access_key"`},
		"credentials of the endpoint":   {"s3://bucket?endpoint=http://a:canary@b", "endpoint"},
		"another parameter":             {"s3://bucket?pathstyle=true", `unknown parameter "pathstyle"`},
		"a parameter twice":             {"s3://bucket?region=a&region=b", "region of the bucket URL must have one value"},
		"a parameter without a value":   {"s3://bucket?region=", "region of the bucket URL must have one value"},
		"broken parameters":             {"s3://bucket?region=%zzcanary", "are not valid"},
		"an endpoint without a scheme":  {"s3://bucket?endpoint=127.0.0.1:9000", "endpoint"},
		"an endpoint with a path":       {"s3://bucket?endpoint=http://a/canary", "endpoint"},
		"path_style that is no choice":  {"s3://bucket?path_style=yes", "true or false"},
		"a prefix that climbs":          {"s3://bucket/a/../b", "prefix"},
		"a prefix with an empty part":   {"s3://bucket/a//b", "prefix"},
		"a fragment":                    {"s3://bucket#canary", "#"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bucket, err := rendezvous.OpenBucket(t.Context(), tt.url)
			if err == nil {
				bucket.Close()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "canary") {
				t.Errorf("OpenBucket(%q) = %v, want %q", tt.url, err, tt.want)
			}
		})
	}
}

func TestURLIsComplete(t *testing.T) {
	dir := t.TempDir() + "/a folder with 100% #odd ?signs"
	tests := map[string]string{
		rendezvous.FolderURL(dir):                     rendezvous.FolderURL(dir),
		"s3://results?region=eu-central-1":            "s3://results?region=eu-central-1",
		"s3://results/team/?region=eu-central-1":      "s3://results/team?region=eu-central-1",
		"s3://results?endpoint=http://a:9/&region=us": "s3://results?endpoint=http%3A%2F%2Fa%3A9&region=us",
		"s3://b.c/p?path_style=true&region=us":        "s3://b.c/p?path_style=true&region=us",
		"s3://b.c/p?path_style=false&region=us":       "s3://b.c/p?region=us",
	}
	for url, want := range tests {
		for range 2 { // and what it is turned into, is itself
			bucket, err := rendezvous.OpenBucket(t.Context(), url)
			if err != nil {
				t.Fatalf("OpenBucket(%s) = %v", url, err)
			}
			if got := bucket.URL(); got != want {
				t.Errorf("OpenBucket(%s).URL() = %s, want %s", url, got, want)
			}
			url = bucket.URL()
			bucket.Close()
		}
	}
}
