import {UserError} from '../../../model/errors.ts'

/** Limit of a short call with its credential plugins, in ms. */
const TIMEOUT_MS = 60_000
/** Ends a watch or a log, which then starts again: no kubectl outlives a killed run for long. */
export const STREAM_LIMIT = '--request-timeout=300s'

/** Shows a line of Pillion or of kubectl. */
export type Say = (sign: 'info' | 'success' | 'warning' | 'failure', text: string) => void

/** Calls kubectl in one context and namespace. kubectl reads the kubeconfig and has the credentials. */
export class Kubectl {
  readonly #flags: readonly string[]

  /** `context` and `namespace`: '' selects the current ones of the kubeconfig. */
  constructor({context = '', namespace = ''}: {readonly context?: string; readonly namespace?: string}) {
    const flags = context === '' ? [] : ['--context', context]
    this.#flags = namespace === '' ? flags : [...flags, '--namespace', namespace]
  }

  /** Returns stdout of a short call. Rejects with a UserError that has the words of kubectl, for an exit code above `maxCode`. */
  async text(args: readonly string[], {input = '', maxCode = 0} = {}): Promise<string> {
    const {execa} = await import('execa')
    const all = [...this.#flags, '--request-timeout=15s', ...args]
    const result = await execa('kubectl', all, {input, reject: false, timeout: TIMEOUT_MS})
    if ((result.exitCode ?? Infinity) <= maxCode) return result.stdout
    throw failureOf(result)
  }

  /** Returns the JSON that kubectl prints. Rejects with a UserError. */
  async json<T>(args: readonly string[], options: {readonly input?: string} = {}): Promise<T> {
    return JSON.parse((await this.text([...args, '-o', 'json'], options)) || '{}') as T
  }

  /** Calls `onLine` with each line, as bytes (latin1), until kubectl ends. Rejects with a UserError if kubectl fails. */
  async lines(
    args: readonly string[],
    onLine: (line: string) => Promise<void> | void,
    signal?: AbortSignal
  ): Promise<void> {
    const {execa} = await import('execa')
    const child = execa('kubectl', [...this.#flags, ...args], {
      reject: false,
      buffer: {stdout: false},
      stdin: 'ignore',
      ...(signal !== undefined && {cancelSignal: signal})
    })
    let rest = ''
    for await (const chunk of child.readable({binary: true}) as AsyncIterable<Buffer>) {
      const lines = (rest + chunk.toString('latin1')).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) await onLine(line)
    }
    if (rest !== '') await onLine(rest)
    const result = await child
    if (result.failed) throw failureOf(result)
  }
}

type Failure = Partial<Readonly<Record<'timedOut' | 'exitCode' | 'signal' | 'stderr' | 'originalMessage', unknown>>>

function failureOf({timedOut, exitCode, signal, stderr, originalMessage}: Failure): UserError {
  if (timedOut === true)
    return new UserError(`kubectl has not ended after ${TIMEOUT_MS / 1000} s`, {
      explanation: 'Try "kubectl get pods": a plugin for credentials may wait for you.'
    })
  if (exitCode === undefined && signal === undefined)
    return new UserError(`kubectl cannot be run: ${String(originalMessage)}`, {
      explanation: 'Commands with --kubernetes need kubectl in your PATH: https://kubernetes.io/docs/tasks/tools/'
    })
  // without the lines of its log (`E1129 …`)
  const lines = String(stderr)
    .split('\n')
    .filter(line => line !== '' && !/^[EIW]\d{4} /.test(line))
  return new UserError(
    `kubectl: ${lines.join('\n').replace(/^[Ee]rror: /, '') || `ended with ${String(exitCode ?? signal)}`}`
  )
}
