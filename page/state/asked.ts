import {useEffect, useState} from 'preact/hooks'
import {keptOr} from './api.ts'

/** What `ask` answers, asked again with each other input; a string: why there is no answer. If the run does not answer, what is shown stays. */
export function useAsked<T extends object>(
  ask: (signal: AbortSignal) => Promise<T>,
  inputs: readonly unknown[]
): T | string | undefined {
  const [found, setFound] = useState<T | string | undefined>(undefined)
  useEffect(() => {
    const gone = new AbortController()
    ask(gone.signal).then(setFound, (error: unknown) => gone.signal.aborted || setFound(keptOr(error)))
    return () => gone.abort()
  }, inputs)
  return found
}
