import {statSync} from 'node:fs'
import {join} from 'node:path'
import {copiesAmong} from '../control/copies.ts'
import {runtimeFolders, usableFolder} from '../control/folder.ts'
import {livingRunsIn, type LivingRun} from '../control/living-runs.ts'
import {livingRun, readRunFile} from '../control/run-file.ts'
import {orElse} from '../model/or-else.ts'
import {PeerVariable} from '../platform/peer-variable.ts'
import type {Ends} from '../platform/proc-net.ts'
import type {OwnCopy} from '../proxy/published/published-port.ts'
import type {RunContext} from './run-context.ts'

/** Time in ms for which the list of runs is reused: a copy registers before it starts its apps. */
const LOOK_MS = 10
/** Age of the latest change in the folder of runs from which the list is final, in ms: a run's file is complete by then. */
const SETTLED_MS = 1000

/** The other copies of the template that run. Their apps may have numbers of this run in their code. */
export class NearbyCopies implements OwnCopy {
  readonly #context: Pick<RunContext, 'env' | 'plan'>
  readonly #among: (runs: readonly LivingRun[]) => readonly LivingRun[]
  readonly #apps = new PeerVariable('PILLION_RUN')
  readonly #commands = new PeerVariable('PILLION_EXEC')
  #folder = ''
  /** The folder of each copy, by the marker of its processes. */
  #homes: ReadonlyMap<string, string> = new Map()
  /** When copies are looked up again at the earliest, by `performance.now`. */
  #quietUntil = 0
  /** Time of the last change in the folder of runs when the copies were listed, in ms since 1970; 0: list them again. */
  #listedAt = 0

  /** `among` selects the runs. Omitted: the copies of the template. */
  constructor(context: Pick<RunContext, 'env' | 'plan'>, among?: (runs: readonly LivingRun[]) => readonly LivingRun[]) {
    const {file, copy = ''} = context.plan
    this.#context = context
    this.#among = among ?? (runs => copiesAmong(runs, {file, copy}))
  }

  /** As `OwnCopy`; also for processes of a command (`exec`). */
  at(ends: Ends, app: string): string {
    const home = this.homeAt(ends)
    return home !== undefined && livingRun(home)?.appIds.includes(app) === true ? join(home, 'socket') : ''
  }

  /** Returns the folder of the run whose process is at the other end of a connection, if it is one of these runs. */
  homeAt(ends: Ends): string | undefined {
    return this.#list().size === 0 ? undefined : this.#homes.get(this.#apps.of(ends) || this.#commands.of(ends))
  }

  named(host: string, app: string): string {
    for (const home of this.#list().values()) {
      const {names = {}, appIds = []} = livingRun(home) ?? {}
      if (Object.hasOwn(names, host) && appIds.includes(app)) return join(home, 'socket')
    }
    return ''
  }

  /** Returns the folder of each copy, by the marker of its processes. */
  #list(): ReadonlyMap<string, string> {
    // the folder of runs may be missing for a moment
    orElse(() => this.#look(), undefined)
    return this.#homes
  }

  /** Lists the copies again if a run has appeared or ended since. */
  #look(): void {
    const {env, plan} = this.#context
    const now = performance.now()
    if (plan.file === '' || now < this.#quietUntil) return
    this.#quietUntil = now + LOOK_MS
    this.#folder ||= usableFolder(runtimeFolders(env))
    const {mtimeMs} = statSync(this.#folder)
    if (mtimeMs === this.#listedAt) return
    this.#listedAt = Date.now() - mtimeMs > SETTLED_MS ? mtimeMs : 0
    const copies = this.#among(livingRunsIn(this.#folder))
    this.#homes = new Map(copies.map(({home}) => [readRunFile(home)?.marker ?? '', home]))
  }
}
