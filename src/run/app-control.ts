import {reachable} from '../model/address.ts'
import type {RunContext} from './run-context.ts'
import type {RunControl, LeasedSidecar} from '../control/run-control.ts'
import {takesCalls} from '../model/availability.ts'
import {Once} from '../model/once.ts'
import {readLog, type LogQuery} from '../observe/logging/log-record.ts'
import type {ReadApp} from '../observe/logging/run-log-reader.ts'
import type {RunLog} from '../observe/logging/run-log.ts'
import type {OpenSidecar} from '../dapr/sidecar/open-sidecar.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import type {AppStarter, AppStarterOptions} from './apps/start-app.ts'

export interface AppControlParts
  extends Pick<RunContext, 'run' | 'startedAt' | 'env' | 'form'>, Omit<AppStarterOptions, 'faultNow'> {
  /** The key with which other runs identify themselves at its sidecars (`dapr/sidecar/http/identity.ts`). */
  readonly key: string
  readonly runLog: RunLog
  readonly sidecars: ReadonlyMap<AppRuntime, OpenSidecar>
}

/** Handles requests of other terminals and other runs that only read, or that concern one app. */
export function appControl(
  asked: AppControlParts
): Pick<
  RunControl,
  'restartApp' | 'startApp' | 'debugApp' | 'launch' | 'logs' | 'runLogs' | 'terminal' | 'leaseSidecar'
> {
  const {apps} = asked
  const loading = new Once<AppStarter>()
  const starter = async (): Promise<AppStarter> =>
    loading.do(async () => new (await import('./apps/start-app.ts')).AppStarter({...asked, faultNow: faultBy(asked)}))
  const meantOf = (all: readonly AppRuntime[], {id, version}: {readonly id: string; readonly version: string}) =>
    ['', '*'].includes(version) ? (asked.main(id) ?? all[0]) : all.find(({plan}) => plan.version === version)
  return {
    ...logControl(asked),
    restartApp: async id => (await starter()).restart(id),
    startApp: async id => (await starter()).start(id),
    debugApp: async id => (await starter()).debug(id),
    launch: async (id, version) => {
      const open = apps.named(id).filter(each => !each.isStopped)
      const runtime = meantOf(open, {id, version})
      return runtime && (await import('./apps/start-app.ts')).ownLaunch(runtime, asked.env)
    },
    terminal: async (name, starts, gone) => {
      const runtime = meantOf(apps.named(name.id), name)
      if (runtime?.isStopped === true) return 'it is stopped'
      return runtime && (await import('./shared-terminal.ts')).sharedTerminal(runtime, starts, gone)
    },
    leaseSidecar: id => {
      const runtime = asked.main(id)
      return runtime && lease(runtime, asked)
    }
  }
}

function logControl({apps, main, runLog, form}: AppControlParts): Pick<RunControl, 'logs' | 'runLogs'> {
  /** Returns the apps with this id and version. `version`: '' for the main version, `*` for all. */
  const versioned = (id: string, version: string): readonly AppRuntime[] => {
    const all = apps.named(id)
    const versions = new Set(all.map(({plan}) => plan.version))
    const wanted = version === '' && versions.size > 1 ? main(all[0]?.id ?? '')?.plan.version : version
    return wanted === '' || wanted === '*' ? all : all.filter(({plan}) => plan.version === wanted)
  }
  type Meant = () => readonly AppRuntime[]
  const readBy = (meant: Meant): readonly ReadApp[] =>
    meant().map(({logs: {app}}) => ({writer: app.runLog, record: app.record}))
  async function* runLogOf(meant: Meant, reading: LogQuery, hasHeads: boolean): AsyncGenerator<string> {
    const read = readBy(meant)
    const {readRunLog, withoutHeads} = await import('../observe/logging/run-log-reader.ts')
    const lines = readRunLog(runLog, read, reading, {
      isMeant: writer => readBy(meant).some(each => each.writer === writer),
      next: async () => apps.settled().then(() => readBy(meant))
    })
    yield* hasHeads ? lines : withoutHeads(lines, form.kind === 'template')
  }
  return {
    logs: (id, {tail, since, isFollowed, version}, gone) => {
      const meant = (): readonly AppRuntime[] => versioned(id, version)
      const reading = {tail, since, isFollowed, gone}
      const [only, ...others] = meant()
      if (only === undefined) return undefined
      // logs go on: an edit or a debugger opens the app again with new log files, and an edit may add instances
      return isFollowed || others.length > 0 || only.hasEarlierLogs
        ? runLogOf(meant, reading, false)
        : readLog(only.logs.app.record, reading)
    },
    runLogs: (ids, {version, ...reading}, gone) => {
      if (ids.some(id => versioned(id, version).length === 0)) return undefined
      const meant = (): readonly AppRuntime[] =>
        ids.length === 0 ? apps.all : [...new Set(ids.flatMap(id => versioned(id, version)))]
      return runLogOf(meant, {...reading, gone}, true)
    }
  }
}

/** Opens failed parts of the apps' sidecars again. Resolves with a fault that remains; '': none. */
const faultBy =
  ({sidecars}: Pick<AppControlParts, 'sidecars'>) =>
  async (runtimes: readonly AppRuntime[]): Promise<string> => {
    const opened = Promise.allSettled(runtimes.map(async runtime => sidecars.get(runtime)?.openAgain()))
    // waits only for parts with a fault; parts that are optional may open later
    if (runtimes.some(({fault}) => fault !== '')) await opened
    return runtimes.find(runtime => sidecars.has(runtime) && runtime.fault !== '')?.fault ?? ''
  }

function lease(runtime: AppRuntime, {run, startedAt, key, sidecars}: AppControlParts): LeasedSidecar | undefined {
  const sidecar = sidecars.get(runtime)
  if (sidecar === undefined) return undefined
  const {id, plan, ports} = runtime
  const instances = [...sidecars.keys()].filter(each => each.id === id && each.plan.version === plan.version)
  return {
    address: {
      run,
      startedAt,
      hosts: reachable(plan.sidecar.listenAddresses),
      port: ports.httpPort,
      grpcPort: ports.grpcPort,
      key
    },
    closing: sidecar.closing,
    ready: () => instances.filter(({availability}) => takesCalls(availability)).length,
    onChange: listener => {
      const offs = instances.map(each => each.onMove(listener))
      return () => {
        for (const off of offs) off()
      }
    }
  }
}
