import {setTimeout as pause} from 'node:timers/promises'
import type {FoundRun} from '../control/client.ts'
import {isCalled} from '../control/listing.ts'
import type {ListedApp, RunListing} from '../control/messages.ts'
import {UserError} from '../model/errors.ts'
import {nearMiss} from '../model/near-miss.ts'
import {usageOf} from '../platform/usage.ts'
import {appTable, stateText, withUsage, type Look} from './app-table.ts'
import type {CommandHandler} from './command-handler.ts'
import {nameOf, pickRun, runsHere, templateHere} from './pick-run.ts'
import {print} from './print.ts'
import {cut} from './table.ts'

const EVERY_MS = 1000
const NOTHING = 'No Dapr instances found.\n'

/** `ps [ID …] [-w]`: the apps of this folder's template, or of all runs, and how each of them does. */
export const ps: CommandHandler = async ({flags, words, asJson}) => {
  const ids = [...new Set(words)]
  const look = async (): Promise<readonly RunListing[]> => listingsOf(await runsHere(asJson), ids)
  if (flags.isSet('watch')) return watch(look)
  print(process.stdout, await psText(await look()))
  return 0
}

/** The runs that are meant, each with the apps that are meant. Throws a UserError where an id is nowhere, or in several runs. */
function listingsOf(runs: readonly FoundRun[], ids: readonly string[]): readonly RunListing[] {
  const listings = runs.map(({listing}) => listing)
  if (ids.length === 0) {
    const own = listings.filter(({templateFile}) => templateFile === templateHere())
    return own.length > 0 ? own : listings
  }
  const unknown = ids.find(id => !listings.some(({apps}) => apps.some(app => isCalled(app, id))))
  if (unknown !== undefined) refuse(unknown, listings)
  const meant = new Set(ids.map(id => pickRun(id, runs, templateHere())?.listing))
  return listings
    .filter(listing => meant.has(listing))
    .map(listing => ({...listing, apps: listing.apps.filter(app => ids.some(id => isCalled(app, id)))}))
}

function refuse(id: string, listings: readonly RunListing[]): never {
  const known = listings.flatMap(({apps}) => apps.map(({appId}) => appId))
  const near = nearMiss(id, known)
  throw new UserError(`couldn't find app id ${id}${near === '' ? '' : `: did you mean ${near}?`}`, {
    explanation: known.length === 0 ? 'Nothing runs.' : `What runs: ${known.join(', ')}`
  })
}

export interface PsOptions {
  /** Columns; default: those of the terminal behind stdout. */
  readonly width?: number
  /** Processor time is told since this look, else since the start of each process. */
  readonly before?: Look | undefined
}

/** The table of some runs: one for each, with its name where there are several. */
export async function psText(listings: readonly RunListing[], options: PsOptions = {}): Promise<string> {
  const now = Date.now()
  return (await psLook(listings, {...options, now})).text
}

async function psLook(
  listings: readonly RunListing[],
  {width = columns(), before, now}: PsOptions & {now: number}
): Promise<{text: string; look: Look}> {
  const shown = listings.filter(({apps}) => apps.length > 0)
  const usage = await usageOf(new Set(shown.flatMap(({apps}) => apps.map(({appPid}) => appPid)).filter(pid => pid > 0)))
  const tables = shown.map(listing => {
    const table = appTable(withUsage(listing.apps, {usage, now, before}), {width, now})
    return shown.length === 1 ? table : `${cut(nameOf(listing), width)}\n${table}`
  })
  return {text: tables.length === 0 ? NOTHING : tables.join('\n'), look: {at: now, usage}}
}

const columns = (): number => (process.stdout.isTTY ? Math.max(1, process.stdout.columns) : Infinity)

/** Shows the table anew each second on a terminal, elsewhere whenever the state of an app has changed; until nothing runs. */
async function watch(look: () => Promise<readonly RunListing[]>): Promise<number> {
  process.stdout.on('error', () => process.exit()) // `ps -w | head`: whoever reads has enough
  let before: Look | undefined
  let told = ''
  for (;;) {
    const listings = await look()
    const now = Date.now()
    const states = JSON.stringify(listings.flatMap(({apps}) => apps.map(app => keyOf(app))))
    const shown = await psLook(listings, {before, now})
    if (process.stdout.isTTY) redraw(shown.text)
    else if (states !== told) print(process.stdout, told === '' ? shown.text : `\n${shown.text}`)
    if (listings.length === 0) return 0
    told = states
    before = shown.look
    await pause(EVERY_MS)
  }
}

/** What a table into a pipe is told anew for. */
const keyOf = (app: ListedApp): readonly unknown[] => [
  app.appId,
  app.instance,
  stateText(app, 0),
  app.appPid,
  app.restarts
]

/** From the first line of the terminal on; as many lines as it has. */
function redraw(text: string): void {
  const lines = text.trimEnd().split('\n')
  const room = Math.max(1, process.stdout.rows - 1)
  const more = lines.length - room
  const shown =
    more <= 0 ? lines : [...lines.slice(0, room - 1), cut(`… ${(more + 1).toString()} more lines`, columns())]
  process.stdout.write('\x1b[H')
  for (const line of shown) {
    print(process.stdout, line)
    process.stdout.write('\x1b[K\r\n')
  }
  process.stdout.write('\x1b[J')
}
