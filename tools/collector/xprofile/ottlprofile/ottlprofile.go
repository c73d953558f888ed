// Package ottlprofile stands in for the OTTL context of profiles, whose module the Go module proxy
// does not have. Components that serve all signals import it: filter, transform, count and
// signal_to_metrics. Here no path leads into a profile, so that statements on profiles are refused
// when they are parsed; logs, spans and metrics are not touched by any of it.
package ottlprofile

import (
	"fmt"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.uber.org/zap/zapcore"
)

// ContextName is the name of the context in statements.
const ContextName = "profile"

// TransformContext would be what a statement works on.
type TransformContext struct{}

// TransformContextOption would configure one.
type TransformContextOption func(*TransformContext)

func WithCache(*pcommon.Map) TransformContextOption { return func(*TransformContext) {} }

func NewTransformContext(
	pprofile.ResourceProfiles, pprofile.ScopeProfiles, pprofile.Profile, pprofile.ProfilesDictionary,
	...TransformContextOption,
) *TransformContext {
	return &TransformContext{}
}

func (*TransformContext) Close() {}

func (*TransformContext) MarshalLogObject(zapcore.ObjectEncoder) error { return nil }

func EnablePathContextNames() ottl.Option[*TransformContext] {
	return ottl.WithPathContextNames[*TransformContext]([]string{ContextName})
}

func NewParser(
	functions map[string]ottl.Factory[*TransformContext], settings component.TelemetrySettings,
	options ...ottl.Option[*TransformContext],
) (ottl.Parser[*TransformContext], error) {
	return ottl.NewParser(functions, noPath, settings, options...)
}

func noPath(path ottl.Path[*TransformContext]) (ottl.GetSetter[*TransformContext], error) {
	return nil, fmt.Errorf("this Collector was built without profiles: %s", path)
}

// StatementSequenceOption configures a sequence of statements.
type StatementSequenceOption func(*ottl.StatementSequence[*TransformContext])

func WithStatementSequenceErrorMode(mode ottl.ErrorMode) StatementSequenceOption {
	return StatementSequenceOption(ottl.WithStatementSequenceErrorMode[*TransformContext](mode))
}

func NewStatementSequence(
	statements []*ottl.Statement[*TransformContext], settings component.TelemetrySettings,
	options ...StatementSequenceOption,
) ottl.StatementSequence[*TransformContext] {
	sequence := ottl.NewStatementSequence(statements, settings)
	for _, option := range options {
		option(&sequence)
	}
	return sequence
}

// ConditionSequenceOption configures a sequence of conditions.
type ConditionSequenceOption func(*ottl.ConditionSequence[*TransformContext])

func WithConditionSequenceErrorMode(mode ottl.ErrorMode) ConditionSequenceOption {
	return ConditionSequenceOption(ottl.WithConditionSequenceErrorMode[*TransformContext](mode))
}

func NewConditionSequence(
	conditions []*ottl.Condition[*TransformContext], settings component.TelemetrySettings,
	options ...ConditionSequenceOption,
) ottl.ConditionSequence[*TransformContext] {
	sequence := ottl.NewConditionSequence(conditions, settings)
	for _, option := range options {
		option(&sequence)
	}
	return sequence
}
