import type {Options} from 'execa'
import {decoded} from '../../../model/bytes.ts'
import {UserError} from '../../../model/errors.ts'
import {lineBatches} from '../../../model/text-lines.ts'

/** Limit of a short call with its credential plugins, in ms. */
const TIMEOUT_MS = 60_000
/** Limit of a watch or a log, which then starts again: so no kubectl outlives a killed run for long. */
export const STREAM_LIMIT = '--request-timeout=300s'

/** Shows a line of Pillion or of kubectl. */
export type Say = (sign: 'info' | 'success' | 'warning' | 'failure', text: string) => void

type CallOptions = Pick<Options, 'cancelSignal' | 'input' | 'timeout'>

/** Calls kubectl in one context and namespace. kubectl reads the kubeconfig and has the credentials. */
export class Kubectl {
  readonly context: string
  readonly namespace: string

  /** `context` '': the current one of the kubeconfig. `namespace` '': that of the context. */
  constructor(context: string, namespace: string) {
    this.context = context
    this.namespace = namespace
  }

  /** Returns stdout of a short call. Rejects with a UserError. */
  async text(args: readonly string[], options: CallOptions = {}): Promise<string> {
    const lines: string[] = []
    const limits = {timeout: TIMEOUT_MS, ...options}
    await this.lines(['--request-timeout=15s', ...args], line => void lines.push(line), limits)
    return decoded(lines.join('\n'))
  }

  /** Calls `onLine` with each line, as bytes (latin1), until kubectl ends, and returns stderr. Rejects with a UserError that has kubectl's words. */
  async lines(
    args: readonly string[],
    onLine: (line: string) => Promise<void> | void,
    options: CallOptions = {}
  ): Promise<string> {
    const {execa} = await import('execa')
    const place = [`--context=${this.context}`, `--namespace=${this.namespace}`]
    const ours = {reject: false, buffer: {stdout: false}, input: ''} as const
    const child = execa('kubectl', [...place, ...args], {...ours, ...options})
    for await (const lines of lineBatches(child.stdout.setEncoding('latin1')))
      for (const line of lines) await onLine(line)
    const result = await child
    if (result.failed) throw failureOf(result)
    return result.stderr
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
  const words = String(stderr).replaceAll(/^(?:[EIW]\d{4} .*|)\n/gm, '')
  return new UserError(`kubectl: ${words.replace(/^[Ee]rror: /, '') || `ended with ${String(exitCode ?? signal)}`}`)
}
