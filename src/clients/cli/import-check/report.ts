import type {Imported} from '#import'
import {signedLine} from '../print.ts'
import {seconds} from '../ci/outcome.ts'
import type {Trial, TriedApp} from './trial.ts'

/** A line for each app, and how many became ready. */
export function trialText({apps, tookMs}: Trial): string {
  const ready = apps.filter(({isReady}) => isReady).length
  const count =
    ready === apps.length ? (ready === 1 ? 'the app' : `all ${ready} apps`) : `${ready} of ${apps.length} apps`
  return [
    ...apps.map(lineOf),
    signedLine('info', `--check: ${count} became ready within ${seconds(tookMs)}`, false)
  ].join('')
}

const lineOf = ({id, state, obstacle}: TriedApp): string =>
  obstacle === null
    ? signedLine('success', `${id}: ${state}`, false)
    : signedLine('failure', `${id}: ${obstacle.text}`, false)

/** As `-o json` prints it (`x-output` of `schema/api.yaml`). */
export const trialJson = (template: string, {apps, tookMs}: Trial): string =>
  `${JSON.stringify({template, isReady: areAllReady(apps), tookMs: Math.round(tookMs), apps})}\n`

export const areAllReady = (apps: readonly TriedApp[]): boolean => apps.every(({isReady}) => isReady)

/** The template with a note at each app that something stands in the way of. */
export const withNotes = (imported: Imported, {apps}: Trial): Imported => ({
  ...imported,
  apps: imported.apps.map(app => {
    const found = apps.find(({id}) => id === app.id)?.obstacle
    return found === undefined || found === null ? app : {...app, notes: [...app.notes, `--check: ${found.text}`]}
  })
})
