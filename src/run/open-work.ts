import {createHash} from 'node:crypto'
import {homedir} from 'node:os'
import {join} from 'node:path'
import {systemClock} from '../platform/clock.ts'
import {UserError} from '../model/errors.ts'
import type {Plan} from '../model/plan.ts'
import {WakeUps} from '../work/wake-ups.ts'
import {WorkFile} from '../work/work-file.ts'
import {Workflows} from '../workflow/workflows.ts'
import type {RunWorkOptions} from './run-work.ts'

/** The open file of what outlives a run, and those who work with it. */
export class OpenWork {
  readonly workflows: Workflows
  readonly #file: WorkFile
  readonly #wakeUps: WakeUps

  /** Throws a UserError if `PILLION_WORK` is misspelt, else errors of the file system and of SQLite. */
  static async open({plan, shell, reporter, runtimes}: RunWorkOptions): Promise<OpenWork> {
    const path = isKept(shell) ? workFile(shell, plan) : undefined
    const file = await WorkFile.open({path, warn: text => reporter.warn('work-file', text)})
    return new OpenWork(file, (app, message) => {
      const runtime = runtimes().find(({id}) => id === app)
      runtime?.logs.sidecar.log({level: 'warn', message, scope: 'dapr.wfengine'})
    })
  }

  constructor(file: WorkFile, warn: (app: string, text: string) => void) {
    this.#file = file
    this.#wakeUps = new WakeUps(file, systemClock)
    this.workflows = new Workflows({file, wakeUps: this.#wakeUps, clock: systemClock, warn})
  }

  close(): void {
    this.#wakeUps.close()
    this.#file.close()
  }
}

type Environment = RunWorkOptions['shell']

/** `PILLION_WORK`: whether it is kept in a file. */
function isKept({PILLION_WORK: mode = ''}: Environment): boolean {
  if (mode === '' || mode === 'file') return true
  if (mode === 'memory') return false
  throw new UserError(`PILLION_WORK is "${mode}": it can be "memory" (keep nothing) or "file"`)
}

/** The file of a template, by its path and name; a single app's by its folder and id (XDG Base Directory Specification: state). */
function workFile({XDG_STATE_HOME: state = ''}: Environment, {file, name, apps}: Plan): string {
  const folder = state.startsWith('/') ? state : join(homedir(), '.local/state')
  const [first] = apps
  const identity = file === '' ? [first?.folder, first?.id] : [file, name]
  const hash = createHash('sha256').update(identity.join('\0')).digest('hex').slice(0, 12)
  const shown = (name || (first?.id ?? '')).replaceAll(/[^\w.-]/g, '_').slice(0, 40)
  return join(folder, 'pillion', `work-${shown}-${hash}.db`)
}
