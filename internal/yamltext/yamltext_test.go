package yamltext_test

import (
	"encoding/json"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dec.local/dec/internal/experiment"
	"dec.local/dec/internal/yamltext"
)

// maxAllocated bounds what reading a document of the largest size may allocate,
// garbage included, in bytes.
const maxAllocated = 128 << 20

// filled is head and as many fragments as a document may hold.
func filled(head, fragment string) []byte {
	return []byte(head + strings.Repeat(fragment, (yamltext.MaxBytes-len(head))/max(1, len(fragment))))
}

// parse reads a document and fails the test when that takes too much memory.
func parse(t *testing.T, data []byte) (*yamltext.Node, error) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n, err := yamltext.Parse(data)
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > maxAllocated {
		t.Errorf("Parse(%.40q… of %d bytes) took %d MiB, want at most %d", data, len(data), took>>20, maxAllocated>>20)
	}
	return n, err
}

func TestNoDocumentTakesMuch(t *testing.T) {
	const deep, marks = "nested 65 levels deep; at most 64 are allowed", "more than 50000 punctuation marks"
	tests := map[string]struct{ head, fragment, want string }{
		"lists":                          {"", "[", "line 1: " + deep},
		"lists after a line":             {"name: x\noptions: ", "[", "line 2: " + deep},
		"objects":                        {"", "{a: ", "line 1: " + deep},
		"objects in lists":               {"", "[{a: ", "line 1: " + deep},
		"pairs in lists":                 {"", "[a: ", "line 1: " + deep},
		"keys that are lists":            {"", "? [", "line 1: " + deep},
		"lists by dashes":                {"", "- ", "line 1: " + deep},
		"keys by question marks":         {"", "? ", "line 1: " + deep},
		"dashes and question marks":      {"", "- ? ", "line 1: " + deep},
		"tagged lists":                   {"", "!!seq [", "line 1: " + deep},
		"tags":                           {"", "!a ", "line 1"},
		"anchored lists":                 {"", "&a [", "line 1: " + deep},
		"anchored dashes":                {"", "- &a\n - ", marks},
		"JSON lists":                     {`{"a": `, "[", "line 1: " + deep},
		"JSON objects":                   {"", `{"a":`, "line 1: " + deep},
		"lines of JSON objects":          {"", "{\n\"a\":", "line 65: " + deep},
		"aliases of nothing":             {"", "*a ", "line 1"},
		"anchors":                        {"", "&a ", "line 1"},
		"items":                          {"a: [", "a,", marks},
		"empty items":                    {"[", "[],", marks},
		"empty lists, one after another": {"", "[]", "line 1"},
		"pairs":                          {"{", "a,", marks},
		"keys without a value":           {"", "?\n", marks},
		"values without a key":           {"", ": >\n", marks},
		"dashes in lines":                {"", "-\n", marks},
		"comments":                       {"a: [", " #\u2028", "line 1"},
		"quotes":                         {"", `""`, "line 1"},
		"an open quote":                  {`a: "`, "x", "not YAML"},
		"tag directives":                 {"", "%TAG !a! b\n", "duplicate"},
		"documents":                      {"", "---\n", "several"},
		"a long name":                    {"? ", "x", "line 1: a field name"},
		"a long name in JSON":            {`{"`, "x", "not YAML"},
		"empty lines":                    {"a: 1", "\n", marks},
		"spaces":                         {"", "  ", ""},
		"one text":                       {"a: ", "word ", ""},
		"an alias":                       {"a: &a [x, y]\nb: [", "*a, ", marks},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := parse(t, filled(tt.head, tt.fragment))
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Parse(%q, then %q again and again) = %.200v, want %q", tt.head, tt.fragment, err, tt.want)
			}
		})
	}
}

// TestBoundsOfWhatIsComplete reads documents that are right but for their size.
func TestBoundsOfWhatIsComplete(t *testing.T) {
	nested := func(open, within, end string, levels int) string {
		return strings.Repeat(open, levels) + within + strings.Repeat(end, levels)
	}
	indented := func(levels int) string {
		var text strings.Builder
		for i := range levels {
			text.WriteString(strings.Repeat(" ", i) + "a:\n")
		}
		return text.String()
	}
	long := strings.Repeat("x", 600_000)
	tests := map[string]struct{ text, want string }{
		"64 lists":                     {nested("[", "", "]", 64), ""},
		"65 lists":                     {nested("[", "", "]", 65), "line 1: nested 65 levels deep; at most 64 are allowed"},
		"64 JSON objects":              {nested(`{"a":`, "1", "}", 64), ""},
		"65 JSON objects":              {nested(`{"a":`, "1", "}", 65), "line 1: nested 65 levels deep"},
		"64 levels of indentation":     {indented(64), ""},
		"65 levels of indentation":     {indented(65), "line 65: nested 65 levels deep"},
		"lists within indentation":     {indented(40) + strings.Repeat(" ", 40) + nested("[", "", "]", 25), "line 41: nested 65 levels deep"},
		"lists in lists of lines":      {"a:\n- b:\n  - c:\n    - d: " + nested("[", "", "]", 58), "line 4: nested 65 levels deep"},
		"an alias that is deep":        {"a: &a " + nested("[", "", "]", 40) + "\nb: " + nested("[", "*a", "]", 30), "nested 65 levels deep"},
		"20000 values":                 {"[" + strings.Repeat("1,", 19_999) + "]", ""},
		"20001 values":                 {"[" + strings.Repeat("1,", 20_000) + "]", "line 1: the document has more than 20000 values"},
		"20001 values of JSON":         {"[1" + strings.Repeat(",\n1", 19_999) + "]", "line 20000: the document has more than 20000 values"},
		"aliases that repeat much":     {"a: &a [" + strings.Repeat("1,", 10_000) + "]\nb: [*a, *a]\n", "the document has more than 20000 values"},
		"aliases that repeat long":     {"a: &a " + long + "\nb: [*a, *a]\n", "line 1: YAML aliases expand to more than 1 MiB"},
		"a long name that aliases use": {"a: &a\n  ? " + long[:2000] + "\n  : 1\n", "line 2: a field name has more than 1024 bytes"},
		"a long name of JSON":          {`{"` + long[:2000] + `": 1}`, "line 1: a field name has more than 1024 bytes"},
		"64 aliases":                   {"a: &a 1\nb: [" + strings.Repeat("*a,", 64) + "]", ""},
		"65 aliases":                   {"a: &a 1\nb: [" + strings.Repeat("*a,", 65) + "]", "line 2: more than 64 YAML aliases"},
		"anchors that grow":            {"a: &a [1]\nb: &b [*a, *a]\nc: &c [*b, *b]\n", "line 2: a YAML anchor contains an alias"},
		"an anchor that holds itself":  {"a: &a {b: *a}\n", "line 1: a YAML anchor contains an alias"},
		"a text of many lines":         {"a: |\n" + strings.Repeat(" line\n", 40_000), ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := parse(t, []byte(tt.text))
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Parse() = %.200v, want %q", err, tt.want)
			}
			if _, ok := errors.AsType[*experiment.Problems](err); err != nil && !ok {
				t.Errorf("Parse() = %T, want problems", err)
			}
		})
	}
}

func TestReadRefusesWhatIsTooLarge(t *testing.T) {
	if _, err := yamltext.Read(strings.NewReader(strings.Repeat(" ", yamltext.MaxBytes+1))); err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Errorf("Read(1 MiB and a byte) = %v, want its size refused", err)
	}
	if _, err := yamltext.Read(strings.NewReader(strings.Repeat(" ", yamltext.MaxBytes))); err != nil {
		t.Errorf("Read(1 MiB) = %v, want no error", err)
	}
}

func TestValues(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"nothing":                     {"# nothing\n", `null`},
		"numbers":                     {"[1, -2, 1.50, 1e3, 1_000, 0x1F, 0o17, 017, 0b11, +3, .5, 123456789012345678901]", `[1,-2,1.50,1e3,1000,31,15,15,3,3,0.5,123456789012345678901]`},
		"what only looks like others": {`[yes, on, 2024-01-01, 1:20, "5", '5', !!str 5, 1e999, 1.2.3]`, `["yes","on","2024-01-01","1:20","5","5","5","1e999","1.2.3"]`},
		"booleans and nothing":        {"[true, False, null, ~, ]", `[true,false,null,null]`},
		"names are text":              {"1: a\ntrue: b\n\"<<\": c\n", `{"1":"a","\u003c\u003c":"c","true":"b"}`},
		"an alias":                    {"a: &a {x: 1}\nb: *a\n", `{"a":{"x":1},"b":{"x":1}}`},
		"a merge keeps what is given": {"a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n", `{"a":{"x":1,"y":2},"b":{"x":1,"y":3}}`},
		"a merge of several":          {"a: [&a {x: 1}, &b {x: 2, y: 2}]\nb: {<<: [*a, *b]}\n", `{"a":[{"x":1},{"x":2,"y":2}],"b":{"x":1,"y":2}}`},
		"JSON with escapes":           {`{"a": "\ud83d\ude00\/", "b": 1.50}`, `{"a":"😀/","b":1.50}`},
		"text in blocks":              {"a: |\n  x\n  y\nb: >-\n  x\n  y\n", `{"a":"x\ny\n","b":"x y"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			n, err := yamltext.Parse([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(n)
			if diff := cmp.Diff(tt.want, string(got)); diff != "" || err != nil {
				t.Errorf("Parse(%s): %v\n%s", tt.text, err, diff)
			}
		})
	}
}

// TestFaults also holds that no message repeats a value: hunter2 is a secret.
func TestFaults(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"a list without end":        {"a: 1\nb: [hunter2\nc: d", "not YAML or JSON: line 3, column 2: while parsing a flow sequence, did not find expected ',' or ']'"},
		"a colon too many":          {"a: hunter2: b", "not YAML or JSON: line 1, column 11: mapping values are not allowed in this context"},
		"a quote without end":       {"a: \"hunter2", "not YAML or JSON: line 1, column 12: while scanning a quoted scalar, found unexpected end of stream"},
		"text after a quote":        {"a: 'x' hunter2", "not YAML or JSON: line 1, column 8: while parsing a block mapping, did not find expected key"},
		"an unknown escape":         {`a: "\hunter2"`, "not YAML or JSON: line 1, column 5: while scanning a quoted scalar, found unknown escape character"},
		"a tab as indentation":      {"a:\n\tb: hunter2", "not YAML or JSON: line 2, column 1"},
		"a control character":       {"a: hunter2\x01", "not YAML or JSON: control characters are not allowed"},
		"no UTF-8":                  {"a: hunter2\xff", "not UTF-8 text"},
		"an alias of nothing":       {"a: *hunter2", "not YAML or JSON: line 1, column 4: an alias of an unknown anchor"},
		"a tag":                     {"a: 1\nb: !hunter2 x", "line 2: a YAML tag that is unknown"},
		"a tag that does not fit":   {"b: !!bool hunter2", "a YAML tag"},
		"an infinite number":        {"b: .inf", "line 1: a number that JSON cannot represent"},
		"several documents":         {"a: 1\n---\nhunter2\n", "there are several YAML documents; only one is allowed"},
		"a field twice":             {"a: {x: hunter2}\nb: [{c: 1}, {c: hunter2,\nc: 2}]", "b[1].c: is given twice, the second time on line 3: keep one of them"},
		"a field twice in JSON":     {`{"a": [{"b": 1, "b": "hunter2"}]}`, "a[0].b: is given twice: keep one of them"},
		"a name that is a list":     {"? [hunter2]\n: 1", "line 1: a field name must be text"},
		"a merge of text":           {"a: {<<: hunter2}", "line 1: the value of << must be an alias of an object"},
		"JSON that stops":           {`{"a": "hunter2"`, "not YAML or JSON: line 2, column 1: while parsing a flow mapping"},
		"JSON with a rest":          {`{"a": "hunter2"} x`, "not YAML or JSON: line 1"},
		"two JSON documents":        {`{"a": "hunter2"}{}`, "not YAML or JSON: line 1"},
		"JSON with a comma too few": {`{"a": "hunter2" "b": 1}`, "not YAML or JSON: line 1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := yamltext.Parse([]byte(tt.text))
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) && !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("Parse(%q) = %v, want %q", tt.text, err, tt.want)
			}
		})
	}
}

func TestParseJSONTakesNoYAML(t *testing.T) {
	for text, want := range map[string]string{
		"a: 1":           "not JSON: line 1, column 1: invalid character 'a' looking for beginning of value",
		"{\"a\": 1,\n}":  "not JSON: line 2, column 1: invalid character '}' looking for beginning of object key string",
		`{"a": 1} {}`:    "not JSON: line 1, column 10: invalid character '{' after top-level value",
		"":               "not JSON: line 1, column 1: unexpected end of JSON input",
		"{\"a\": \"\xff": "not UTF-8 text",
	} {
		if _, err := yamltext.ParseJSON([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("ParseJSON(%q) = %v, want %s", text, err, want)
		}
	}
}

// TestYAMLIsReadAsTheSame writes values that a writer must quote.
func TestYAMLIsReadAsTheSame(t *testing.T) {
	const text = `{"b":1e6,"a":"a: b","n":null,"t":true,"e":{},"l":[],"x":["yes","12","2024-01-01","true"," x ","","- a","<<","\u0001é😀","l1\nl2\n","null"],"<<":1,"12":[[3]]}`
	written, err := yamltext.YAML([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want, _ := yamltext.ParseJSON([]byte(text))
	got, err := yamltext.Parse([]byte(written))
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Parse(%s): %v\n%s", written, err, diff)
	}
	if !strings.HasPrefix(written, "b: 1e6\na: \"a: b\"\n") {
		t.Errorf("YAML() =\n%s\nwant the members in their order", written)
	}
}

// FuzzParse fills documents with what the fuzzer finds: none may take much memory,
// and what is read can be written. The corpus in testdata begins with every nesting
// that YAML knows.
func FuzzParse(f *testing.F) {
	f.Fuzz(func(t *testing.T, head, fragment string) {
		if len(head) > yamltext.MaxBytes {
			return
		}
		for _, data := range [][]byte{[]byte(head + fragment), filled(head, fragment)} {
			n, err := parse(t, data)
			if err != nil {
				continue
			}
			text, err := json.Marshal(n)
			if err != nil {
				t.Fatalf("Parse(%.100q) gives what is no JSON: %v", data, err)
			}
			written, err := yamltext.YAML(text)
			if err != nil {
				t.Fatalf("YAML(%.100q) = %v", text, err)
			}
			again, err := yamltext.Parse([]byte(written))
			if err != nil {
				continue // a bound: YAML may take more marks than what was read
			}
			if back, err := json.Marshal(again); err != nil || string(back) != string(text) {
				t.Fatalf("Parse(%.100q) gives %.100q, written as %.100q it is %.100q, %v", data, text, written, back, err)
			}
		}
	})
}
