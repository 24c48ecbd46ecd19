import type {RunListing} from '../../../control/run-control.ts'
import type {App} from '../../../model/api.generated.ts'
import {isUsable} from '../../../model/availability.ts'

export interface RunReadiness {
  readonly isReady: boolean
  /** An app will not become ready by itself. */
  readonly isOver: boolean
}

/** The apps that a command needs: not those that were left out, or stopped. */
export const needed = ({apps}: RunListing): readonly App[] =>
  apps.filter(({availability}) => availability !== 'stopped')

/** Whether a command can use an app, as far as it is ours: one in a debugger the user has left out. */
export const isFit = ({availability}: App): boolean => isUsable(availability) || availability === 'debugged'

/** Whether all apps that a command needs can be used. */
export function readinessOf(listing: RunListing): RunReadiness {
  const all = needed(listing)
  return {isReady: all.every(isFit), isOver: all.some(({availability}) => availability === 'never')}
}
