import {delimiter} from 'node:path'

/** The name of the file of the hook: Python imports a module with this name when it starts (docs.python.org, `site`). */
export const HOOK_FILE = 'sitecustomize.py'

/** Names of the variables that the hook reads. */
export const HOOK_PORT = 'PILLION_PORT'
export const HOOK_FIXED_PORT = 'PILLION_FIXED_PORT'
export const HOOK_DOTTED = 'PILLION_DOTTED_ENV'

export interface ServiceFacts {
  readonly name: string
  readonly version: string
  /** The bearer token of the service. */
  readonly token: string
  /** URL of the manager, without a slash at the end. */
  readonly managerUrl: string
  /** The port where it has to listen, and the port in its code. */
  readonly appPort: number
  readonly fixedPort: number
  readonly hookFolder: string
}

type Environment = Readonly<Record<string, string>>

const LOOPBACK = ['127.0.0.1', 'localhost']

/** Returns the environment of a Daeploy service: the SDK's variables on top of all others, and the path of our hook. */
export function serviceEnvironment(before: Environment, facts: ServiceFacts): Record<string, string> {
  const dotted = {'daeploy.name': facts.name, 'daeploy.version': facts.version, 'daeploy.auth': facts.token}
  const paths = before['PYTHONPATH'] ?? ''
  return {
    ...before,
    DAEPLOY_MANAGER_URL: facts.managerUrl,
    // without a port: the SDK compares it with the host name of a redirect
    DAEPLOY_MANAGER_HOSTNAME: 'localhost',
    ...dotted,
    ...noProxy(before, new URL(facts.managerUrl).hostname),
    PYTHONPATH: paths === '' ? facts.hookFolder : `${facts.hookFolder}${delimiter}${paths}`,
    [HOOK_PORT]: facts.appPort.toString(),
    [HOOK_FIXED_PORT]: facts.fixedPort.toString(),
    [HOOK_DOTTED]: JSON.stringify(dotted)
  }
}

/**
 * Returns NO_PROXY with the loopback and the manager, which the SDK's HTTP client must not call through HTTP_PROXY. IPv6 addresses are
 * listed with brackets and without, since clients differ. A missing spelling of the name gets the other one's value.
 */
function noProxy({NO_PROXY: upper, no_proxy: lower}: Environment, manager: string): Environment {
  const ours = [...new Set([...LOOPBACK, manager, manager.replaceAll(/[[\]]/g, '')])]
  const added = (written = ''): string => [...(written === '' ? [] : [written]), ...ours].join(',')
  return {NO_PROXY: added(upper ?? lower), no_proxy: added(lower ?? upper)}
}
