-- Health of AgentSLO, AgentObservability and AgentPlatform. A budget that is spent is no fault of what was
-- synced, so it degrades nothing unless this is true.
local exhausted_degrades = false

local function said(status, condition)
  return { status = status, message = condition.reason .. ": " .. condition.message }
end

if obj.spec ~= nil and obj.spec.suspend == true then
  return { status = "Suspended", message = "what is in force stays as it is, and is not updated" }
end
if obj.status == nil or obj.status.conditions == nil then
  return { status = "Progressing", message = "the operator has not looked at it yet" }
end
if obj.status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "the operator has not looked at the last edit yet" }
end

local by_type = {}
for _, condition in ipairs(obj.status.conditions) do
  by_type[condition.type] = condition
end
local ready, stalled = by_type["Ready"], by_type["Stalled"]
local reconciling, budget = by_type["Reconciling"], by_type["BudgetHealthy"]

if stalled ~= nil and stalled.status == "True" then
  return said("Degraded", stalled)
end
if reconciling ~= nil and reconciling.status == "True" then
  return said("Progressing", reconciling)
end
if ready == nil or ready.status == "Unknown" then
  return { status = "Progressing", message = "the operator does not know yet whether it is in force" }
end
if ready.status == "False" then
  return said("Degraded", ready)
end
if exhausted_degrades and budget ~= nil and budget.status == "False" then
  return said("Degraded", budget)
end
return said("Healthy", ready)
