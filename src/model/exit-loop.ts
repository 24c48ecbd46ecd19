import {roughDuration} from './duration.ts'

/** An app that is restarted exits again and again. */
export interface ExitLoop {
  /** Number of exits in a row. */
  readonly exits: number
  /** The time from the start of the first of these processes to the end of the latest, in ms. */
  readonly overMs: number
  /** How long these processes lived, in ms. */
  readonly shortestMs: number
  readonly longestMs: number
}

/** `keeps exiting: 27 times in 10 min, each after 2 s`. */
export function loopText({exits, overMs, shortestMs, longestMs}: ExitLoop): string {
  const [shortest, longest] = [roughDuration(shortestMs), roughDuration(longestMs)]
  const isSteady = longestMs < 2 * shortestMs || longestMs < 1000
  return `keeps exiting: ${exits} times in ${roughDuration(overMs)}, ${isSteady ? `each after ${longest}` : `after ${shortest} to ${longest}`}`
}
