import {dockerRunOf} from '../../model/docker-run.ts'
import type {Entry} from '../../files/config/service-versions.ts'

/** Variables of the template that would hide the ports of the sidecar: the injector sets them, unless a container has them already. */
export const hidesSidecar = (name: string): boolean => /^DAPR_(?:HTTP|GRPC|METRICS)_PORT$/.test(name)

/**
 * The port on which an app listens in a pod, 0 = none. An allocated port means nothing there: it is the one that the code
 * has hard-wired, which is `port` where nothing else is said, else `appPort`, else 8080.
 */
export function podPort({settings: {values}, plan: {channel, fixedPort, published}}: Entry): number {
  if (!channel.autoPort) return channel.port
  return published?.inCode || fixedPort || Math.max(0, values.appPort ?? 0) || 8080
}

/**
 * The variables of a container besides those that the injector adds: ours, then those of the template, in its order. `variables`
 * override them (`--env`).
 */
export function variablesOf(
  entry: Entry,
  port: number,
  variables: Readonly<Record<string, string>> = {}
): Readonly<Record<string, string>> {
  const {values} = entry.settings
  const inRun = (dockerRunOf(entry.plan.command)?.flags ?? []).flatMap(([flag, text]) =>
    flag === 'env' && text.includes('=') ? [[text.replace(/=[^]*/, ''), text.replace(/^[^=]*=/, '')] as const] : []
  )
  const own = Object.entries({...values.env, ...Object.fromEntries(inRun), ...variables}).filter(
    ([name]) => !hidesSidecar(name)
  )
  return {
    ...(port > 0 && {APP_PORT: port.toString()}),
    ...(entry.plan.channel.autoPort && {PORT: port.toString()}),
    ...Object.fromEntries(own)
  }
}

/** Kubernetes reads `$(NAME)` as another variable and `$$` as `$`: a value is written so that the app gets it as it is. */
export const escaped = (value: string): string => value.replaceAll(/\$(?=[$(])/g, '$$$$')

/** The variables of a container (`env`). */
export const containerVariables = (variables: Readonly<Record<string, string>>): readonly object[] =>
  Object.entries(variables).map(([name, value]) => ({name, value: escaped(value)}))
