{{/* Names and labels that every object of the release has. */}}

{{- define "agentslo.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Names of leases, roles and bindings are this with something appended, hence shorter than 63. */}}
{{- define "agentslo.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "agentslo.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "agentslo.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name must be set when serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "agentslo.selectorLabels" -}}
app.kubernetes.io/name: {{ include "agentslo.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "agentslo.labels" -}}
{{ include "agentslo.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "agentslo.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Names of the leases, as a YAML list. */}}
{{- define "agentslo.leases" -}}
{{- if eq (int .Values.shards) 1 -}}
- {{ include "agentslo.fullname" . }}
{{- else -}}
{{- range $shard := until (int .Values.shards) }}
- {{ printf "%s-%d" (include "agentslo.fullname" $) $shard }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Who the roles are for. */}}
{{- define "agentslo.subjects" -}}
- kind: ServiceAccount
  name: {{ include "agentslo.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}

{{/* The link of an alert, where somebody says where runbooks are. Takes (list values-of-rules alert). */}}
{{- define "agentslo.runbook" -}}
{{- with (first .).runbookURL -}}
runbook_url: {{ printf "%s/%s.md" (trimSuffix "/" .) (last $) | quote }}
{{- end -}}
{{- end -}}
