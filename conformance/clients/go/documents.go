// The documents request.v1 and result.v1: their rules, their versions and what a person sees.

package main

import (
	"fmt"
	"math"
	"regexp"
	"sort"
	"strings"
)

const (
	maxCount = 1<<53 - 1
	maxSeed  = 1<<32 - 1
)

var (
	anyText   = text()
	someText  = text(length(1, math.MaxInt))
	count     = integer(0, maxCount)
	timestamp = text(matching(`^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3])` +
		`:[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]{1,9})?(?:Z|\+00:00)$`))
	sha256   = text(matching(`^[0-9a-f]{64}$`))
	settings = mapping(anything())
	labels   = listOf(anyText, 0)
)

var documents = map[string]shape{
	"request.v1": record(
		optional("$schema", anyText),
		required("version", one(1)),
		required("preset", oneOf("fast", "balanced", "thorough", "custom")),
		optional("profile", someText),
		required("dataset", record(
			required("path", text(length(1, 4096), matching(`^[^\x00-\x1f]+$`))),
			required("label_column", someText),
			optional("exclude_columns", labels),
			optional("recipe", text(length(1, 4096), matching(`^[^\x00-\x1f]+$`))),
		)),
		required("model", record(
			required("family", oneOf("logistic_regression", "random_forest", "linear_svc")),
			optional("hyperparameters", settings),
		)),
		required("device", record(
			required("type", oneOf("cpu", "gpu")),
			optional("gpu_reason", anyText),
		)),
		optional("seed", integer(0, maxSeed)),
		required("created_at", timestamp),
		required("created_by", text(matching(`^[!-?A-~]+@[!-?A-~]+$`))),
		optional("rerun_from", someText),
		optional("sweep_group_id", text(length(1, 128))),
		optional("sweep_member", integer(1, maxCount)),
		optional("name", anyText),
		optional("tags", labels),
		optional("notes", anyText),
	),
	"result.v1": errorsByStatus(record(
		required("version", one(1)),
		optional("run_id", text(matching(`^[0-9A-Za-z][0-9A-Za-z._-]{0,127}$`))),
		required("status", oneOf("succeeded", "failed", "cancelled")),
		optional("started_at", timestamp),
		optional("finished_at", timestamp),
		required("duration_ms", count),
		optional("summary", record(
			optional("primary_metric", record(required("name", someText), required("value", decimal()))),
			optional("metrics", mapping(decimal())),
		)),
		optional("effective_config", record(
			optional("preset", anyText),
			optional("profile", anyText),
			optional("model", record(optional("family", anyText), optional("hyperparameters", settings))),
			optional("device", record(
				optional("type", anyText),
				optional("gpu_id", simple("an integer or a string", func(v value) bool {
					n, isNumber := double(v)
					_, isText := v.(string)
					return isText || isNumber && n == math.Trunc(n)
				})),
				optional("gpu_reason", anyText),
			)),
			optional("dataset", record(
				optional("path", anyText),
				optional("label_column", anyText),
				optional("exclude_columns", labels),
				optional("fingerprint_sha256", sha256),
				optional("recipe", anyText),
				optional("recipe_sha256", sha256),
			)),
			optional("seed", integer(0, math.MaxFloat64)),
		)),
		optional("artifacts", listOf(record(
			required("path", text(length(1, 1024), relativePath)),
			required("type", oneOf("model", "metrics", "feature_importance", "linear_coefficients",
				"encoder", "log", "checkpoint", "other")),
			required("bytes", count),
		), 0)),
		optional("provenance", provenance),
		optional("error", record(
			required("message", anyText),
			required("type", anyText),
			optional("code", text(matching(`^[A-Z][A-Z0-9_]*$`))),
			optional("hint", anyText),
			optional("traceback", anyText),
		)),
	)),
}

var provenance = record(
	notNull("git", record(
		required("commit", text(matching(`^[0-9a-f]{40}(?:[0-9a-f]{24})?$`))),
		required("dirty", boolean()),
		notNull("diff_sha256", sha256),
		notNull("diff_unread_files", integer(1, maxCount)),
	)),
	required("python", record(
		required("version", anyText),
		required("implementation", anyText),
		notNull("executable", anyText),
	)),
	required("client", anyText),
	required("packages", mapping(anyText)),
	required("platform", record(
		required("os", anyText),
		required("machine", anyText),
		notNull("libc", anyText),
		notNull("cpu", anyText),
		notNull("host", text(length(1, 255))),
	)),
	required("numerics", record(
		required("blas", listOf(record(
			required("library", anyText),
			notNull("api", anyText),
			notNull("version", anyText),
			notNull("architecture", anyText),
			notNull("threads", count),
		), 0)),
		notNull("threads", count),
		notNull("simd", labels),
		required("pinned", boolean()),
		required("environment", mapping(anyText)),
	)),
	notNull("left_out", listOf(someText, 1)),
)

// errorsByStatus adds that a failed run has an error, and a succeeded one has none.
func errorsByStatus(s shape) shape {
	return shape{fields: s.fields, rule: func(v value, at string) *refusal {
		if r := s.rule(v, at); r != nil {
			return r
		}
		o := v.(*object)
		failure, status := o.values["error"], o.values["status"]
		if status == "failed" && failure == nil || status == "succeeded" && failure != nil {
			return invalid("/error", "does not go with the status")
		}
		return nil
	}}
}

var drive = regexp.MustCompile(`^[A-Za-z]:|[\\\x00-\x1f]`)

// relativePath accepts a path that cannot leave its folder.
func relativePath(path string) bool {
	for _, part := range strings.Split(path, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	return !drive.MatchString(path)
}

// check validates a document, and warns if its version is newer than 1.
func check(name string, v value) (warnings []string, r *refusal) {
	warnings = []string{}
	o, ok := v.(*object)
	if !ok {
		return nil, invalid("", "is not an object")
	}
	version, isNumber := double(o.values["version"])
	if !isNumber || version != math.Trunc(version) || version == 1 {
		return warnings, documents[name].rule(o, "")
	}
	if name != "result.v1" || version < 1 {
		return nil, &refusal{"DOCUMENT_VERSION_UNSUPPORTED", "/version", "This version is not known here."}
	}
	// What is known of it must still be valid.
	known := part(o, o.keys...)
	known.set("version", number("1"))
	warnings = append(warnings, fmt.Sprintf("The document has version %v; version 1 is known here.", version))
	return warnings, documents[name].rule(known, "")
}

// view returns what a person sees of a valid document.
func view(name string, document *object) map[string]any {
	if name == "request.v1" {
		model := document.values["model"].(*object)
		return map[string]any{
			"name":            or(document.values["name"], ""),
			"tags":            or(document.values["tags"], list{}),
			"model_family":    model.values["family"],
			"hyperparameters": or(model.values["hyperparameters"], &object{}),
		}
	}
	milliseconds, _ := double(document.values["duration_ms"])
	shown := map[string]any{
		"status":         document.values["status"],
		"duration":       duration(int64(milliseconds)),
		"primary_metric": primaryMetric(document.values["summary"]),
		"error":          nil,
	}
	if failure, failed := document.values["error"].(*object); failed {
		shown["error"] = part(failure, "message", "type")
	}
	return shown
}

func or(v, otherwise value) value {
	if v == nil {
		return otherwise
	}
	return v
}

func part(o *object, keys ...string) *object {
	result := &object{values: map[string]value{}}
	for _, key := range keys {
		result.set(key, o.values[key])
	}
	return result
}

// duration chooses the unit first, then rounds half up with integers.
func duration(milliseconds int64) string {
	unit, letter := int64(3_600_000), "h"
	switch {
	case milliseconds < 1000:
		return fmt.Sprintf("%dms", milliseconds)
	case milliseconds < 60_000:
		unit, letter = 1000, "s"
	case milliseconds < 3_600_000:
		unit, letter = 60_000, "m"
	}
	tenths := (20*milliseconds + unit) / (2 * unit)
	return fmt.Sprintf("%d.%d%s", tenths/10, tenths%10, letter)
}

// primaryMetric returns the metric that stands for a run: the given one, one of three, or the first.
func primaryMetric(v value) any {
	summary, ok := v.(*object)
	if !ok {
		return nil
	}
	if given, ok := summary.values["primary_metric"].(*object); ok {
		return part(given, "name", "value")
	}
	metrics, ok := summary.values["metrics"].(*object)
	if !ok || len(metrics.keys) == 0 {
		return nil
	}
	names := append([]string{}, metrics.keys...)
	sort.Strings(names) // By the bytes of UTF-8, which is the order of code points.
	for _, preferred := range []string{"loss", "f1_score", "accuracy"} {
		if _, present := metrics.values[preferred]; present {
			names[0] = preferred
		}
	}
	return map[string]any{"name": names[0], "value": metrics.values[names[0]]}
}
