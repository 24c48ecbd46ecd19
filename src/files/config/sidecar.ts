import {isIP} from 'node:net'
import {resolve} from 'node:path'
import {type ChannelPlan, type SidecarPlan, type ElsewherePlan, LOG_LEVELS, type LogLevel} from '../../model/plan.ts'
import type {Settings} from './merge.ts'
import {quantityBytes} from './quantity.ts'

const MAX_BODY = 4 * 2 ** 20
const READ_BUFFER = 4 * 2 ** 10
/** Maximum of `readBufferSize`, in bytes: Node's servers accept no larger limit for a request's headers. */
const MAX_READ_BUFFER = 2 ** 30
export const HIGHEST_PORT = 65_535
const A_PORT = 'expected a port number up to 65535'
const PULL_POLICIES = ['Always', 'Never', 'IfNotPresent'] as const

const OVER_TLS = {http: 'https', grpc: 'grpcs', https: 'https', grpcs: 'grpcs', h2c: 'h2c'} as const
const isProtocol = (word: string): word is keyof typeof OVER_TLS => Object.hasOwn(OVER_TLS, word)

/** The names of a sidecar's ports in Dapr's messages. */
export const PORT_NAMES = {
  daprHTTPPort: 'HTTPPort',
  daprGRPCPort: 'GRPCPort',
  daprInternalGRPCPort: 'InternalGRPCPort',
  metricsPort: 'MetricsPort',
  profilePort: 'ProfilePort'
} as const

/** Plans how the sidecar reaches the app. `needsPort`: allocate a port unless there is an `appPort`. */
export function channelPlan(settings: Settings, needsPort: boolean): ChannelPlan {
  const {appProtocol = '', appSSL = false, appPort = 0, autoPort = false, ...values} = settings.values
  const protocol = appProtocol.toLowerCase() || 'http'
  if (!isProtocol(protocol)) {
    const expected = 'expected http, https, h2c, grpc or grpcs'
    return settings.refuse({key: 'appProtocol', message: 'wrong value of appProtocol', expected})
  }
  if (appPort > HIGHEST_PORT) settings.refuse({key: 'appPort', message: 'wrong value of appPort', expected: A_PORT})
  const allocated = autoPort || (needsPort && appPort <= 0)
  return {
    protocol: appSSL ? OVER_TLS[protocol] : protocol,
    address: channelAddress(settings),
    port: allocated ? 0 : Math.max(0, appPort),
    autoPort: allocated,
    maxConcurrency: Math.max(0, values.appMaxConcurrency ?? 0)
  }
}

export function sidecarPlan(settings: Settings): SidecarPlan {
  const {values, folder} = settings
  const body = size(settings, 'maxBodySize', {fallback: MAX_BODY, what: 'max request body size'})
  const buffer = size(settings, 'readBufferSize', {fallback: READ_BUFFER, what: 'http read buffer size'})
  return {
    httpPort: sidecarPort(settings, 'daprHTTPPort'),
    grpcPort: sidecarPort(settings, 'daprGRPCPort'),
    internalGrpcPort: sidecarPort(settings, 'daprInternalGRPCPort'),
    metricsPort: sidecarPort(settings, 'metricsPort'),
    listenAddresses: listenAddresses(settings),
    socketFolder: values.unixDomainSocket ? resolve(folder, values.unixDomainSocket) : '',
    maxBodyBytes: body,
    readBufferBytes: buffer === 0 ? READ_BUFFER : Math.min(buffer, MAX_READ_BUFFER),
    apiLogging: values.enableApiLogging ?? false,
    logLevel: logLevel(settings)
  }
}

/** Reads Dapr's comma-separated list of addresses, without duplicates. */
function listenAddresses(settings: Settings): readonly string[] {
  const written = (settings.values.apiListenAddresses ?? '').split(',').map(address => address.trim())
  const addresses = written.filter(address => address !== '').map(unbracketed)
  const wrong = addresses.find(address => !isHost(address))
  if (wrong === undefined) return [...new Set(addresses)]
  const message = `apiListenAddresses: "${wrong}" is not an address`
  const expected = 'expected IP addresses of this machine, separated by commas'
  return settings.refuse({key: 'apiListenAddresses', message, expected})
}

/** Returns the address that the app listens on; empty for the loopback. */
function channelAddress(settings: Settings): string {
  const address = unbracketed((settings.values.appChannelAddress ?? '').trim())
  if (address === '' || isHost(address)) return address
  const message = `appChannelAddress: "${address}" is not an address`
  const expected = 'expected a host name or an IP address, without a scheme or a port'
  return settings.refuse({key: 'appChannelAddress', message, expected})
}

/** `[::1]` → `::1` */
export const unbracketed = (address: string): string => address.replace(/^\[(.*)\]$/, '$1')

export const isHost = (text: string): boolean => isIP(text) !== 0 || /^[^\s/:@?#[\]]{1,253}$/.test(text)

/** Reads a port of the sidecar; 0: any free port. The message for an invalid number is Dapr's for a port in use. */
function sidecarPort(settings: Settings, key: keyof typeof PORT_NAMES): number {
  const port = settings.values[key] ?? 0
  if (port <= HIGHEST_PORT) return Math.max(0, port)
  const message = `invalid configuration for ${PORT_NAMES[key]}. Port ${port} is not available`
  return settings.refuseAtStart({key, message, expected: A_PORT})
}

/** Reads the log level: one of Dapr's names, in upper or lower case (`toLogLevel` in github.com/dapr/kit). */
function logLevel(settings: Settings): LogLevel {
  const written = settings.values.logLevel || 'info'
  const level = LOG_LEVELS.find(each => each === written.toLowerCase())
  if (level !== undefined) return level
  const expected = `expected ${LOG_LEVELS.slice(0, -1).join(', ')} or ${LOG_LEVELS.at(-1) ?? ''}`
  return settings.refuseAtStart({key: 'logLevel', message: `invalid value for --log-level: ${written}`, expected})
}

/** Reads a size in bytes. A negative size counts as not set. */
function size(
  settings: Settings,
  key: 'maxBodySize' | 'readBufferSize',
  {fallback, what}: {fallback: number; what: string}
): number {
  const written = settings.values[key] ?? ''
  if (written === '') return fallback
  const bytes = quantityBytes(written)
  if (typeof bytes === 'number') return bytes < 0 ? fallback : bytes
  const expected = 'expected a number of bytes, like 4Mi, 64Ki, 4M or 65536'
  return settings.refuseAtStart({key, message: `invalid ${what}: ${bytes}`, expected})
}

export function elsewherePlan(settings: Settings): ElsewherePlan {
  const {values} = settings
  const written = values.containerImagePullPolicy || 'Always'
  const pullPolicy = PULL_POLICIES.find(policy => policy === written)
  if (pullPolicy === undefined) {
    const message = `invalid containerImagePullPolicy: ${written}, allowed values: ${PULL_POLICIES.join(', ')}`
    return settings.refuse({key: 'containerImagePullPolicy', message})
  }
  return {
    containerImage: values.containerImage ?? '',
    pullPolicy,
    createService: values.createService ?? false,
    placementAddress: values.placementHostAddress ?? 'localhost',
    schedulerAddress: values.schedulerHostAddress ?? 'localhost',
    profilePort: values.enableProfiling === true ? sidecarPort(settings, 'profilePort') : 'none'
  }
}
