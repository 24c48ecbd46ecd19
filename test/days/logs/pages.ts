import {appLogsTool} from '../../../src/clients/mcp/tools/tools.ts'
import {sendLogs, sendRunLogs} from '../../../src/observe/api/logs.ts'
import type {RunFacts} from '../../../src/observe/api/run-facts.ts'
import type {Random} from '../../fuzz/random.ts'
import {Reader} from './reader.ts'
import type {Written} from './writing-app.ts'

interface Asked {
  readonly id: string
  readonly streams: readonly Written[]
  /** All lines are in its file or in memory, in the order in which they came. */
  readonly isSure: boolean
  readonly isWhole: boolean
}

/** Those who read lines in pieces: an agent from the end backward, the page from where it is. */
export class Pages {
  readonly #facts: RunFacts
  readonly #until: (isSo: () => boolean) => Promise<boolean>
  readonly #cursors = new Map<string, {readonly cursor: string; readonly next: Map<string, number>}>()
  #at: {from: number; skip: number; next: Map<string, number>} | undefined

  constructor(facts: RunFacts, until: (isSo: () => boolean) => Promise<boolean>) {
    this.#facts = facts
    this.#until = until
  }

  /** Gives what was wrong: each page ends where the one after it begins. */
  async ask(random: Random, {id, streams, isSure, isWhole}: Asked): Promise<readonly string[]> {
    const faults: string[] = []
    const page = this.#cursors.get(id) ?? {
      cursor: '',
      next: new Map(streams.map(({key, lines}) => [key, lines.length]))
    }
    const open = async (_: string, {query}: {readonly query: Record<string, string>}): Promise<object> => {
      const reader = new Reader(
        new URLSearchParams(query).toString(),
        async asked => sendLogs(this.#facts, {id, version: ''}, asked),
        'text/plain'
      )
      await this.#until(() => reader.isDone)
      if (reader.error !== undefined) throw new Error('the place is no longer kept')
      return {body: [Buffer.from(reader.text)], message: {headers: {'pillion-log-place': reader.place}}}
    }
    const run = {listing: {startedAt: new Date(0).toISOString()}, api: {open}}
    const given = {app: id, lines: 1 + random.below(8), ...(page.cursor !== '' && {cursor: page.cursor})}
    const answer = await appLogsTool.run?.(run as never, given, new AbortController().signal).catch(() => undefined)
    this.#cursors.delete(id)
    if (answer === undefined) return faults
    const text = answer.content.map(each => ('text' in each ? each.text : '')).join('')
    for (const [, key = '', n = ''] of [...text.matchAll(/^(\w+[oe])(\d+):/gm)].toReversed()) {
      const next = page.next.get(key) ?? 0
      if (Number(n) !== next - 1 && isSure) faults.push(`a page has ${key}${n} before ${key}${next}`)
      page.next.set(key, Number(n))
    }
    const cursor = /with cursor "([^"]+)"/.exec(text)?.[1] ?? ''
    if (cursor !== '') this.#cursors.set(id, {...page, cursor})
    else if (isSure && isWhole)
      for (const [key, next] of page.next) if (next > 0) faults.push(`the first page begins at ${key}${next}`)
    return faults
  }

  /** Gives what was wrong: each line comes once, and the last one, too. `end`: where the log ends. */
  async goOn(random: Random, streams: readonly Written[], end: number): Promise<readonly string[]> {
    const faults: string[] = []
    const at = (this.#at ??= {
      from: end,
      skip: 0,
      next: new Map(streams.map(({key, lines}) => [key, lines.length]))
    })
    const query = {from: String(at.from), skip: String(at.skip), limit: String(random.pick([1, 2, 5, 50]))}
    const reader = new Reader(new URLSearchParams(query).toString(), async asked => sendRunLogs(this.#facts, asked))
    await this.#until(() => reader.isDone)
    for (const row of reader.rows) {
      if ('note' in row) at.next.clear()
      if ('left' in row) Object.assign(at, {from: row.from, skip: row.skip})
      if (!('line' in row)) continue
      const [, key = '', n = ''] = /^(\w+[oe])(\d+):/.exec(row.line) ?? []
      if (key === '') continue
      const next = at.next.get(key) ?? Number(n)
      if (Number(n) !== next) faults.push(`the page gets ${key}${n}, and not ${next}`)
      at.next.set(key, Number(n) + 1)
    }
    if (reader.rows.some(row => 'left' in row)) return faults
    Object.assign(at, {from: reader.place, skip: 0})
    for (const {key, lines} of streams)
      if ((at.next.get(key) ?? lines.length) !== lines.length)
        faults.push(`the page does not get ${key}${at.next.get(key)}`)
    return faults
  }
}
