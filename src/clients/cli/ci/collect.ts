import {decoded} from '../../../model/bytes.ts'
import type * as Api from '../../../model/api.generated.ts'
import type {App} from '../../../model/api.generated.ts'
import {runOfProcess, type FoundRun} from '../../../control/client.ts'
import type {RunControl, RunListing} from '../../../control/run-control.ts'
import type {Place} from '../../../model/errors.ts'
import {instanceName} from '../../../model/plan.ts'
import {stateText} from '../../../model/app-words.ts'
import {type AppOutcome, plainText} from './outcome.ts'
import {within} from '../../../platform/delay.ts'
import {isUsable} from '../../../model/availability.ts'

/** How many lines of an app's output are shown. */
const LINES = 20
const CALLS = 20
/** Limit of one request to the run, which is in this process and should answer at once. */
const TIMEOUT_MS = 10_000

export interface Collected {
  readonly apps: readonly AppOutcome[]
  readonly failedCalls: readonly Api.Call[]
}

export interface Collecting {
  readonly control: RunControl
  /** The id of the command's own sidecar. */
  readonly as: string
  readonly places: ReadonlyMap<string, Place>
}

/** Reads the state of the apps while the run still answers. Never fails; leaves out unknown facts. */
export async function collectOutcome({control, as, places}: Collecting): Promise<Collected> {
  const listing = control.list()
  const run = await ownRun()
  const failedCalls = await orNothing(async () => (await run?.api.ask('GET /calls', {query: FAILED}))?.calls)
  const listed = needed(listing).filter(({id}) => id !== as)
  const apps = await Promise.all(
    listed.map(async app => {
      const hasVersions = listed.some(({id, version}) => id === app.id && version !== app.version)
      const name = instanceName(hasVersions ? `${app.id}@${app.version}` : app.id, app.instance)
      const isReady = isFit(app)
      const own = await deathsOf(run, app)
      const isFailed = !isReady || own.length > 0
      return {
        id: app.id,
        name,
        state: stateText(app, Date.now()),
        isReady,
        isOver: app.availability === 'never',
        reason: isReady ? '' : await reasonOf(run, app),
        place: places.get(app.id),
        logFile: app.logFile,
        sidecarLogFile: app.sidecarLogFile,
        deaths: own,
        lines: isFailed ? (own.at(-1)?.lines.slice(-LINES) ?? (await lastLines(control, app))).map(plainText) : []
      }
    })
  )
  return {apps, failedCalls: failedCalls ?? []}
}

/** Returns the run as other terminals find it. Undefined if it has ended. */
export const ownRun = async (): Promise<FoundRun | undefined> => runOfProcess(process.env, process.pid)

const FAILED = {q: 'is:failed', limit: CALLS}

/** Returns the name of one instance of one version for the API. */
const atOf = ({id, instance, version}: Api.App): {readonly id: string} => ({id: `${id}.${instance}@${version}`})

/** Returns the latest exits of an app that the run keeps, the oldest first. */
async function deathsOf(run: FoundRun | undefined, app: Api.App): Promise<readonly Api.Death[]> {
  const kept = await orNothing(async () => run?.api.ask('GET /apps/{id}/deaths', {at: atOf(app)}))
  const deaths = await Promise.all(
    (kept?.deaths ?? []).map(async ({number}) =>
      orNothing(async () => run?.api.ask('GET /deaths/{number}', {at: {number}}))
    )
  )
  return deaths.filter(death => death !== undefined)
}

async function reasonOf(run: FoundRun | undefined, app: Api.App): Promise<string> {
  const why = await orNothing(async () => run?.api.ask('GET /apps/{id}/why', {at: atOf(app)}))
  return why?.instances[0]?.reason ?? ''
}

async function lastLines(control: RunControl, {id, instance, version}: Api.App): Promise<readonly string[]> {
  const query = {tail: LINES, since: 0, isFollowed: false, version}
  const pieces = control.logs(`${id}.${instance}`, query, new AbortController().signal)
  let text = ''
  for await (const piece of pieces ?? []) text += piece
  const lines = decoded(text).split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines.map(line => line.replace(/^== APP - [^=]* == /, ''))
}

/** Returns undefined for an error: the run may end at any time, and the exit code matters more. */
async function orNothing<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await within(TIMEOUT_MS, read())
  } catch {
    return undefined
  }
}

interface RunReadiness {
  readonly isReady: boolean
  /** Whether an app will not become ready by itself. */
  readonly isOver: boolean
}

/** Returns the apps that a command needs: all but those that were left out or stopped. */
export const needed = ({apps}: RunListing): readonly App[] =>
  apps.filter(({availability}) => availability !== 'stopped')

/** Whether a command can use an app. An app in a debugger counts as usable: the user starts it. */
export const isFit = ({availability}: App): boolean => isUsable(availability) || availability === 'debugged'

/** Whether all apps that a command needs can be used. */
export function readinessOf(listing: RunListing): RunReadiness {
  const all = needed(listing)
  return {isReady: all.every(isFit), isOver: all.some(({availability}) => availability === 'never')}
}
