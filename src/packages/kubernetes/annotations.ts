import {isIPv6} from 'node:net'
import {quantityBytes} from '../../files/config/quantity.ts'
import type {Entry} from '../../files/config/service-versions.ts'
import type {SidecarPlan} from '../../model/plan.ts'

/** The kubelet asks the sidecar this often whether it lives (`pkg/injector/patcher/sidecar_container.go` of Dapr). */
const LIVENESS_PERIOD_MS = 6000

/**
 * Returns the settings of an app's sidecar as annotations of the pod, which Dapr's injector reads (`pkg/injector/patcher/sidecar.go`).
 * Only keys of the template are included. `port`: the app's port in a pod, 0: none.
 */
export function daprAnnotations({settings: {values}, plan}: Entry, port: number): Readonly<Record<string, string>> {
  const {channel, sidecar, health, ready, elsewhere} = plan
  const all: Readonly<Record<string, string | number | boolean | undefined>> = {
    enabled: true,
    'app-id': plan.id,
    'app-port': port > 0 ? port : undefined,
    'app-protocol': values.appProtocol || values.appSSL === true ? channel.protocol : undefined,
    'app-channel-address': channel.address,
    'app-max-concurrency': channel.maxConcurrency > 0 ? channel.maxConcurrency : undefined,
    'log-level': values.logLevel ? sidecar.logLevel : undefined,
    'enable-api-logging': values.enableApiLogging,
    'enable-profiling': values.enableProfiling,
    'enable-app-health-check': values.enableAppHealthCheck,
    'app-health-check-path': values.appHealthCheckPath,
    'app-health-probe-interval': ifPositive(values.appHealthProbeInterval, health.intervalMs / 1000),
    'app-health-probe-timeout': ifPositive(values.appHealthProbeTimeout, health.timeoutMs),
    'app-health-threshold': ifPositive(values.appHealthThreshold, health.threshold),
    ...sizes('max-body-size', values.maxBodySize, {older: 'http-max-request-size', unit: 2 ** 20}),
    ...sizes('read-buffer-size', values.readBufferSize, {older: 'http-read-buffer-size', unit: 2 ** 10}),
    'sidecar-listen-addresses': listenAddresses(sidecar),
    'placement-host-address': ofAnotherHost(values.placementHostAddress && elsewhere.placementAddress),
    'scheduler-host-address': ofAnotherHost(values.schedulerHostAddress && elsewhere.schedulerAddress),
    'metrics-port': sidecar.metricsPort > 0 ? sidecar.metricsPort : undefined,
    'unix-domain-socket-path': values.unixDomainSocket,
    // the kubelet must not restart the sidecar of an app that starts slowly
    'sidecar-liveness-probe-threshold': Math.ceil(ready.timeoutMs / LIVENESS_PERIOD_MS) + 1,
    'sidecar-readiness-probe-delay-seconds': 1,
    'sidecar-readiness-probe-period-seconds': 1
  }
  const set = Object.entries(all).filter(([, value]) => value !== undefined && value !== '')
  return Object.fromEntries(set.map(([name, value]) => [`dapr.io/${name}`, String(value)]))
}

/** Returns the listen addresses as daprd's flag has them: joined by commas, IPv6 in brackets. */
export const listenAddresses = (sidecar: SidecarPlan): string =>
  sidecar.listenAddresses.map(text => (isIPv6(text) ? `[${text}]` : text)).join(',')

const ifPositive = (written: number | undefined, planned: number): number | undefined =>
  written !== undefined && written > 0 ? planned : undefined

/** Returns the annotations of a size: as written for newer versions of Dapr, and in whole units for older ones. Leaves out negative sizes. */
function sizes(name: string, written: string | undefined, {older, unit}: {older: string; unit: number}): object {
  const bytes = written ? quantityBytes(written) : -1
  if (written === undefined || typeof bytes === 'string' || bytes < 0) return {}
  return bytes === 0 ? {[name]: written} : {[name]: written, [older]: Math.ceil(bytes / unit)}
}

/** Whether an address is localhost: a pod has no service of Dapr there. */
const isHere = (address: string): boolean => /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\]|::1)(?::\d+)?$/.test(address)

export const ofAnotherHost = (address: string | undefined): string | undefined =>
  address === undefined || isHere(address) ? undefined : address
