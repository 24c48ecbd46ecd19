import type {Socket} from 'node:net'
import {join} from 'node:path'
import {ownerOfName} from '../control/names.ts'
import {livingRuns} from '../control/living-runs.ts'
import {DASHBOARD} from '../model/app-name.ts'
import type {Environment} from '../model/environment.ts'
import {Once} from '../model/once.ts'
import type {Reporter} from '../model/reporter.ts'
import {Entrance} from '../proxy/published/entrance.ts'
import type {NameCertificates} from './name-certificates.ts'
import {publishedApps, type RunPublishedOptions} from './open-published.ts'

export interface EntranceParts extends RunPublishedOptions {
  readonly env: Environment
  readonly reporter: Reporter
  /** The id of the app of this run that has a host name, or `DASHBOARD`. */
  readonly appAtName: (name: string) => string | undefined
  readonly serveDashboard: (socket: Socket, early: Buffer) => void
}

/** Opens the entrance of a machine: it serves the apps of this run, and passes on connections to other runs. */
export function openEntrance(parts: EntranceParts): Entrance {
  const {env, reporter, appAtName, serveDashboard} = parts
  const {contextOf, appAt} = publishedApps(parts)
  const warn = (text: string): void => reporter.warn('background-task-failed', text)
  const socketOf = (name: string): string => {
    const owner = ownerOfName(env, name)
    return owner === undefined || owner.run.pid === process.pid ? '' : join(owner.run.home, 'socket')
  }
  const certificates = new Once<NameCertificates>()
  return new Entrance({
    appNamed: name => {
      const id = appAtName(name)
      return id === undefined || id === DASHBOARD ? undefined : contextOf(id)
    },
    dashboardNamed: name => (appAtName(name) === DASHBOARD ? serveDashboard : undefined),
    socketOf,
    contextOf: async name => {
      if (appAtName(name) === undefined && socketOf(name) === '') return undefined
      const {NameCertificates: Certificates} = await import('./name-certificates.ts')
      return (await certificates.do(async () => Promise.resolve(new Certificates(env, warn)))).of(name)
    },
    names: () =>
      livingRuns(env).flatMap(({names = {}, project = ''}) => Object.keys(names).map(name => ({name, project}))),
    appAt,
    warn,
    hostRefused: text => reporter.warn('host-refused', text)
  })
}
