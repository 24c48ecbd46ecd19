import {UserError} from '../../../model/errors.ts'

/** Limit of one request to the API server, in s. */
const REQUEST_S = 15
/** Limit of one call of kubectl with its credential plugins, in ms. */
const TIMEOUT_MS = 60_000
/** A watch or a log ends after this time and starts again, so that no kubectl outlives a killed run for long. */
const STREAM_S = 300

/** Options of one call of kubectl. */
export interface CallOptions {
  /** Text for stdin. */
  readonly input?: string
  /** Kills kubectl. */
  readonly signal?: AbortSignal | undefined
  /** Limit of the call, in ms; 0 means none. Without it each request has a limit, too. */
  readonly limitMs?: number
  /** Exit codes that are not failures. */
  readonly accept?: readonly number[]
}

/** Calls kubectl in one context and namespace. kubectl reads the kubeconfig and has the credentials. */
export class Kubectl {
  readonly #flags: readonly string[]

  /** `context` and `namespace`: '' selects the current ones of the kubeconfig. */
  constructor({context = '', namespace = ''}: {readonly context?: string; readonly namespace?: string}) {
    this.#flags = [
      ...(context === '' ? [] : ['--context', context]),
      ...(namespace === '' ? [] : ['--namespace', namespace])
    ]
  }

  /** Returns stdout of kubectl. Rejects with a UserError that has the words of kubectl if it fails. */
  async text(args: readonly string[], options: CallOptions = {}): Promise<string> {
    const {input = '', signal, limitMs, accept = [0]} = options
    const {execa} = await import('execa')
    const all = [...this.#flags, ...(limitMs === undefined ? [`--request-timeout=${REQUEST_S}s`] : []), ...args]
    const result = await execa('kubectl', all, {
      input,
      reject: false,
      timeout: limitMs ?? TIMEOUT_MS,
      ...(signal !== undefined && {cancelSignal: signal})
    })
    if (result.exitCode !== undefined && accept.includes(result.exitCode)) return result.stdout
    throw failureOf(result, limitMs ?? TIMEOUT_MS)
  }

  /** Returns the JSON that kubectl prints. Rejects with a UserError. */
  async json<T>(args: readonly string[], options: CallOptions = {}): Promise<T> {
    return JSON.parse((await this.text([...args, '-o', 'json'], options)) || '{}') as T
  }

  /** Calls `onLine` with each line of a watch or a log, as bytes (latin1), until kubectl ends. Rejects with a UserError if kubectl fails. */
  async lines(args: readonly string[], signal: AbortSignal, onLine: (line: string) => void): Promise<void> {
    let rest = ''
    const put = (chunk: Buffer): void => {
      const lines = (rest + chunk.toString('latin1')).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) onLine(line)
    }
    await this.chunks([...args, `--request-timeout=${STREAM_S}s`], put, signal)
    if (rest !== '') onLine(rest)
  }

  /** Calls `put` with the output of kubectl until it ends. Rejects with a UserError if kubectl fails. */
  async chunks(
    args: readonly string[],
    put: (chunk: Buffer) => Promise<void> | void,
    signal?: AbortSignal
  ): Promise<void> {
    const {execa} = await import('execa')
    const child = execa('kubectl', [...this.#flags, ...args], {
      reject: false,
      buffer: {stdout: false},
      stdin: 'ignore',
      ...(signal !== undefined && {cancelSignal: signal})
    })
    for await (const chunk of child.readable({binary: true}) as AsyncIterable<Buffer>) await put(chunk)
    const result = await child
    if (result.failed && signal?.aborted !== true) throw failureOf(result, 0)
  }
}

interface Failure {
  readonly timedOut: boolean
  readonly isCanceled: boolean
  readonly exitCode?: number | undefined
  readonly signal?: string | undefined
  readonly stderr: unknown
  readonly shortMessage?: string | undefined
  readonly originalMessage?: string | undefined
}

function failureOf(result: Failure, limitMs: number): UserError {
  if (result.timedOut)
    return new UserError(`kubectl has not ended after ${limitMs / 1000} s`, {
      explanation: 'Try "kubectl get pods": a plugin for credentials may wait for you.'
    })
  if (result.isCanceled || result.signal !== undefined) return new UserError('kubectl was stopped')
  if (result.exitCode === undefined)
    return new UserError(`kubectl cannot be run: ${result.originalMessage ?? result.shortMessage}`, {
      explanation: 'Commands with --kubernetes need kubectl in your PATH: https://kubernetes.io/docs/tasks/tools/'
    })
  return new UserError(`kubectl: ${wordsIn(String(result.stderr)) || `exit code ${result.exitCode}`}`)
}

/** Returns the reason that kubectl prints, without the lines of its log (`E1129 …`). */
const wordsIn = (stderr: string): string =>
  stderr
    .split('\n')
    .filter(line => line !== '' && !/^[EIW]\d{4} /.test(line))
    .join('\n')
    .replace(/^[Ee]rror: /, '')
