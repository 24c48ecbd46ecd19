/**
 * Whether an app can be used, for banner, `ps`, `wait --for ready`, `up --run`, the page, coding agents and other runs.
 *
 * - `ready`: it accepts calls; without a port, it runs
 * - `finished`: its process has ended with 0, and is not started again by itself
 * - `asleep`: it has no process; the next call starts one
 * - `waiting`: it is expected to become `ready` or `finished` by itself
 * - `debugged`: the user runs it in a debugger, and it does not listen yet
 * - `stopped`: the user has stopped it, or did not ask for it: calls do not wait for it
 * - `never`: it has failed, and is not started again by itself
 */
export type Availability = 'ready' | 'finished' | 'asleep' | 'waiting' | 'debugged' | 'stopped' | 'never'

/** Whether an app accepts calls, at once or after waking up. */
export const takesCalls = (availability: Availability): boolean => availability === 'ready' || availability === 'asleep'

/** Whether an app accepts calls, or has finished. */
export const isUsable = (availability: Availability): boolean => takesCalls(availability) || availability === 'finished'
