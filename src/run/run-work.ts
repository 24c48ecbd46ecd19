import type {Plan} from '../model/plan.ts'
import type {Reporter} from '../model/reporter.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import type {Workflows} from '../workflow/workflows.ts'
import type {OpenWork} from './open-work.ts'

export interface RunWorkOptions {
  readonly plan: Plan
  /** The environment that we were started in. */
  readonly shell: Readonly<Record<string, string | undefined>>
  readonly reporter: Reporter
  readonly runtimes: () => readonly AppRuntime[]
}

/** What outlives the run, opened when an app first asks for it. */
export class RunWork {
  readonly #options: RunWorkOptions
  #opening: Promise<OpenWork> | undefined

  constructor(options: RunWorkOptions) {
    this.#options = options
  }

  /** Rejects if the file cannot be opened. */
  readonly workflows = async (): Promise<Workflows> => {
    this.#opening ??= import('./open-work.ts').then(async ({OpenWork: Work}) => Work.open(this.#options))
    return (await this.#opening).workflows
  }

  /** After the sidecars. */
  async close(): Promise<void> {
    const work = await this.#opening?.catch(() => undefined)
    work?.close()
  }
}
