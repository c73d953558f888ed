{{/* Parts of the admission policies. Expressions are CEL, and what is between quotes in them is said to people. */}}

{{/* What a policy looks at. Takes the plural of a kind. */}}
{{- define "agentslo.admission.scope" -}}
# The operator checks everything again, so a policy that cannot be evaluated stops nobody.
failurePolicy: Ignore
paramKind:
  apiVersion: agentslo.dev/v1alpha1
  kind: AgentPlatform
matchConstraints:
  resourceRules:
    - apiGroups: [agentslo.dev]
      apiVersions: [v1alpha1]
      operations: [CREATE, UPDATE]
      resources: [{{ . }}]
matchConditions:
  # Who writes labels of an object from before, or takes a finalizer off it, is not asked about its spec.
  - name: spec-is-new
    expression: oldObject == null || object.spec != oldObject.spec
{{- end -}}

{{/* Whether the AgentPlatform governs the namespace, as far as it alone can tell, and how it is called. */}}
{{- define "agentslo.admission.platform" -}}
- name: labels
  expression: "has(namespaceObject.metadata.labels) ? namespaceObject.metadata.labels : {}"
- name: governs
  expression: >-
    !has(params.spec.namespaceSelector)
    || (
    (!has(params.spec.namespaceSelector.matchLabels) || params.spec.namespaceSelector.matchLabels.all(key,
    key in variables.labels && variables.labels[key] == params.spec.namespaceSelector.matchLabels[key]))
    && (!has(params.spec.namespaceSelector.matchExpressions) || params.spec.namespaceSelector.matchExpressions.all(it,
    it.operator == 'Exists' ? it.key in variables.labels
    : it.operator == 'DoesNotExist' ? !(it.key in variables.labels)
    : (it.operator == 'In') == (it.key in variables.labels && has(it.values) && variables.labels[it.key] in it.values))))
- name: platform
  expression: "\"AgentPlatform '\" + params.metadata.name + \"'\""
{{- end -}}

{{/* Severities that the AgentPlatform does not offer. Takes the places in the spec where there may be one. */}}
{{- define "agentslo.admission.severities" -}}
- name: allowedSeverities
  expression: >-
    has(params.spec.defaults) && has(params.spec.defaults.allowedSeverities) ? params.spec.defaults.allowedSeverities : []
- name: severities
  expression: >-
    {{- range $index, $place := . }}
    {{ if $index }}+ {{ end }}(has(object.spec.{{ first (splitList "." $place) }}) && has(object.spec.{{ $place }}) && has(object.spec.{{ $place }}.severity)
    ? [{'path': 'spec.{{ $place }}.severity', 'value': string(object.spec.{{ $place }}.severity)}] : [])
    {{- end }}
- name: refusedSeverities
  expression: >-
    variables.allowedSeverities.size() == 0 ? []
    : variables.severities.filter(severity, !(severity.value in variables.allowedSeverities))
    .map(severity, severity.path + ": severity '" + severity.value + "' is not offered by " + variables.platform
    + "; offered: '" + variables.allowedSeverities.join("', '") + "'")
{{- end -}}

{{/* Back ends of a signal that the AgentPlatform does not offer. Takes the signal, and the kinds that take it
besides those that take all. */}}
{{- define "agentslo.admission.backends" -}}
{{- $signal := first . -}}
- name: {{ $signal }}
  expression: >-
    has(object.spec.pipeline) && has(object.spec.pipeline.{{ $signal }}) && has(object.spec.pipeline.{{ $signal }}.backends)
    ? object.spec.pipeline.{{ $signal }}.backends : []
- name: {{ $signal }}Offered
  expression: >-
    !has(params.spec.backends) ? []
    : params.spec.backends.filter(backend, backend.kind in ['Elasticsearch', 'Honeycomb', 'Otlp', {{ last . }}])
    .map(backend, backend.name)
- name: {{ $signal }}Refused
  expression: >-
    variables.{{ $signal }}.filter(name, !(name in variables.{{ $signal }}Offered))
    .map(name, 'spec.pipeline.{{ $signal }}.backends[' + string(variables.{{ $signal }}.indexOf(name)) + "]: '" + name
    + "' is no back end for {{ $signal }}; " + variables.platform + (variables.{{ $signal }}Offered.size() == 0
    ? ' offers none' : " offers '" + variables.{{ $signal }}Offered.join("', '") + "'"))
{{- end -}}

{{/* Labels that hold ids, as the operator knows them. */}}
{{- define "agentslo.admission.neverGrouped" -}}
'trace_id', 'span_id', 'session_id', 'conversation_id', 'request_id', 'run_id', 'pod_uid', 'tool_use_id', 'query_id'
{{- end -}}

{{/* Everything at once: the API server shows the message of one validation alone. */}}
{{- define "agentslo.admission.verdict" -}}
validations:
  - expression: variables.refused.size() == 0
    messageExpression: variables.refused.join('; ')
    reason: Forbidden
{{- end -}}
