import type {AppPlan, Plan} from '../../model/plan.ts'
import {RUNTIME_VERSION} from '../../model/version.ts'
import type {ResourceSnapshot} from '../../files/resources/app-resources.ts'
import {isBuilt, isForDaprd, isUnbuilt} from '../../files/resources/component-support.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import type {SidecarBlocks} from './sidecar-blocks.ts'
import type {Facts} from './http/metadata.ts'

/** Features that Dapr enables by default (pkg/config, WithDefaultFeatures): changed resource files apply while the apps run. */
const FEATURES = ['HotReload']

/** Collects the content of `/v1.0/metadata`. `extended`: the metadata that Dapr's CLI adds. */
export function factsOf(
  runtime: AppRuntime,
  plan: Plan,
  {endpoints, resiliency, accessPolicies, mcpServers, components}: ResourceSnapshot,
  blocks: SidecarBlocks,
  subscriptions: Facts['subscriptions']
): Facts {
  const app = runtime.listing()
  return {
    runtimeVersion: RUNTIME_VERSION,
    enabledFeatures: FEATURES,
    components: [...new Set(components.map(each => blocks.inEffect(each)))]
      .filter(each => (isBuilt(each) || blocks.isByDaprd(each)) && !blocks.isMissing(each))
      .map(each => ({
        name: each.name,
        type: each.type,
        version: each.version,
        capabilities: blocks.capabilitiesOf(each)
      })),
    subscriptions,
    extended: {
      ...(app.command !== '' && {appCommand: app.command}),
      ...(app.pid > 0 && {appPID: app.pid.toString()}),
      cliPID: process.pid.toString(),
      ...(plan.file !== '' && {
        runTemplatePath: plan.file,
        runTemplateName: plan.name,
        appLogPath: app.logFile,
        daprdLogPath: app.sidecarLogFile
      })
    },
    httpEndpoints: endpoints.map(({name}) => name),
    accessPolicies: accessPolicies.map(({name}) => name),
    mcpServers,
    // jobs are stored by the run itself, which has no scheduler service: its address is the sidecar's
    scheduler: app.grpcPort > 0 ? [`127.0.0.1:${app.grpcPort}`] : [],
    resiliencies: resiliency.resources.map(({name}) => name),
    connection: connectionOf(runtime.plan, runtime.appPort)
  }
}

function connectionOf({channel, health}: AppPlan, port: number): Facts['connection'] {
  return {
    port,
    protocol: channel.protocol,
    channelAddress: channel.address === '' ? '127.0.0.1' : channel.address,
    maxConcurrency: channel.maxConcurrency,
    health: health.enabled
      ? {
          // the health check of a gRPC app calls a method, so it has no path
          healthCheckPath: channel.protocol.startsWith('grpc') ? '' : health.path,
          healthProbeInterval: inGo(health.intervalMs),
          healthProbeTimeout: inGo(health.timeoutMs),
          healthThreshold: health.threshold
        }
      : undefined
  }
}

/** Returns a duration as Go writes it: `1m30s`, `500ms`. Saves loading the general formatter. */
function inGo(ms: number): string {
  if (ms < 1000) return `${ms}ms`
  const minutes = Math.floor(ms / 60_000)
  const hours = minutes < 60 ? '' : `${Math.floor(minutes / 60)}h`
  return `${hours}${minutes === 0 ? '' : `${minutes % 60}m`}${(ms % 60_000) / 1000}s`
}

/** Returns why a Component is missing although a file defines it, in brackets after a space, for the error of a call; '': no file does. */
export function whyMissing({components, withoutEffect}: ResourceSnapshot, name: string, whyNoDaprd: string): string {
  const denial = withoutEffect.find(({component, isDenied}) => isDenied === true && component?.name === name)
  if (denial !== undefined) return ` (${denial.place.file}:${denial.place.line} names it, but ${denial.why})`
  const found = components.find(component => component.name === name && isUnbuilt(component))
  if (found === undefined) return ''
  const {file, line} = found.place
  const place = `${file}:${line} names it`
  return isForDaprd(found, 'needed') && whyNoDaprd !== ''
    ? ` (${place}, but its type ${found.type} needs a real daprd: ${whyNoDaprd})`
    : ` (${place}, but its type ${found.type} is not supported yet)`
}
