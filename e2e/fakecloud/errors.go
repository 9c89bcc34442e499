package fakecloud

import (
	"regexp"

	"dec.local/dec/target"
)

// errorTexts are what the provider says, with an example of each as OpenTofu
// told it.
var errorTexts = []target.ErrorText{
	{
		Class:   target.ErrorGone,
		Text:    regexp.MustCompile(`\bNotFound: `),
		Example: `No object net-missing: read net-missing: NotFound: there is no object "net-missing"`,
	},
	{
		Class: target.ErrorWait,
		Text:  regexp.MustCompile(`\bDependencyViolation: |it is being deleted for too long|\bInternalError: `),
		Example: "The object net-vy34n5oy7272 was not deleted: delete net-vy34n5oy7272: DependencyViolation: " +
			"net-vy34n5oy7272 has dependent objects: adr-pym33fwu7fs3",
	},
	{
		Class:   target.ErrorThrottle,
		Text:    regexp.MustCompile(`\bThrottling: `),
		Example: "The network raaaaaaaaa-network was not created: create network raaaaaaaaa-network: Throttling: rate exceeded",
	},
	{
		Class: target.ErrorAuth,
		Text:  regexp.MustCompile(`\bAccessDenied: |\bExpiredToken: |\bNo credentials: `),
		Example: "The object net-vy34n5oy7272 cannot be read: read net-vy34n5oy7272: ExpiredToken: " +
			"the security token included in the request is expired",
	},
	{
		Class: target.ErrorFatal,
		Text:  regexp.MustCompile(`\bInvalidParameter: |did not get ready: .* is failed: `),
		Example: "The instance raaaaaaaaa-broker-0 did not get ready: ins-4x7qk2mbn3va is failed: " +
			"process \"raaaaaaaaa-broker-0\" ended before it was ready: exit code 3\nboom",
	},
}
