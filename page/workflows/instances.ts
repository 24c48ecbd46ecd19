import type * as Api from '../../src/model/api.generated.ts'
import {useEffect, useState} from 'preact/hooks'
import {failure} from '../parts/strips.tsx'
import {ask, problemOf} from '../state/api.ts'
import {isPaused} from '../state/run.ts'

const RELOAD_MS = 1000

/** A string: what is wrong; undefined: not answered yet. */
export type Answer<T> = T | string | undefined

/** The JSON of the API that `read` takes from a path, asked again each second while somebody looks. */
export function useAnswer<T extends object>(
  path: string,
  read: (path: string, signal: AbortSignal) => Promise<T>
): Answer<T> {
  const [answer, setAnswer] = useState<{readonly path: string; readonly value: T | string} | undefined>(undefined)
  useEffect(() => {
    const gone = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const load = async (): Promise<void> => {
      if (!document.hidden && !isPaused.value)
        try {
          setAnswer({path, value: await read(path, gone.signal)})
        } catch (error) {
          const {status, message} = problemOf(error)
          // without an answer what is shown stays, and the header says why
          if (status > 0) setAnswer({path, value: message})
        }
      if (!gone.signal.aborted) timer = setTimeout(() => void load(), RELOAD_MS)
    }
    if (path !== '') void load()
    return () => {
      gone.abort()
      clearTimeout(timer)
    }
  }, [path])
  return answer?.path === path ? answer.value : undefined
}

export const readInstances = async (path: string, signal: AbortSignal) => ask<Api.Workflows>(path, {signal})
export const readInstance = async (path: string, signal: AbortSignal) => ask<Api.WorkflowDetail>(path, {signal})
export const readTimeline = async (path: string, signal: AbortSignal) => ask<Api.WorkflowTimeline>(path, {signal})

/** Changes something; what is wrong is told at the top of the page. */
export async function change(path: string, body: object): Promise<boolean> {
  try {
    await ask<Api.Workflow>(path, {method: 'POST', body})
    return true
  } catch (error) {
    const {message, hint} = problemOf(error)
    failure.value = `${message}${hint === '' ? '' : `. ${hint}`}`
    return false
  }
}
