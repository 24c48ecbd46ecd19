import {runCommand, type CommandOptions} from '../../platform/run-command.ts'
import type {AppPlan} from '../../model/plan.ts'
import type {Note} from './supervised.ts'

export interface ReadyCommandOptions {
  readonly plan: AppPlan
  /** Port at which the app listens; 0: none. */
  readonly appPort: number
  readonly noted: (note: Note) => void
  /** Returns the words of a command with addresses in place of references to apps. Omitted: the template has no references. */
  readonly wordsOf?: ((words: readonly string[]) => readonly string[]) | undefined
  /** Explains why the command must not use the server at one of these ports, which belongs to another run; '': it may. */
  readonly serverRefusal?: ((ports: Iterable<number>) => Promise<string>) | undefined
}

/** Time after which the command is killed, in ms. */
const TIMEOUT_MS = 5000

/** The command of `ready`, whose success makes an app ready. */
export class ReadyCommand {
  readonly #options: ReadyCommandOptions
  /** Latest reported reason why the command was not run; '': none. */
  #refusal = ''

  constructor(options: ReadyCommandOptions) {
    this.#options = options
  }

  /** Runs the command. Resolves with the failure; '': it has succeeded. */
  async run(where: Pick<CommandOptions, 'folder' | 'env' | 'signal'>): Promise<string> {
    const {plan, appPort, noted, serverRefusal, wordsOf = words => words} = this.#options
    if (plan.ready.kind !== 'command') return ''
    const {portsAsked, readyCommand} = await import('../../proxy/ports/isolated-plan.ts')
    const command = wordsOf(readyCommand(plan, appPort))
    const refusal = (await serverRefusal?.(portsAsked(command, plan.env))) ?? ''
    if (refusal === '') return runCommand({...where, command, timeoutMs: TIMEOUT_MS})
    if (refusal !== this.#refusal) noted({type: 'refused', command: command.join(' '), why: refusal})
    this.#refusal = refusal
    return `is not run: ${refusal}`
  }
}
