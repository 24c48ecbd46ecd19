import type {AppValues} from '../../files/config/keys.ts'
import type {GivenFlags} from './given-flags.ts'

/** Converts the flags of `run` into template keys. Flags that were not given are omitted. */
export function singleSettings(flags: GivenFlags, command: readonly string[]): AppValues {
  const said = {
    appPort: flags.int('app-port'),
    port: flags.text('port'),
    appProtocol: flags.text('app-protocol'),
    appChannelAddress: flags.text('app-channel-address') ?? '127.0.0.1',
    appMaxConcurrency: flags.int('app-max-concurrency'),
    appSSL: flags.isSet('app-ssl') || undefined,
    daprHTTPPort: flags.int('dapr-http-port'),
    daprGRPCPort: flags.int('dapr-grpc-port'),
    daprInternalGRPCPort: flags.int('dapr-internal-grpc-port'),
    metricsPort: flags.int('metrics-port'),
    profilePort: flags.int('profile-port'),
    enableProfiling: flags.isSet('enable-profiling') || undefined,
    configFilePath: flags.text('config'),
    resourcesPaths: paths([...flags.list('components-path'), ...flags.list('resources-path')]),
    placementHostAddress: flags.text('placement-host-address'),
    schedulerHostAddress: flags.text('scheduler-host-address'),
    logLevel: flags.text('log-level'),
    enableApiLogging: flags.isSet('enable-api-logging') || undefined,
    enableAppHealthCheck: flags.isSet('enable-app-health-check') || undefined,
    appHealthCheckPath: flags.text('app-health-check-path'),
    appHealthProbeInterval: flags.int('app-health-probe-interval'),
    appHealthProbeTimeout: flags.int('app-health-probe-timeout'),
    appHealthThreshold: flags.int('app-health-threshold'),
    maxBodySize: flags.text('max-body-size'),
    readBufferSize: flags.text('read-buffer-size'),
    apiListenAddresses: flags.text('dapr-listen-addresses'),
    unixDomainSocket: flags.text('unix-domain-socket'),
    runtimePath: flags.text('runtime-path'),
    watch: flags.isSet('watch') || undefined,
    command
  }
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))
}

const paths = (given: readonly string[]): readonly string[] | undefined => (given.length > 0 ? given : undefined)
