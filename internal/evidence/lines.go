package evidence

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"dec.local/dec/internal/api"
)

// timedLine is a line with the time by which it is put in order: its own, or
// that of the line before it.
type timedLine struct {
	api.LogLine
	sortAt time.Time
}

// parseLog cuts the text of one source into lines.
func parseLog(name, text string, parse func(string) api.LogLine) []timedLine {
	var lines []timedLine
	var at time.Time
	for raw := range strings.Lines(text) {
		raw = strings.TrimRight(raw, "\r\n")
		if raw == "" {
			continue
		}
		line := parse(strings.ToValidUTF8(raw, "\uFFFD"))
		line.Source = name
		if line.At.After(at) {
			at = line.At // never backwards: lines of one source stay in their order
		}
		lines = append(lines, timedLine{LogLine: line, sortAt: at})
	}
	// What comes before the first time belongs to it.
	for i := len(lines) - 2; i >= 0; i-- {
		if lines[i].sortAt.IsZero() {
			lines[i].sortAt = lines[i+1].sortAt
		}
	}
	return lines
}

// parseDEC reads a line of slog's JSON. Any other stays as it is.
func parseDEC(raw string) api.LogLine {
	var fields map[string]any
	err := json.Unmarshal([]byte(raw), &fields)
	message, ok := fields["msg"].(string)
	if err != nil || !ok {
		return api.LogLine{Text: raw}
	}
	line := api.LogLine{At: timeOf(fields["time"]), Level: levelOf(fmt.Sprint(fields["level"])), Text: message}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		switch key {
		case "time", "level", "msg", "run", "experiment":
		default:
			line.Text += fmt.Sprintf(" %s=%v", key, fields[key])
		}
	}
	return line
}

// parseTofu reads a line of OpenTofu's JSON output.
func parseTofu(raw string) api.LogLine {
	var message struct {
		Text       string `json:"@message"`
		Level      string `json:"@level"`
		At         string `json:"@timestamp"`
		Diagnostic struct {
			Detail string `json:"detail"`
		} `json:"diagnostic"`
	}
	if json.Unmarshal([]byte(raw), &message) != nil || message.Text == "" {
		return api.LogLine{Text: raw}
	}
	if message.Diagnostic.Detail != "" {
		message.Text += ": " + message.Diagnostic.Detail
	}
	return api.LogLine{At: timeOf(message.At), Level: levelOf(message.Level), Text: message.Text}
}

var (
	// stamp is a time as most programs write it, near the beginning of a line.
	stamp = regexp.MustCompile(`^.{0,24}?(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?`)
	// word is a level as most programs write it.
	word = regexp.MustCompile(`\b(TRACE|TRC|DEBUG|DBG|INFO|INF|WARN|WRN|WARNING|ERROR|ERR|FATAL|FTL|PANIC)\b`)
)

// levelWithin is how far into a line its level is looked for.
const levelWithin = 80

// parseService reads a line of a broker or an agent, whatever it is.
func parseService(raw string) api.LogLine {
	if strings.HasPrefix(raw, "{") {
		return parseDEC(raw)
	}
	line := api.LogLine{Text: raw}
	if part := stamp.FindStringSubmatch(raw); part != nil {
		fraction, zone := part[5], part[6]
		layout := "2006-01-02 15:04:05"
		text := part[1] + "-" + part[2] + "-" + part[3] + " " + part[4]
		if fraction != "" {
			layout, text = layout+"."+strings.Repeat("0", len(fraction)), text+"."+fraction
		}
		switch {
		case zone == "Z" || strings.Contains(zone, ":"):
			layout += "Z07:00"
		case zone != "":
			layout += "Z0700"
		}
		if at, err := time.ParseInLocation(layout, text+zone, time.Local); err == nil {
			line.At = inUTC(at)
		}
	}
	if found := word.FindString(raw[:min(len(raw), levelWithin)]); found != "" {
		line.Level = levelOf(found)
	}
	return line
}

func timeOf(v any) time.Time {
	text, ok := v.(string)
	if !ok {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return inUTC(at)
}

// inUTC is a time in UTC. One whose year JSON can't hold there is none.
func inUTC(at time.Time) time.Time {
	if at = at.UTC(); at.Year() < 0 || at.Year() > 9999 {
		return time.Time{}
	}
	return at
}

// levelOf is a level in the API's words; "" for what is none.
func levelOf(text string) string {
	text = strings.ToLower(text)
	for prefix, level := range map[string]string{
		"tr": "debug", "de": "debug", "db": "debug", "in": "info", "wa": "warn", "wr": "warn",
		"er": "error", "fa": "error", "ft": "error", "pa": "error",
	} {
		if strings.HasPrefix(text, prefix) {
			return level
		}
	}
	return ""
}
