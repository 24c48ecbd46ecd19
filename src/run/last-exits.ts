import {appendFileSync, readFileSync, writeFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import type * as Api from '../model/api.generated.ts'
import {deathView} from '../observe/api/death-view.ts'
import type {Death} from '../observe/telemetry/recorder/deaths.ts'
import {Masking} from '../observe/telemetry/recorder/masking.ts'
import type {Environment} from '../model/environment.ts'
import {shortHash} from '../model/fnv1a.ts'
import {orElse} from '../model/or-else.ts'
import {makeFolder} from '../platform/make-folder.ts'
import {templateIdentity} from '../platform/paths.ts'
import {stateFolder} from '../platform/state-folder.ts'

/** The latest unexpected exits of a template's apps, and the run that has written them. */
export interface LastExits {
  readonly pid: number
  /** When the run started, in ms since 1970. */
  readonly startedAt: number
  readonly deaths: readonly Api.Death[]
}

/** Maximum number of exits in the file. The next one overwrites the file. */
const MAX_DEATHS = 100
/** A file name has up to 255 bytes. */
const MAX_NAME = 200

/** The path of a file that is kept for a template; `name`: the name of the run, if it has one. */
export function fileOfTemplate(env: Environment, kind: 'exits' | 'runs', template: string, name: string): string {
  const identity = encodeURIComponent(`${templateIdentity(template)} ${name}`.trim())
  const short = identity.length > MAX_NAME ? `${identity.slice(0, MAX_NAME)}-${shortHash(identity)}` : identity
  return join(stateFolder(env), kind, `${short}.jsonl`)
}

/** Selects the runs of a template; `name`: the name of the run, if it has one. */
export interface TemplateRuns {
  readonly env: Environment
  /** The absolute path of the template. */
  readonly template: string
  readonly name: string
}

interface TemplateRun extends TemplateRuns {
  readonly startedAt: number
}

/** Writes the exits of a run to a file that outlives it, also if the run is killed. A file of an earlier run is overwritten. */
export class ExitFile {
  readonly #run: TemplateRun
  #count = 0

  constructor(run: TemplateRun) {
    this.#run = run
  }

  /** Adds an exit. If the file cannot be written, only the run itself has it. `masked`: further names whose values are masked. */
  async add(death: Death, masked: readonly string[]): Promise<void> {
    const {env, template, name, startedAt} = this.#run
    const path = fileOfTemplate(env, 'exits', template, name)
    try {
      const masking = new Masking(masked)
      const line = `${masking.json(await deathView(death, masking))}\n`
      // another run of the template may have overwritten the file
      const {pid, startedAt: begun} = lastExits(env, template, name) ?? {}
      if (this.#count % MAX_DEATHS > 0 && pid === process.pid && begun === startedAt) appendFileSync(path, line)
      else {
        makeFolder(dirname(path), 0o700)
        writeFileSync(path, `${JSON.stringify({pid: process.pid, startedAt})}\n${line}`, {mode: 0o600})
      }
      this.#count++ // counts only exits that were written: the first one overwrites the file
    } catch {
      // the app's log is gone, or the state folder is read-only, which other parts of the run report
    }
  }
}

/** Returns the exits of the last run of a template that had any. */
export const lastExits = (env: Environment, template: string, name: string): LastExits | undefined =>
  orElse(() => {
    const [head = '', ...lines] = readFileSync(fileOfTemplate(env, 'exits', template, name), 'utf8').split('\n')
    // the last line is empty, or was being written when the run was killed
    const deaths = lines.slice(0, -1).map(line => Object.assign({version: '0.0.0'}, JSON.parse(line) as Api.Death))
    return {...(JSON.parse(head) as Omit<LastExits, 'deaths'>), deaths}
  }, undefined)
