import type {Entry} from '../../files/config/service-versions.ts'
import {checkWithin, dockerRunOf, innerPort} from '../../model/docker-run.ts'
import type {AppPlan, Dependency} from '../../model/plan.ts'
import {containerVariables, escaped, podPort, variablesOf} from './variables.ts'

/** The time that a sidecar needs to end after its app. */
const SIDECAR_GRACE_S = 5
/** Time after which a readiness command is killed, as in a run on the laptop. */
const COMMAND_TIMEOUT_S = 5

export interface Image {
  readonly image: string
  readonly pullPolicy: AppPlan['elsewhere']['pullPolicy']
}

export interface AppObjectOptions {
  /** Name of the template as a label. The namespace may be '': that of the context. */
  readonly template: string
  readonly namespace: string
  readonly image: Image
  readonly dependsOn: readonly Dependency[]
  /** Whether the app runs once and ends. */
  readonly isJob: boolean
  /** Number of pods. undefined: the template has none, and the cluster decides. */
  readonly replicas: number | undefined
  /** Variables that override `env` and the `.env` files of the app. */
  readonly variables: Readonly<Record<string, string>>
  readonly fileVariables: Readonly<Record<string, string>>
  /** The name of the app's Configuration; '': none. */
  readonly configuration: string
  /** Whether the sidecar is an init container that keeps running, and so starts before the app. */
  readonly nativeSidecar: boolean
}

/** Returns the spec of an app's pods. Dapr's injector adds the sidecar. */
export function podSpec(entry: Entry, {image, variables, isJob}: AppObjectOptions, secret: string): object {
  const {settings, plan} = entry
  const port = podPort(entry)
  const {args = [], flags = []} = dockerRunOf(plan.command) ?? {}
  const {entrypoint, workdir} = Object.fromEntries(flags)
  const {serviceAccount, imagePullSecrets} = settings.values.kubernetes ?? {}
  const resources = resourcesOf(entry)
  const env = containerVariables(variablesOf(entry, port, variables))
  const probe = readinessProbe(entry, port)
  const container = {
    name: plan.id,
    image: image.image,
    imagePullPolicy: image.pullPolicy,
    // `--entrypoint ''` removes the image's entrypoint: the first word after the image is the program
    ...(entrypoint !== undefined && {command: entrypoint === '' ? args.map(escaped) : [escaped(entrypoint)]}),
    ...(args.length > 0 && entrypoint !== '' && {args: args.map(escaped)}),
    ...(workdir !== undefined && {workingDir: workdir}),
    ...(plan.tty === true && {stdin: true, tty: true}), // for `kubectl attach -it`
    ...(port > 0 && {ports: [{containerPort: port}]}),
    ...(env.length > 0 && {env}),
    ...(secret !== '' && {envFrom: [{secretRef: {name: secret}}]}),
    ...(resources !== undefined && {resources}),
    ...(probe !== undefined && {readinessProbe: probe})
  }
  return {
    ...(serviceAccount !== undefined && {serviceAccountName: serviceAccount}),
    ...(imagePullSecrets !== undefined && {imagePullSecrets: imagePullSecrets.map(name => ({name}))}),
    ...(isJob && {restartPolicy: 'Never'}),
    terminationGracePeriodSeconds: Math.ceil(plan.stop.timeoutMs / 1000) + SIDECAR_GRACE_S,
    containers: [container]
  }
}

/** `kubernetes.resources` wins over `limits`. */
function resourcesOf({settings, plan: {limits}}: Entry): object | undefined {
  const {resources} = settings.values.kubernetes ?? {}
  if (limits === undefined) return resources
  const {memoryBytes, cpus} = limits
  const own = {
    ...(memoryBytes > 0 && {memory: quantityText(memoryBytes, 'Mi')}),
    ...(cpus > 0 && {cpu: cpus.toString()})
  }
  return {...resources, limits: {...own, ...resources?.['limits']}}
}

/** Returns `512Mi`, or bytes if they are not a multiple. */
export const quantityText = (bytes: number, mebi: 'Mi' | 'M'): string =>
  bytes % 2 ** 20 === 0 ? `${bytes / 2 ** 20}${mebi}` : bytes.toString()

/**
 * Returns the probe for `ready`. Without `ready` there is none: a sidecar is ready only when the app accepts on its port, and a probe at
 * the pod's address would not reach an app on the loopback.
 */
function readinessProbe({settings, plan: {ready, channel, command}}: Entry, port: number): object | undefined {
  const written = settings.values.ready
  if (written === undefined || written === 'none') return undefined
  if (ready.kind === 'command')
    return {
      exec: {command: checkWithin(ready.command, command).map(escaped)},
      periodSeconds: 1,
      timeoutSeconds: COMMAND_TIMEOUT_S
    }
  if (ready.kind === 'tcp' && written.tcp !== undefined)
    return {tcpSocket: {port: innerPort(ready.port, command)}, periodSeconds: 1}
  if (ready.kind !== 'http') return undefined
  const scheme = channel.protocol === 'https' ? {scheme: 'HTTPS'} : {}
  return {httpGet: {path: ready.path, port, ...scheme}, periodSeconds: 1}
}
