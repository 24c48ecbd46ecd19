import {livingRuns} from '../control/living-runs.ts'
import type {RunListing} from '../control/run-control.ts'
import {usableFolder, runtimeFolders} from '../control/folder.ts'
import type * as Api from '../model/api.generated.ts'
import {appNames, mayHaveName} from '../model/app-name.ts'
import {takenNames} from '../control/names.ts'
import {UserError} from '../model/errors.ts'
import {listen, portOf} from '../proxy/ports/bind.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'
import type {AnsweringCopy} from './answering-copy.ts'
import type {RunPublished} from './run-published.ts'
import type {RunContext} from './run-context.ts'

export interface RunShowOptions {
  readonly context: RunContext
  readonly published: RunPublished
  readonly runtimes: () => readonly AppRuntime[]
  /** The project, which all copies share; undefined: the apps have no names. */
  readonly project: () => string | undefined
  /** Answers these names besides those of the run, each with its app's id. Omitted: none. */
  readonly answer: (names?: ReadonlyMap<string, string>) => void
}

/** Time for the main copy to answer by itself again, and for the calls that it has forwarded to end, in ms. */
const BACK_MS = 1000

/** The part of a copy in `pillion show`, which lets a copy answer calls to the names and ports of the main copy, whether that runs or not. */
export class RunShow {
  /** The copy that answers calls to this run. Set in the main copy alone. */
  answering: AnsweringCopy | undefined
  readonly #options: RunShowOptions
  /** The main copy whose names and ports this run answers; its pid is 0 if it does not run. */
  #main: {readonly name: string; readonly pid: number} | undefined
  /** Ports at which apps of this copy accept the calls that the main copy forwards, by app. */
  readonly #forwardedPorts = new Map<string, number>()

  constructor(options: RunShowOptions) {
    this.#options = options
  }

  get facts(): Pick<RunListing, 'answeredBy' | 'answersFor'> {
    const main = this.#main
    const isOver =
      main !== undefined && main.pid > 0 && livingRuns(this.#options.context.env).every(({pid}) => pid !== main.pid)
    return {...(this.answering && {answeredBy: this.answering.copy}), ...(main && !isOver && {answersFor: main.name})}
  }

  /** Executes this copy's part of `show`. Rejects with a UserError. */
  async take({kind, name = '', pid = 0, ports = {}}: Api.ShowRequest): Promise<Api.Shown> {
    if (kind === 'pass') return this.#forwardTo({copy: name, pid, ports})
    if (kind === 'end') {
      // a copy that ends closes its ports next: it must have no call of this run
      if (pid > 0 && pid === this.answering?.pid) await this.#answerAgain()
      if (pid === 0) this.leave()
      return {ports: {}}
    }
    if (kind === 'take') return this.#takeMain(name)
    this.#giveBack()
    this.#main = {name, pid}
    return this.#openForwardedPorts()
  }

  /** Opens a port for each app, to which the main copy forwards its calls. */
  async #openForwardedPorts(): Promise<Api.Shown> {
    const {runtimes, published} = this.#options
    for (const {id, plan} of runtimes()) {
      if (this.#forwardedPorts.has(id) || (plan.published === undefined && !mayHaveName(plan))) continue
      const claims = await listen(0, ['127.0.0.1'])
      this.#forwardedPorts.set(id, portOf(claims))
      const port = await published.forwardedPort(id)
      port.listen(claims)
    }
    return {ports: Object.fromEntries(this.#forwardedPorts)}
  }

  /** Called when this run is about to end. Lets the main copy answer again, and the forwarded calls finish. */
  async end(): Promise<void> {
    const {pid = 0} = this.#main ?? {}
    if (pid === 0) return
    const {runOfProcess} = await import('../control/client.ts')
    try {
      const run = await runOfProcess(this.#options.context.env, pid)
      await run?.api.ask('POST /show', {body: {kind: 'end', pid: process.pid}, signal: AbortSignal.timeout(BACK_MS)})
    } catch {
      // the main copy ends, too, or notices that nothing answers
    }
  }

  /** Forwards calls to a copy from now on, until it refuses a connection. */
  async #forwardTo(answers: ConstructorParameters<typeof AnsweringCopy>[0]): Promise<Api.Shown> {
    const {AnsweringCopy: Answering} = await import('./answering-copy.ts')
    const {runtimes, context} = this.#options
    void this.#answerAgain()
    const isOwn = (app: string): boolean => runtimes().some(({id}) => id === app)
    this.answering = new Answering(answers, isOwn, () => {
      void this.#answerAgain()
      context.reporter.warn('shown-copy-ended', `${answers.copy} has ended: this run answers its names and ports again`)
    })
    return {ports: {}}
  }

  /** Answers calls itself from now on. Settles when the copy has answered its open calls. */
  async #answerAgain(): Promise<void> {
    const {answering} = this
    this.answering = undefined
    await answering?.leave()
  }

  /** Takes over the names and ports of the main copy. Rejects with a UserError if another run has one. */
  async #takeMain(name: string): Promise<Api.Shown> {
    const {context, published, project: projectOf, answer} = this.#options
    const {plan, env} = context
    this.#giveBack()
    const project = projectOf()
    const names = project === undefined ? undefined : appNames(plan, {project, copy: ''})
    const [taken] = takenNames(usableFolder(runtimeFolders(env)), Object.fromEntries(names ?? []))
    if (taken !== undefined) {
      const {name: of, app, run} = taken
      throw new UserError(`${of} is ${app} of ${run.templateFile || run.name} (pid ${run.pid})`)
    }
    const ports = await (await published.templatePorts()).take()
    if (names !== undefined) answer(names)
    this.#main = {name, pid: 0}
    return {ports}
  }

  /** Lets each copy answer its own names and ports again. */
  leave(): void {
    void this.#answerAgain()
    this.#giveBack()
  }

  /** Stops answering for the main copy. */
  #giveBack(): void {
    if (this.#main?.pid === 0) this.#options.answer()
    this.#main = undefined
  }
}
