package rendezvous

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// location is what the URL of a bucket says.
type location struct {
	folder string // absolute; of a bucket that is a folder, else empty

	bucket    string // name on S3
	prefix    string // before all keys, without slashes at its ends; may be empty
	region    string // empty: as the environment says
	endpoint  string // empty: AWS
	pathStyle bool   // the name is in the path of requests, not in the host
}

// FolderURL is the URL of the bucket that is a folder with this absolute path.
func FolderURL(folder string) string { return (&url.URL{Scheme: "file", Path: folder}).String() }

// IsFolder reports whether the URL of a bucket names a folder.
func IsFolder(rawURL string) bool {
	at, err := parseLocation(rawURL)
	return err == nil && at.folder != ""
}

// howToWrite is the next step after a URL that can't be used.
const howToWrite = "use s3://NAME/PREFIX?region=REGION, with &endpoint=https://HOST&path_style=true for servers other than AWS, " +
	"or file:///absolute/folder"

// parseLocation reads the URL of a bucket. Its errors never repeat the URL, for
// somebody may have put a secret into it.
func parseLocation(rawURL string) (location, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return location{}, errors.New("the bucket URL is not valid; " + howToWrite)
	}
	if u.User != nil {
		return location{}, errors.New("the bucket URL contains credentials, but URLs are displayed and logged; " +
			"remove them and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE")
	}
	if u.Fragment != "" {
		return location{}, errors.New("the bucket URL has a fragment (#…); " + howToWrite)
	}
	switch u.Scheme {
	case "file":
		if u.Host != "" || !filepath.IsAbs(u.Path) || u.RawQuery != "" {
			return location{}, errors.New("the bucket URL names no folder; use file:/// with an absolute path")
		}
		return location{folder: filepath.Clean(u.Path)}, nil
	case "s3":
		return parseS3(u)
	}
	return location{}, fmt.Errorf("the bucket URL starts with %q; %s", u.Scheme, howToWrite)
}

// bucketName is what S3 takes as the name of a bucket.
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func parseS3(u *url.URL) (location, error) {
	l := location{bucket: u.Host, prefix: strings.Trim(u.Path, "/")}
	if !bucketName.MatchString(l.bucket) {
		return location{}, fmt.Errorf("%q is not a bucket name (3 to 63 characters of a-z, 0-9, dot and hyphen); %s", l.bucket, howToWrite)
	}
	noName := func(segment string) bool { return segment == "" || segment == "." || segment == ".." }
	if l.prefix != "" && slices.ContainsFunc(strings.Split(l.prefix, "/"), noName) {
		return location{}, fmt.Errorf("the prefix %q has an empty segment, . or ..; use one such as team/dec", l.prefix)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return location{}, errors.New("the parameters of the bucket URL are not valid; " + howToWrite)
	}
	for name, values := range query {
		if len(values) != 1 || values[0] == "" {
			return location{}, fmt.Errorf("the parameter %s of the bucket URL must have one value", name)
		}
		if err := l.set(name, values[0]); err != nil {
			return location{}, err
		}
	}
	return l, nil
}

// set takes in one parameter. The value of an unknown one may be a secret.
func (l *location) set(name, value string) error {
	switch name {
	case "region":
		l.region = value
	case "endpoint":
		at, err := url.Parse(value)
		if err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Host == "" ||
			strings.Trim(at.Path, "/") != "" || at.RawQuery != "" || at.User != nil {
			return errors.New("the endpoint of the bucket URL is not a server address; use one such as https://minio.example.com:9000")
		}
		l.endpoint = at.Scheme + "://" + at.Host
	case "path_style":
		if value != "true" && value != "false" {
			return errors.New("path_style of the bucket URL must be true or false")
		}
		l.pathStyle = value == "true"
	default:
		return fmt.Errorf("the bucket URL has an unknown parameter %q; known parameters: region, endpoint, path_style. "+
			"Credentials come from the environment", name)
	}
	return nil
}

// url is the location as a URL, which says all that parseLocation was told.
func (l location) url() string {
	if l.folder != "" {
		return FolderURL(l.folder)
	}
	query := url.Values{}
	for name, value := range map[string]string{"region": l.region, "endpoint": l.endpoint} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if l.pathStyle {
		query.Set("path_style", "true")
	}
	u := url.URL{Scheme: "s3", Host: l.bucket, RawQuery: query.Encode()}
	if l.prefix != "" {
		u.Path = "/" + l.prefix
	}
	return u.String()
}

// String names the bucket for people.
func (l location) String() string {
	if l.folder != "" {
		return "the folder " + l.folder
	}
	name := "the bucket " + l.bucket
	if l.endpoint != "" {
		name += " at " + l.endpoint
	}
	return name
}
