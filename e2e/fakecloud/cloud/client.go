package cloud

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

const (
	pollInterval    = 20 * time.Millisecond // between two looks at what takes time
	throttleTries   = 6                     // of a call, before Throttling is its error
	throttleWait    = 25 * time.Millisecond // before the second try; twice as long before each further one
	appearTime      = 10 * time.Second      // that a new object may take to be seen, when reads lag behind
	answerTime      = 5 * time.Minute       // that any one call may take
	maxAnswerBytes  = 64 << 20              // of an answer
	callerHeader    = "X-Fakecloud-Caller"  // tells the cloud's log who calls
	variableURL     = "FAKECLOUD_URL"
	variableKey     = "FAKECLOUD_KEY"
	variableTimeout = "FAKECLOUD_TIMEOUT"
	defaultTimeout  = 2 * time.Minute // see [Timeout]
)

// Client calls a cloud. It may be used by any number of goroutines.
type Client struct {
	url  string
	key  string
	http *http.Client
}

// New returns a client of the cloud at a URL, with a key.
func New(url, key string) *Client {
	return &Client{url: url, key: key, http: &http.Client{Timeout: answerTime, Transport: &http.Transport{DisableKeepAlives: true}}}
}

// Environment returns the variables by which [FromEnvironment] and [Timeout] find
// a cloud, without a key.
func Environment(url string, timeout time.Duration) map[string]string {
	return map[string]string{variableURL: url, variableTimeout: timeout.String()}
}

// Timeout is how long an object may take to get ready or to be gone, as the
// variable FAKECLOUD_TIMEOUT says, such as "5s"; 2 minutes if it is not set.
func Timeout(getenv func(string) string) (time.Duration, error) {
	text := getenv(variableTimeout)
	if text == "" {
		return defaultTimeout, nil
	}
	timeout, err := time.ParseDuration(text)
	if err != nil || timeout <= 0 {
		return 0, fmt.Errorf("%s is %q: write a length of time, such as 5s", variableTimeout, text)
	}
	return timeout, nil
}

// FromEnvironment returns a client of the cloud that the environment names, or an
// error that says which variable is missing.
func FromEnvironment(getenv func(string) string) (*Client, error) {
	for _, name := range []string{variableURL, variableKey} {
		if getenv(name) == "" {
			return nil, fmt.Errorf("no credentials for the fake cloud: set %s", name)
		}
	}
	return New(getenv(variableURL), getenv(variableKey)), nil
}

// URL is where the cloud answers.
func (c *Client) URL() string { return c.url }

// Create makes an object and returns it as soon as its id is known, which may be
// long before it is ready. A caller that gives up may have made it all the same.
func (c *Client) Create(ctx context.Context, creation Creation) (Object, error) {
	var created Created
	if err := c.call(ctx, http.MethodPost, "/v1/objects", creation, &created); err != nil {
		return Object{}, fmt.Errorf("create %s %s: %w", creation.Kind, creation.Name, err)
	}
	for created.Object == nil {
		if err := pause(ctx, pollInterval); err != nil {
			return Object{}, fmt.Errorf("create %s %s: wait for its id: %w", creation.Kind, creation.Name, err)
		}
		if err := c.call(ctx, http.MethodGet, "/v1/operations/"+url.PathEscape(created.Operation), nil, &created); err != nil {
			return Object{}, fmt.Errorf("create %s %s: wait for its id: %w", creation.Kind, creation.Name, err)
		}
	}
	return *created.Object, nil
}

// Object returns an object. The error is a [CodeNotFound] when it does not exist,
// or is not seen yet.
func (c *Client) Object(ctx context.Context, id string) (Object, error) {
	var o Object
	if err := c.call(ctx, http.MethodGet, "/v1/objects/"+url.PathEscape(id), nil, &o); err != nil {
		return o, fmt.Errorf("read %s: %w", id, err)
	}
	return o, nil
}

// List returns all objects of the account, those first that can be deleted first.
func (c *Client) List(ctx context.Context) ([]Object, error) {
	var list []Object
	if err := c.call(ctx, http.MethodGet, "/v1/objects", nil, &list); err != nil {
		return nil, fmt.Errorf("list objects: %w", err)
	}
	return list, nil
}

// AwaitReady waits until a new object is ready, or returns it with an error when
// it has failed. That it is not seen yet is borne for a while.
func (c *Client) AwaitReady(ctx context.Context, id string) (Object, error) {
	appear := time.Now().Add(appearTime)
	for {
		o, err := c.Object(ctx, id)
		unseen := IsCode(err, CodeNotFound) && time.Now().Before(appear)
		switch {
		case err != nil && !unseen:
			return o, err
		case o.State == Ready:
			return o, nil
		case o.State == Failed, o.State == Deleting:
			return o, fmt.Errorf("%s is %s: %s", id, o.State, cmp.Or(o.Reason, "somebody deletes it"))
		}
		if err := pause(ctx, pollInterval); err != nil {
			return o, fmt.Errorf("wait until %s is ready: %w", id, err)
		}
	}
}

// Delete deletes an object and waits until nothing is left of it to be seen. One
// that is gone is no error. A [CodeDependency] is tried again until ctx ends:
// what depends on the object may be on its way out.
func (c *Client) Delete(ctx context.Context, id string) error {
	var refused error
	for {
		err := c.call(ctx, http.MethodDelete, "/v1/objects/"+url.PathEscape(id), nil, nil)
		if err == nil || IsCode(err, CodeNotFound) {
			break
		}
		if !IsCode(err, CodeDependency) {
			if refused != nil && ctx.Err() != nil {
				err = refused // what is worth telling
			}
			return fmt.Errorf("delete %s: %w", id, err)
		}
		refused = err
		if pause(ctx, pollInterval) != nil {
			return fmt.Errorf("delete %s: %w", id, err)
		}
	}
	for {
		_, err := c.Object(ctx, id)
		if IsCode(err, CodeNotFound) {
			return nil
		}
		if err == nil {
			err = pause(ctx, pollInterval)
		}
		if ctx.Err() != nil { // in the middle of a call or of a pause
			return fmt.Errorf("delete %s: it is being deleted for too long: %w", id, err)
		}
		if err != nil {
			return fmt.Errorf("delete %s: wait until it is gone: %w", id, err)
		}
	}
}

// Usage returns what the service of an instance used from one time until another.
func (c *Client) Usage(ctx context.Context, id string, from, until time.Time) (Usage, error) {
	query := url.Values{"from": {from.Format(time.RFC3339Nano)}, "until": {until.Format(time.RFC3339Nano)}}
	var u Usage
	if err := c.call(ctx, http.MethodGet, "/v1/objects/"+url.PathEscape(id)+"/usage?"+query.Encode(), nil, &u); err != nil {
		return u, fmt.Errorf("usage of %s: %w", id, err)
	}
	return u, nil
}

// LogFile is a log of the service of an instance.
type LogFile struct {
	Name string `json:"name"` // such as "stdout.log"
	Size int64  `json:"size"` // bytes
}

// Logs returns the logs of the service of an instance; none before it runs.
func (c *Client) Logs(ctx context.Context, id string) ([]LogFile, error) {
	var logs []LogFile
	if err := c.call(ctx, http.MethodGet, "/v1/objects/"+url.PathEscape(id)+"/logs", nil, &logs); err != nil {
		return nil, fmt.Errorf("logs of %s: %w", id, err)
	}
	return logs, nil
}

// LogEnd returns the last bytes of a log, most at the most.
func (c *Client) LogEnd(ctx context.Context, id, name string, most int64) ([]byte, error) {
	query := url.Values{"most": {strconv.FormatInt(most, 10)}}
	var end []byte
	if err := c.call(ctx, http.MethodGet, "/v1/objects/"+url.PathEscape(id)+"/logs/"+url.PathEscape(name)+"?"+query.Encode(), nil, &end); err != nil {
		return nil, fmt.Errorf("log %s of %s: %w", name, id, err)
	}
	return end, nil
}

// Session returns a client whose calls the log has under a name, with a
// credential of its own. It needs the account's key.
func (c *Client) Session(ctx context.Context, name string) (*Client, error) {
	var credential Credential
	if err := c.call(ctx, http.MethodPost, "/v1/sessions", Session{Name: name}, &credential); err != nil {
		return nil, fmt.Errorf("open session %q: %w", name, err)
	}
	return &Client{url: c.url, key: credential.Key, http: c.http}, nil
}

// Credentials returns the variables by which [FromEnvironment] finds the key.
func (c *Client) Credentials() map[string]string { return map[string]string{variableKey: c.key} }

// SetFaults replaces all faults from now on. It needs the administrator's key.
func (c *Client) SetFaults(ctx context.Context, faults Faults) error {
	return c.call(ctx, http.MethodPut, "/v1/faults", faults, nil)
}

// call makes a call, and again while it is throttled.
func (c *Client) call(ctx context.Context, method, path string, body, into any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	wait := throttleWait
	for try := 1; ; try++ {
		err := c.once(ctx, method, path, data, into)
		if !IsCode(err, CodeThrottling) || try == throttleTries {
			return err
		}
		if pause(ctx, wait) != nil {
			return err
		}
		wait *= 2
	}
}

func (c *Client) once(ctx context.Context, method, path string, body []byte, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	request.Header.Set(callerHeader, caller)
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusBadRequest {
		e := &Error{Status: response.StatusCode}
		if json.Unmarshal(answer, e) != nil || e.Code == "" {
			return fmt.Errorf("the cloud answers %s", response.Status)
		}
		return e
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

// caller names this program to the cloud's log.
var caller = fmt.Sprintf("%s[%d]", filepath.Base(os.Args[0]), os.Getpid())

// CallerOf is what a request says of who calls.
func CallerOf(r *http.Request) string { return r.Header.Get(callerHeader) }

// pause waits, or returns why ctx ended.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
