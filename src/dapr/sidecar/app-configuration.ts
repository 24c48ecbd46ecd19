import type {CallContext} from '../../proxy/gateway/call-context.ts'
import type {AppRuntime} from '../../supervisor/app-runtime.ts'
import {askApp, takesQuestions} from './ask-app.ts'

export interface AppConfigurationOptions {
  readonly runtime: AppRuntime
  readonly context: Pick<CallContext, 'heldBodies'>
  /** Writes to the log of the sidecar. */
  readonly log: (level: 'info' | 'warn', message: string) => void
  /** It names types of actors that it hosts. */
  readonly hosts: (types: readonly string[]) => void
}

/**
 * Asks each process of an app over HTTP for its configuration, once it accepts calls (Dapr: pkg/runtime, loadAppConfiguration).
 * It tells which actors the app hosts; of those that are none an answer has no effect. Gives what ends that.
 */
export function followConfiguration({runtime, context, log, hosts}: AppConfigurationOptions): () => void {
  const over = new AbortController()
  /** The process that was asked; 0: one that is not ours; -1: none. */
  let asked = -1
  const look = (): void => {
    const isAsked = runtime.isListening && runtime.appPort > 0 && takesQuestions(runtime)
    const before = asked
    asked = isAsked ? runtime.pid : -1
    if (isAsked && asked !== before) void ask(asked)
  }
  const ask = async (pid: number): Promise<void> => {
    const response = await askApp({
      runtime,
      context,
      path: '/dapr/config',
      signal: over.signal,
      isObsolete: () => asked !== pid,
      warn: text => log('warn', text)
    })
    // an app need not have a configuration
    if (response?.kind !== 'response' || response.status !== 200) return
    const entities = entitiesIn(response.body.toString())
    if (entities === undefined) return log('warn', 'the application configuration of GET /dapr/config is not JSON')
    log('info', 'Application configuration loaded')
    if (entities.length > 0) hosts(entities)
  }
  const stop = runtime.onMove(look)
  look()
  return () => {
    stop()
    over.abort()
  }
}

/** The types of actors that a configuration names; undefined: it cannot be read. */
function entitiesIn(text: string): readonly string[] | undefined {
  try {
    const {entities} = JSON.parse(text) as {readonly entities?: unknown}
    return Array.isArray(entities) ? entities.map(String) : []
  } catch {
    return undefined
  }
}
