import type * as Api from '../../src/model/api.generated.ts'
import {attempt, showProblem} from '../parts/strips.tsx'
import {endAll, listen, runId, type EventData} from '../state/run.ts'
import {readLines, type Stretch} from './history.ts'
import type {LineBlocks, OpenNote} from './line-blocks.ts'

/** The number of lines read when the view is opened, and after a pause. */
const CAUGHT_UP = 500
/** The number of lines read when the user opens a gap. */
const OPENED = 1000
/** The number of samples queued while lines are read; older ones are dropped, which leaves a gap like any other. */
const MAX_WAITING = 20

/** A section of the run's log that is not shown. */
interface Gap {
  readonly from: number
  readonly to: number
  readonly skip: number
  /** The number of lines; 0 if it is not known. */
  readonly count: number
  /** The run of this log. Places start at 0 again in the log of the next run. */
  readonly run: string
}

/** A search through the lines of the whole run; an empty field does not count. */
export interface Search {
  readonly grep: string
  readonly level: string
  readonly stream: string
  readonly apps: readonly string[]
}

export interface Feed {
  readonly stop: () => void
  /** Shows matching lines of the run in place of its last ones. Without a filter, shows the last ones again. */
  readonly search: (wanted: Search | undefined) => void
}

/**
 * Fills the blocks with earlier lines and with new ones, until the returned function is called. Each sample has its position in the
 * log, so a gap is noticed, shown, and can be opened. After a pause or a lost connection, the first of the missed lines are loaded
 * unasked. `searching` reports whether a search is under way.
 */
export function feed(
  blocks: LineBlocks,
  {
    toEnd,
    hold,
    searching
  }: {readonly toEnd: () => void; readonly hold: () => void; readonly searching: (isSearching: boolean) => void}
): Feed {
  let wanted: Search | undefined
  const gone = new AbortController()
  const {signal} = gone
  const waiting: EventData['lines'][] = []
  let place: number | undefined
  let ofRun = runId.peek()
  let isBehind = true
  let isBusy = false
  /** Whether it has just caught up, so that samples may not have started yet and a gap is loaded instead of shown. */
  let isFresh = false

  const show = ({lines}: Pick<Stretch, 'lines'>): void => {
    for (const line of lines) {
      if ('note' in line) blocks.note(line.note)
      else blocks.append(line)
    }
  }
  const gap = (left: Omit<Gap, 'run'>): void => {
    const missing = {...left, run: ofRun}
    blocks.note(textOf(missing), async note => open(missing, note))
  }
  const open = async ({from, to, skip, run: of}: Gap, note: HTMLElement): Promise<void> => {
    hold()
    if (of !== ofRun) return blocks.replace(note, [{note: ENDED}])
    try {
      const {lines, left} = await readLines({from, to, skip, limit: OPENED}, signal)
      const rest = left && {...left, to, count: left.left, run: of}
      blocks.replace(note, lines, rest && {text: textOf(rest), open: async next => open(rest, next)})
    } catch (error) {
      if (!signal.aborted) showProblem(error)
    }
  }
  const queryOf = ({apps, ...fields}: Search, older: Readonly<Record<string, number>> = {}): URLSearchParams =>
    new URLSearchParams([
      ...Object.entries({...fields, limit: CAUGHT_UP, version: '*', ...older}).map(([name, value]) => [
        name,
        `${value}`
      ]),
      ...apps.map(id => ['app', id])
    ])
  const earlier = ({left, from: before, skip}: Api.LinesLeft, search: Search): OpenNote => ({
    text: `… ${left.toLocaleString('en')} earlier ${left === 1 ? 'line that matches' : 'lines that match'}`,
    open: async note => {
      hold()
      await attempt(async () => {
        const {lines, left: rest} = await readLines(queryOf(search, {before, skip}), signal)
        blocks.replace(note, lines, rest && earlier(rest, search), true)
      })
    }
  })
  /** Reads the lines from a log position on, or the last ones: those that match, during a search. */
  const catchUp = async (from: number | undefined, to?: number): Promise<void> => {
    const [search, before] = [wanted, ofRun]
    const isSearch = from === undefined && search !== undefined
    const query = isSearch
      ? queryOf(search)
      : from === undefined
        ? {tail: CAUGHT_UP}
        : {from, limit: CAUGHT_UP, ...(to !== undefined && {to})}
    try {
      const found = await readLines(query, signal)
      if (signal.aborted || before !== ofRun || search !== wanted) return
      const {left} = found
      const older = isSearch && left !== undefined ? earlier(left, search) : undefined
      if (older !== undefined) blocks.note(older.text, older.open)
      show(found)
      if (left !== undefined && !isSearch) gap({...left, to: found.place, count: left.left})
      place = found.place
    } catch {
      // the next sample reveals the lines that are missing now
      if (!signal.aborted && from === undefined) blocks.note('The run does not answer: lines come as soon as it does')
    }
    searching(false)
    isFresh = true
    toEnd()
  }
  const take = async (sample: EventData['lines']): Promise<void> => {
    const {from, to, lines, notShown} = sample
    place ??= from
    if (to <= place) return
    if (from < place || (from > place && isFresh)) {
      await catchUp(place, to)
      return
    }
    isFresh = false
    if (from > place) gap({from: place, to: from, skip: 0, count: 0})
    show({lines})
    if (notShown > 0) gap({from, to, skip: lines.length, count: notShown})
    place = to
    toEnd()
  }
  /** Handles catching up and queued samples one at a time, in order. */
  const work = async (): Promise<void> => {
    if (isBusy) return
    isBusy = true
    while (!signal.aborted) {
      if (isBehind) {
        isBehind = false
        await catchUp(place)
        continue
      }
      const sample = waiting.shift()
      if (sample === undefined) break
      await take(sample)
    }
    isBusy = false
  }
  const behind = (): void => {
    isBehind = true
    void work()
  }

  const stop = listen('lines', sample => {
    waiting.push(sample)
    if (waiting.length > MAX_WAITING) waiting.shift()
    void work()
  })
  const stopAnother = listen('another', next => {
    ofRun = next.run
    blocks.note('Another run begins')
    waiting.length = 0
    place = 0
    behind()
  })
  const stopFollowing = listen('following', behind)
  void work()
  return {
    stop: endAll(() => gone.abort(), stop, stopAnother, stopFollowing),
    search: next => {
      if (JSON.stringify(next) === JSON.stringify(wanted)) return
      wanted = next
      searching(next !== undefined)
      blocks.clear()
      place = undefined
      waiting.length = 0
      behind()
    }
  }
}

const ENDED = '… lines of a run that has ended: its log files have them'

const textOf = ({count}: Gap): string =>
  `… ${count === 0 ? '' : `${count.toLocaleString('en')} `}${count === 1 ? 'line' : 'lines'} not shown`
