import {useEffect, useState} from 'preact/hooks'
import {keptOr} from './api.ts'
import {opened, runId} from './run.ts'

/**
 * Calls `ask` at once, when `inputs` change, and when another run is shown or the run answers again; returns its answer, a string that says why there is none, or undefined while it is awaited.
 * The previous answer stays if the run does not answer.
 */
export function useAsked<T extends object>(
  ask: (signal: AbortSignal) => Promise<T>,
  inputs: readonly unknown[]
): T | string | undefined {
  const [found, setFound] = useState<T | string | undefined>(undefined)
  useEffect(() => {
    const gone = new AbortController()
    ask(gone.signal).then(setFound, (error: unknown) => gone.signal.aborted || setFound(keptOr(error)))
    return () => gone.abort()
  }, [runId.value, opened.value, ...inputs])
  return found
}
