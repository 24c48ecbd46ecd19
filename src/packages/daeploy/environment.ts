import {delimiter} from 'node:path'

/** File name of the Python hook. Python imports the module with this name at its start (docs.python.org, `site`). */
export const HOOK_FILE = 'sitecustomize.py'

/** Names of the variables that the hook reads. */
export const HOOK_PORT = 'PILLION_PORT'
export const HOOK_FIXED_PORT = 'PILLION_FIXED_PORT'
export const HOOK_DOTTED = 'PILLION_DOTTED_ENV'

export interface ServiceFacts {
  readonly name: string
  readonly version: string
  /** Bearer token of the service. */
  readonly token: string
  /** URL of the manager, without a slash at the end. */
  readonly managerUrl: string
  /** Port at which the service has to listen. */
  readonly appPort: number
  /** Port in the code of the service. */
  readonly fixedPort: number
  readonly hookFolder: string
}

type Environment = Readonly<Record<string, string>>

const LOOPBACK = ['127.0.0.1', 'localhost']

/** Returns the environment of a Daeploy service: adds the variables of Daeploy's SDK, and the path of the Python hook. */
export function serviceEnvironment(before: Environment, facts: ServiceFacts): Record<string, string> {
  const dotted = {'daeploy.name': facts.name, 'daeploy.version': facts.version, 'daeploy.auth': facts.token}
  const paths = before['PYTHONPATH'] ?? ''
  return {
    ...before,
    DAEPLOY_MANAGER_URL: facts.managerUrl,
    // has no port, since the SDK compares the value with the host name of a redirect
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
 * Returns NO_PROXY with the loopback and the manager, which the SDK's HTTP client must not call through HTTP_PROXY. Lists IPv6 addresses with and
 * without brackets, since clients differ. If only one of NO_PROXY and no_proxy is set, its value is used for both.
 */
function noProxy({NO_PROXY: upper, no_proxy: lower}: Environment, manager: string): Environment {
  const ours = [...new Set([...LOOPBACK, manager, manager.replaceAll(/[[\]]/g, '')])]
  const added = (written = ''): string => [...(written === '' ? [] : [written]), ...ours].join(',')
  return {NO_PROXY: added(upper ?? lower), no_proxy: added(lower ?? upper)}
}
