import type {Entry} from '../../files/config/service-versions.ts'
import type {AppPlan} from '../../model/plan.ts'
import {containerVariables, escaped, variablesOf} from './variables.ts'

/** The time that a sidecar needs to end after its app. */
const SIDECAR_GRACE_S = 5
/** On a laptop, too, a readiness command is killed after this time. */
const COMMAND_TIMEOUT_S = 5

export interface Image {
  readonly image: string
  readonly pullPolicy: AppPlan['elsewhere']['pullPolicy']
}

export interface PodOptions {
  readonly image: Image
  /** The port on which the app listens; 0 = none. */
  readonly port: number
  /** The Secret with variables below those of the template; '' = none. */
  readonly secret: string
  /** Variables that override its `env`. */
  readonly variables: Readonly<Record<string, string>>
  /** `Never` for a pod that ends. */
  readonly restart: 'Always' | 'Never'
}

/** The spec of an app's pods. Dapr's injector adds the sidecar. */
export function podSpec(
  entry: Entry,
  {image, port, secret, variables, restart}: PodOptions
): Readonly<Record<string, unknown>> {
  const {settings, plan} = entry
  const {serviceAccount, imagePullSecrets} = settings.values.kubernetes ?? {}
  const resources = resourcesOf(entry)
  const env = containerVariables(variablesOf(entry, port, variables))
  const probe = readinessProbe(entry, port)
  const container = {
    name: plan.id,
    image: image.image,
    imagePullPolicy: image.pullPolicy,
    ...(plan.tty === true && {stdin: true, tty: true}), // kubectl attach -it
    ...(port > 0 && {ports: [{containerPort: port}]}),
    ...(env.length > 0 && {env}),
    ...(secret !== '' && {envFrom: [{secretRef: {name: secret}}]}),
    ...(resources !== undefined && {resources}),
    ...(probe !== undefined && {readinessProbe: probe})
  }
  return {
    ...(serviceAccount !== undefined && {serviceAccountName: serviceAccount}),
    ...(imagePullSecrets !== undefined && {imagePullSecrets: imagePullSecrets.map(name => ({name}))}),
    ...(restart === 'Never' && {restartPolicy: restart}),
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

/** `512Mi`, or the bytes where they are no whole number of these. */
export const quantityText = (bytes: number, mebi: 'Mi' | 'M'): string =>
  bytes % 2 ** 20 === 0 ? `${bytes / 2 ** 20}${mebi}` : bytes.toString()

/**
 * The probe of what `ready` names. Without it there is none: a sidecar is ready only when the app accepts on its port, and a
 * probe of the pod's address would not reach an app that listens on the loopback.
 */
function readinessProbe({settings, plan: {ready, channel}}: Entry, port: number): object | undefined {
  const written = settings.values.ready
  if (written === undefined || written === 'none') return undefined
  if (ready.kind === 'command')
    return {exec: {command: ready.command.map(escaped)}, periodSeconds: 1, timeoutSeconds: COMMAND_TIMEOUT_S}
  if (ready.kind === 'tcp' && written.tcp !== undefined) return {tcpSocket: {port: written.tcp}, periodSeconds: 1}
  if (ready.kind !== 'http') return undefined
  const scheme = channel.protocol === 'https' ? {scheme: 'HTTPS'} : {}
  return {httpGet: {path: ready.path, port, ...scheme}, periodSeconds: 1}
}
