import type * as Api from '../../src/model/api.generated.ts'
import {useEffect, useRef, useState} from 'preact/hooks'
import {attempt} from '../parts/strips.tsx'
import type {AskedArguments, Route} from '../../src/control/api-client.ts'
import {api, problemOf} from '../state/api.ts'
import {endAll, isPaused, listen} from '../state/run.ts'

/** The delay of a reload after an event, so that several events cause one. */
const SOON_MS = 250
/** The interval of reloads without an event: no event says that a worker has connected or left. */
const RELOAD_MS = 10_000

/** The functions that reload the answers shown on the page, since the user has changed something. */
const shown = new Set<() => void>()

/** An answer; a string says what is wrong; undefined while it is awaited. */
export type Answer<T> = T | string | undefined

/** Runs `work` at once, then every RELOAD_MS, and SOON_MS after `soon` is called; never twice at a time. */
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

/** A route without parameters in its path. */
type PlainRoute = Exclude<Route, `${string}{${string}`>

/** Returns the answer of a route; reloads it after each workflow event and every RELOAD_MS, except while the page is hidden or, unless the user has just asked for it or changed something, paused. */
export function useAnswer<R extends PlainRoute>(route: R, query: URLSearchParams): Answer<Api.Answers[R]> {
  const path = `${route}?${query}`
  const [answer, setAnswer] = useState<{readonly path: string; readonly value: Api.Answers[R] | string} | undefined>(
    undefined
  )
  useEffect(() => {
    const gone = new AbortController()
    let isAsked = true
    const load = async (): Promise<void> => {
      if (document.hidden || (isPaused.value && !isAsked)) return
      isAsked = false
      try {
        setAnswer({path, value: (await api.ask<PlainRoute>(route, {query, signal: gone.signal})) as Api.Answers[R]})
      } catch (error) {
        const {status, message} = problemOf(error)
        // without a response the last answer stays, ConnectionStrip says why, and it is asked again, also while paused
        if (status > 0) setAnswer({path, value: message})
        else isAsked = true
      }
    }
    const again = repeat(load)
    const ask = (): void => {
      isAsked = true
      again.soon()
    }
    shown.add(ask)
    const stops = (['workflow', 'following', 'reset'] as const).map(type => listen(type, again.soon))
    return endAll(
      () => gone.abort(),
      again.stop,
      () => shown.delete(ask),
      ...stops
    )
  }, [path])
  return answer?.path === path ? answer.value : undefined
}

/** Returns the last answer while the next one is awaited, so that rows keep their place. */
export function useLast<T>(answer: Answer<T>): Answer<T> {
  const last = useRef(answer)
  if (answer !== undefined) last.current = answer
  return last.current
}

/** Changes something; returns undefined if that fails, and shows why at the top of the page. */
export async function change<R extends Route>(
  route: R,
  ...asked: AskedArguments<R>
): Promise<Api.Answers[R] | undefined> {
  const answer = await attempt(async () => api.ask(route, ...asked))
  if (answer !== undefined) for (const again of shown) again()
  return answer
}
