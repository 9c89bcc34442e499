package limiter

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// answer is the answer to one call, whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) ok() bool { return a.status == http.StatusOK }

func (a answer) write(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	// They were for the emulator's connection and body.
	w.Header().Del("Connection")
	w.Header().Del("Keep-Alive")
	w.Header().Del("Transfer-Encoding")
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client may have gone
}

// refusal is an error of the Kinesis API.
func refusal(kind, message string) answer {
	body, _ := json.Marshal(map[string]string{"__type": kind, "message": message}) // two texts: can't fail
	return answer{status: http.StatusBadRequest, header: http.Header{"Content-Type": {contentType}}, body: body}
}

// exceeded is Kinesis' error code of whatever is over a shard's limit.
const exceeded = "ProvisionedThroughputExceededException"

// rateExceeded is what Kinesis says of it. Emulators have this account.
func rateExceeded(s *shard) string {
	return fmt.Sprintf("Rate exceeded for shard %s in stream %s under account 000000000000.", s.id, s.stream)
}
