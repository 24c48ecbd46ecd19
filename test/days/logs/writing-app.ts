import {LineSplitter} from '../../../src/supervisor/process/line-splitter.ts'
import type {AppLog} from '../../../src/observe/logging/app-log.ts'
import type {Random} from '../../fuzz/random.ts'

const STREAMS = ['stdout', 'stderr'] as const

/** What one stream of an app has written: lines as a log file must have them, latin1, without their newline. */
export class Written {
  readonly key: string
  readonly lines: string[] = []
  /** When each of them ended. */
  readonly times: number[] = []
  /** Lines that were open for so long that another stream may have broken them. */
  readonly broken = new Set<number>()
  /** The line that has no newline yet. */
  open = ''
  #splitter = new LineSplitter()
  /** Bytes that the process has not written yet. */
  #late = ''
  waits = false

  constructor(key: string) {
    this.key = key
  }

  /** `isLong`: longer than what is kept back of a line. */
  write(random: Random, size: number, log: AppLog, stream: (typeof STREAMS)[number]): void {
    if (this.waits) return
    let text = this.#late
    let isNew = text === '' ? this.open === '' : text.endsWith('\n')
    let next = this.lines.length + (text.match(/\n/g)?.length ?? 0)
    for (let pieces = 1 + random.below(4); pieces > 0; pieces--) {
      if (isNew) text += `${this.key}${next}:`
      text += random.pick(PAYLOADS)
      if (size > 0 && random.oneIn(2)) text += 'x'.repeat(random.below(size))
      const end = random.pick(ENDS)
      text += end
      isNew = end.endsWith('\n')
      if (isNew) next++
    }
    let cut = random.oneIn(3) ? random.below(text.length) : text.length
    // not within the number of a line
    const begun = (this.open + text.slice(0, cut)).split('\n').at(-1) ?? ''
    if (begun !== '' && !begun.includes(':')) cut = text.indexOf(':', cut) + 1
    this.#late = text.slice(cut)
    this.#hand(text.slice(0, cut), log, stream)
  }

  #hand(text: string, log: AppLog, stream: (typeof STREAMS)[number]): void {
    const whole = (this.open + text).split('\n')
    this.open = whole.pop() ?? ''
    for (const line of whole) this.#add(line)
    this.#pass(this.#splitter.push(Buffer.from(text, 'latin1')), log, stream)
  }

  /** The process has ended. */
  end(log: AppLog, stream: (typeof STREAMS)[number]): void {
    this.#late = ''
    if (this.open !== '') this.#add(this.open)
    this.open = ''
    this.#pass(this.#splitter.end(), log, stream)
    this.#splitter = new LineSplitter()
  }

  #add(line: string): void {
    this.lines.push(line.replace(/\r$/, ''))
    this.times.push(Date.now())
  }

  #pass(text: string, log: AppLog, stream: (typeof STREAMS)[number]): void {
    if (text === '') return
    const waits = log.sink({app: log.name, stream, text})
    if (waits === undefined) return
    this.waits = true
    void waits.then(() => (this.waits = false))
  }
}

const PAYLOADS = [
  'a',
  ' word',
  '\r',
  'é'.slice(0, 1),
  '\xc3',
  '\xa9',
  '\xff',
  '\xf0\x9f',
  '\x98\x80',
  '\t',
  '== APP - shop == ',
  '$&',
  '\x00',
  ''
]
const ENDS = ['\n', '\n', '\n', '\r\n', '', '\r']
