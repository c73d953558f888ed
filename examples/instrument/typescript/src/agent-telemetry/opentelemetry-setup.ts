/**
 * OpenTelemetry traces and logs, configured by the standard OTEL_* variables and nothing else.
 *
 * Without a Collector set OTEL_SDK_DISABLED=true.
 */

import { envDetector, serviceInstanceIdDetector } from '@opentelemetry/resources'
import { NodeSDK } from '@opentelemetry/sdk-node'

/** Starts the SDK; its `shutdown` sends what is still batched. */
export function startOpenTelemetry(): NodeSDK {
  const sdk = new NodeSDK({
    // Not the detector of the process: it would send the command line, where secrets may be.
    resourceDetectors: [envDetector, serviceInstanceIdDetector],
    instrumentations: [],
  })
  sdk.start()
  return sdk
}
