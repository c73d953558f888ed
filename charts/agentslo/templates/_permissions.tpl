{{/*
What the operator may do: exactly the verbs that it uses. No wildcards, no pods; workloads and RBAC only with
ledgers, and what it does not hold itself it cannot grant. The one place where this is written; deploy/ is made from it, and a test compares it with what the API server sees.
*/}}

{{/* In a namespace that is watched. */}}
{{- define "agentslo.permissions" -}}
# What people write: read, never changed.
- apiGroups: [agentslo.dev]
  resources: [agentslos, agentobservabilities]
  verbs: [list, watch]
# What is reported back.
- apiGroups: [agentslo.dev]
  resources: [agentslos/status, agentobservabilities/status]
  verbs: [patch]
# Rules, monitors of pods, alert routes.
- apiGroups: [monitoring.coreos.com]
  resources: [prometheusrules, podmonitors, alertmanagerconfigs]
  verbs: [get, list, watch, create, patch, delete]
# Configurations of Collectors, environments of agents, dashboards.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch, create, patch, delete]
# Collectors.
- apiGroups: [opentelemetry.io]
  resources: [opentelemetrycollectors]
  verbs: [get, list, watch, create, patch, delete]
# Dashboards.
- apiGroups: [grafana.integreatly.org]
  resources: [grafanadashboards]
  verbs: [get, list, watch, create, patch, delete]
# Events on transitions.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- if .Values.ledger.enabled }}
# Pods of ledgers, and what they need.
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [batch]
  resources: [cronjobs]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [services, serviceaccounts]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
# Whoever signs chains may add to the ConfigMap of its signatures, which only somebody can grant who may do it.
- apiGroups: [rbac.authorization.k8s.io]
  resources: [roles, rolebindings]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [update]
{{- end }}
{{- end -}}

{{/* Besides, where every namespace is watched. */}}
{{- define "agentslo.clusterPermissions" -}}
# What the platform team writes: read, and reported back.
- apiGroups: [agentslo.dev]
  resources: [agentplatforms]
  verbs: [list, watch]
- apiGroups: [agentslo.dev]
  resources: [agentplatforms/status]
  verbs: [patch]
# Labels of namespaces decide which AgentPlatform governs them.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [list, watch]
{{- end -}}
