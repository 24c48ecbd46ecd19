import type * as Api from '../../src/model/api.generated.ts'
import {useEffect, useRef, useState} from 'preact/hooks'
import {showProblem} from '../parts/strips.tsx'
import type {AskedArguments, Route} from '../../src/control/api-client.ts'
import {api, problemOf} from '../state/api.ts'
import {isPaused, listen} from '../state/run.ts'

/** What happens within this time is one reload. */
const SOON_MS = 250
/** Workers come and go without an event of a workflow. */
const RELOAD_MS = 10_000

/** What asks the answers again that are on the page. */
const shown = new Set<() => void>()

/** A string: what is wrong; undefined: not answered yet. */
export type Answer<T> = T | string | undefined

/** Does something at once, again and again after a time, and soon after `soon`: one after the other. */
function repeat(work: () => Promise<void>): {readonly soon: () => void; readonly stop: () => void} {
  let [isOver, isWorking, isWanted] = [false, false, false]
  let timer: ReturnType<typeof setTimeout> | undefined
  const wait = (): void => {
    clearTimeout(timer)
    if (!isOver) timer = setTimeout(() => void run(), isWanted ? SOON_MS : RELOAD_MS)
  }
  const run = async (): Promise<void> => {
    ;[isWorking, isWanted] = [true, false]
    await work()
    isWorking = false
    wait()
  }
  void run()
  return {
    soon: () => {
      if (isWanted) return
      isWanted = true
      if (!isWorking) wait()
    },
    stop: () => {
      isOver = true
      clearTimeout(timer)
    }
  }
}

/** A route without names in its path. */
type PlainRoute = Exclude<Route, `${string}{${string}`>

/** The answer of a route, requested again when something happens to a workflow, while the page is visible. */
export function useAnswer<R extends PlainRoute>(route: R, query: URLSearchParams): Answer<Api.Answers[R]> {
  const path = `${route}?${query}`
  const [answer, setAnswer] = useState<{readonly path: string; readonly value: Api.Answers[R] | string} | undefined>(
    undefined
  )
  useEffect(() => {
    const gone = new AbortController()
    const load = async (): Promise<void> => {
      if (document.hidden || isPaused.value) return
      try {
        setAnswer({path, value: (await api.ask<PlainRoute>(route, {query, signal: gone.signal})) as Api.Answers[R]})
      } catch (error) {
        const {status, message} = problemOf(error)
        // without an answer what is shown stays, and the header says why
        if (status > 0) setAnswer({path, value: message})
      }
    }
    const again = repeat(load)
    shown.add(again.soon)
    const stops = (['workflow', 'following', 'reset'] as const).map(type => listen(type, again.soon))
    return () => {
      gone.abort()
      again.stop()
      shown.delete(again.soon)
      for (const stop of stops) stop()
    }
  }, [path])
  return answer?.path === path ? answer.value : undefined
}

/** What was answered last, while the next answer is on its way: rows stay in their place. */
export function useLast<T>(answer: Answer<T>): Answer<T> {
  const last = useRef(answer)
  if (answer !== undefined) last.current = answer
  return last.current
}

/** Changes something; undefined: it could not be done, and the top of the page says why. */
export async function change<R extends Route>(
  route: R,
  ...asked: AskedArguments<R>
): Promise<Api.Answers[R] | undefined> {
  try {
    const answer = await api.ask(route, ...asked)
    for (const again of shown) again()
    return answer
  } catch (error) {
    showProblem(error)
    return undefined
  }
}
