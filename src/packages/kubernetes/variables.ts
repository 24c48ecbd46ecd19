import {dockerRunOf} from '../../model/docker-run.ts'
import type {Entry} from '../../files/config/service-versions.ts'

/** Whether a variable of the template would hide a port of the sidecar: Dapr's injector sets these, unless the container has them already. */
export const hidesSidecar = (name: string): boolean => /^DAPR_(?:HTTP|GRPC|METRICS)_PORT$/.test(name)

/**
 * Returns the port of an app in a pod; 0: none. A port that Pillion allocates has no meaning there: in its place counts the port in the
 * code of the program, if it is known, else `appPort`, else 8080.
 */
export function podPort({settings: {values}, plan: {channel, fixedPort, published}}: Entry): number {
  if (!channel.autoPort) return channel.port
  return published?.inCode || fixedPort || Math.max(0, values.appPort ?? 0) || 8080
}

/** Returns the variables of a container besides the injector's: ours, then the template's in order. `variables` override them (`--env`). */
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

/** Escapes a value: Kubernetes reads `$(NAME)` as a variable and `$$` as `$`. */
export const escaped = (value: string): string => value.replaceAll(/\$(?=[$(])/g, '$$$$')

/** Returns the variables of a container (`env`). */
export const containerVariables = (variables: Readonly<Record<string, string>>): readonly object[] =>
  Object.entries(variables).map(([name, value]) => ({name, value: escaped(value)}))
