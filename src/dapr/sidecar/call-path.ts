import {withBuiltInRetries} from '../../proxy/gateway/built-in-retries.ts'
import {ExternalEndpoints} from '../../proxy/gateway/external-endpoints.ts'
import type {LogEntry} from '../../model/log-entry.ts'
import type {ResiliencyEvent} from '../../model/resiliency-event.ts'
import {builtInRetry} from '../../files/resources/defaults.ts'
import type {SecretOf} from '../../files/resources/http-endpoints.ts'
import type {RetryPolicy} from '../../files/resources/resiliency/policies.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import type {OpenSidecarOptions} from './sidecar-options.ts'
import {SidecarMetering} from './metering.ts'
import type {ResiliencyReporterOptions} from './report-resiliency.ts'
import {ResourceEffects} from './resource-effects.ts'
import {SidecarTracing} from './tracing.ts'

/** The parts that the calls of one app's sidecar pass: metrics, traces, policies, and the external endpoints that resources name. */
export type CallPath = Awaited<ReturnType<typeof openCallPath>>

/** Settles when the policies of the resources apply, so that no call passes before. */
export async function openCallPath(options: OpenSidecarOptions, secretOf: SecretOf, warn: (text: string) => void) {
  const {runtime, resources, env} = options
  const metering = new SidecarMetering(runtime.id, env['NAMESPACE'] ?? '', resources)
  const {opening} = runtime
  const {sidecar: sidecarLog} = opening.logs
  const log = (entry: LogEntry): void => sidecarLog.log(entry)
  const tracing = new SidecarTracing({appId: runtime.id, httpPort: opening.ports.httpPort, resources, env, log})
  opening.counters = countersOf(runtime, metering, tracing)
  const decisions = decisionsOf(options, metering)
  const external = createExternal(options, secretOf, metering, decisions)
  const namespace = env['NAMESPACE'] || 'default'
  const effects = await ResourceEffects.open({runtime, resources, namespace, tracing, external, decisions, warn})
  const close = async (): Promise<void> => {
    effects.close()
    metering.close()
    await tracing.spans?.close()
    external.close()
  }
  return {metering, tracing, external, effects, close}
}

/** Counts calls to the app. */
const countersOf = (
  runtime: AppRuntime,
  metering: SidecarMetering,
  tracing: SidecarTracing
): NonNullable<AppRuntime['opening']['counters']> => ({
  recorded: record => {
    metering.answered(record, runtime.plan.channel.protocol.startsWith('grpc'))
    // the span of the callee is that of the last attempt
    if (!record.isFollowed) tracing.spans?.answered(record)
  },
  decided: (decision, caller) => metering.count(calls => calls.decided(decision, caller)),
  hosted: event => metering.count(calls => calls.actors.record(event)),
  worked: event => metering.count(calls => calls.workflows.record(event)),
  workTraces: {begin: parent => tracing.beginWork(parent), ended: span => tracing.spans?.workEnded(span)},
  probed: (status, elapsedMs) => metering.count(calls => calls.probed(status, elapsedMs)),
  invoked: invocation => metering.count(calls => calls.invoked(invocation))
})

const decisionsOf = ({runtime, show}: OpenSidecarOptions, metering: SidecarMetering): ResiliencyReporterOptions => ({
  appId: runtime.id,
  log: (message, level) => runtime.logs.sidecar.log({level, message, scope: 'dapr.runtime.resiliency'}),
  recorded: event => metering.count(calls => calls.resiliency.record(event)),
  show: runtime.plan.sidecar.logLevel === 'debug' ? show : undefined
})

function createExternal(
  {resources, apps, env}: OpenSidecarOptions,
  secretOf: SecretOf,
  metering: SidecarMetering,
  decisions: ResiliencyReporterOptions
): ExternalEndpoints {
  const retryFor = (callee: string): RetryPolicy | undefined => {
    const {resiliency} = resources.snapshot
    return resiliency.targets.apps.has(callee) ? undefined : builtInRetry(resiliency)
  }
  return new ExternalEndpoints({
    resources,
    apps: withBuiltInRetries(apps, retryFor, event => void reportRetry(decisions, event)),
    env,
    recorded: record => metering.count(calls => calls.sent(record)),
    secretOf
  })
}

async function reportRetry(decisions: ResiliencyReporterOptions, event: ResiliencyEvent): Promise<void> {
  const {reportResiliency} = await import('./report-resiliency.ts')
  reportResiliency(decisions)(event)
}
