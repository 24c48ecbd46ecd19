import {setTimeout as pause} from 'node:timers/promises'
import type {App, PsRow} from '../../../model/api.generated.ts'
import {type FoundRun, isCalled} from '../../../control/client.ts'
import {stateText} from '../../../model/app-words.ts'
import {UserError} from '../../../model/errors.ts'
import {usageOf} from '../../../platform/usage.ts'
import {appTable, backlogLines, breakersNotClosed, withUsage, type UsageSample} from '../app-table.ts'
import type {CommandHandler} from '../command-handler.ts'
import {wantsColours} from '../paint.ts'
import {commandPlace, runName, runsAt, runsMeant} from '../pick-run.ts'
import {addedText, faultsOn} from '../fault-text.ts'
import {endWithStdout, print, type Sign} from '../print.ts'
import {RunFinder, runsHere} from '../run-here.ts'
import {folded, say} from '../say.ts'
import type {FullScreen} from '../ui/full-screen.ts'
import {cut, outputColumns} from '../width.ts'

type Listing = FoundRun['listing']

const EVERY_MS = 1000
const NOTHING = 'Nothing is running.\n'

/** `ps [ID …] [-w] [--wide] [-o json]`: shows the state of the apps of the run that the command is for (`runsMeant`). */
export const ps: CommandHandler = async ({flags, words, asJson}) => {
  const ids = [...new Set(words)]
  const place = commandPlace(flags)
  let hasLooked = false
  let nothing = NOTHING
  const said = new Set<string>()
  const tellOnce = (sign: Sign, text: string): void => {
    if (!said.has(text)) say(process.stderr, sign, text, asJson)
    said.add(text)
  }
  const look = async (): Promise<readonly Listing[]> => {
    const runs = await runsHere(asJson, undefined, text => tellOnce('warning', text))
    const isOver = hasLooked && runsMeant(runs, place).length === 0
    hasLooked = true
    nothing = runs.length === 0 ? NOTHING : 'Nothing is running here.\n'
    return isOver ? [] : listingsOf(new RunFinder(runs, place, text => tellOnce('info', text)), ids)
  }
  if (flags.text('output') === 'json') {
    if (flags.isSet('watch'))
      throw new UserError('-w does not go with -o json', {
        explanation: 'pillion events -f -o ndjson reports what changes.'
      })
    print(process.stdout, `${JSON.stringify(await psJson(await look()))}\n`)
    return 0
  }
  const isWide = flags.isSet('wide')
  if (flags.isSet('watch')) return watch(look, isWide)
  print(process.stdout, await psText(await look(), {isWide, nothing}))
  return 0
}

/** Returns the runs of the folder; with ids only these apps. Throws a UserError if an id is unknown, or in several runs. */
function listingsOf(finder: RunFinder, ids: readonly string[]): readonly Listing[] {
  if (ids.length === 0) {
    const own = runsAt(finder.runs, finder.place).flat()
    return (own.length > 0 ? own : [finder.lookAloud()]).flatMap(run => run?.listing ?? [])
  }
  const meant = new Set(ids.map(id => finder.find(id)))
  return [...meant].map(({listing}) => ({
    ...listing,
    apps: listing.apps.filter(app => ids.some(id => isCalled(app, id)))
  }))
}

/** Returns apps as `ps -o json` prints them (`x-output.ps` of `schema/api.yaml`). */
export async function psJson(listings: readonly Listing[]): Promise<readonly PsRow[]> {
  const usage = await usageOf(pidsOf(listings))
  const now = Date.now()
  return listings.flatMap(run =>
    withUsage(run.apps, {usage, now}).map(({app, memoryBytes = null, cpu}) => ({
      ...app,
      runName: run.name,
      runPid: run.pid,
      ...(faultsOn(run).length > 0 && {faults: faultsOn(run).length}),
      template: run.template.file,
      memoryBytes,
      cpuPercent: cpu === undefined ? null : Math.round(cpu * 10) / 10
    }))
  )
}

const pidsOf = (listings: readonly Listing[]): ReadonlySet<number> =>
  new Set(listings.flatMap(({apps}) => apps.map(({pid}) => pid)).filter(pid => pid > 0))

/** Returns a table for each run, with the name of the run if there are several. */
export async function psText(listings: readonly Listing[], place: PsPlace = {}): Promise<string> {
  return (await psLook(listings, Date.now(), place)).text
}

interface PsPlace {
  /** Columns of the terminal. */
  readonly width?: number
  /** Whether the table shows the IDs of processes also on a terminal. */
  readonly isWide?: boolean
  /** Text that replaces the table if there are no apps. */
  readonly nothing?: string
  /** Measurement since which CPU is computed; undefined: since the start of each process. */
  readonly before?: UsageSample | undefined
}

async function psLook(
  listings: readonly Listing[],
  now: number,
  {width = outputColumns(1), isWide = false, nothing = NOTHING, before}: PsPlace
): Promise<{text: string; look: UsageSample}> {
  const shown = listings.filter(({apps}) => apps.length > 0)
  const usage = await usageOf(pidsOf(shown))
  const tables = shown.map((listing): string => {
    const table =
      appTable(withUsage(listing.apps, {usage, now, before}), {
        width,
        now,
        isWide,
        hasColours: wantsColours(process.stdout.isTTY, process.env)
      }) + folded(backlogLines(listing.apps) + shownText(listing) + faultLines(listing), width)
    return shown.length === 1 ? table : `${cut(`${listing.name}: ${runName(listing)}`, width)}\n${table}`
  })
  return {text: tables.length === 0 ? nothing : tables.join('\n'), look: {at: now, usage}}
}

const faultLines = (listing: Listing): string =>
  faultsOn(listing)
    .map(each => `${addedText(each)}. pillion fault --off ${each.number} removes it\n`)
    .join('')

/** Returns the lines below a table: the dashboard with its host name, and the copy that answers the names and ports of the run, or whose it answers (`pillion show`). */
const shownText = ({answeredBy, answersFor, dashboardUrl}: Listing): string =>
  [
    dashboardUrl === undefined ? '' : `Dashboard: ${dashboardUrl} (pillion dashboard opens it)\n`,
    answeredBy === undefined ? '' : `${answeredBy} answers its names and ports. pillion show main ends that\n`,
    answersFor === undefined
      ? ''
      : `It answers the names and ports of ${answersFor}, too. pillion show main ends that\n`
  ].join('')

/** Refreshes the table every second on a terminal, elsewhere when the state of an app has changed, until nothing runs. */
async function watch(look: () => Promise<readonly Listing[]>, isWide: boolean): Promise<number> {
  endWithStdout() // ends the command with its reader: `ps -w | head`
  let before: UsageSample | undefined
  let printed = ''
  const screen = await ownScreen()
  screen?.open()
  for (;;) {
    const listings = await look()
    const now = Date.now()
    const states = JSON.stringify(listings.flatMap(({apps}) => apps.map(app => keyOf(app))))
    const shown = await psLook(listings, now, {isWide, before, ...(screen !== undefined && {width: screen.size.width})})
    if (screen !== undefined) draw(screen, shown.text)
    else if (states !== printed) print(process.stdout, printed === '' ? shown.text : `\n${shown.text}`)
    if (listings.length === 0) return 0
    printed = states
    before = shown.look
    await pause(EVERY_MS)
  }
}

/** Returns the facts of an app whose change prints the table into a pipe again. */
const keyOf = (app: App): readonly unknown[] => [
  app.id,
  app.instance,
  stateText(app, 0),
  app.pid,
  app.restarts,
  breakersNotClosed(app),
  app.waitingWork > 0,
  app.waitingEvents > 0
]

/** Returns the screen that the table shares with the shell. Returns undefined without a terminal that can be drawn on. */
async function ownScreen(): Promise<FullScreen | undefined> {
  if (!process.stdout.isTTY || process.env['TERM'] === 'dumb') return undefined
  const {FullScreen} = await import('../ui/full-screen.ts')
  return new FullScreen(process.stdout, {isShared: true})
}

/** Draws as many lines as fit, and the number of further lines. */
function draw(screen: FullScreen, text: string): void {
  const {width, height} = screen.size
  const lines = text.trimEnd().split('\n')
  const more = lines.length - height + 1
  screen.draw(more <= 0 ? lines : [...lines.slice(0, height - 2), cut(`… ${more + 1} more lines`, width)])
}
