import {orElse} from './or-else.ts'
import type {Line} from './api.generated.ts'

/** The levels that each choice includes: its own and the more serious ones. */
export const AT_LEAST: Readonly<Record<string, readonly string[]>> = {
  error: ['error'],
  warn: ['error', 'warn'],
  info: ['error', 'warn', 'info']
}

/** Assigns levels. A continuation line, such as of a stack trace, begins with a space and has the level of the line before. */
export class Levels {
  readonly #latest = new Map<string, Line['level']>()

  of(line: Line): Line {
    const key = `${line.app} ${line.stream}`
    const before = this.#latest.get(key)
    const level = line.level ?? (before !== undefined && /^\s+\S/.test(line.line) ? before : undefined)
    if (level !== before) this.#latest.set(key, level)
    return level === undefined || level === line.level ? line : {...line, level}
  }
}

/** Severity that a log line states. */
export type LineLevel = 'error' | 'warn' | 'info' | 'debug'

/** The words that frameworks and servers write, in lower case. */
const WORDS: Readonly<Record<LineLevel, string>> = {
  error:
    'error err erro eror fatal fata ftl critical crit panic pani pnc dpanic severe schwerwiegend emerg emergency alert fail',
  warn: 'warn warning wrn wrng warnung',
  info: 'info inf information informational notice note log success',
  debug: 'debug dbg debu trace trc trac verbose vrb fine finer finest dbug trce silly'
}

const LEVELS: ReadonlyMap<string, LineLevel> = new Map(
  (Object.keys(WORDS) as LineLevel[]).flatMap(level => WORDS[level].split(' ').map(word => [word, level] as const))
)

/** JSON fields that contain the level: of most loggers; of Elastic, Serilog, GCP, Python, OpenTelemetry, MongoDB. */
const KEYS = 'level log.level @l severity levelname lvl loglevel severitytext severity_text s'.split(' ')
/** Number of characters of a JSON line in which a level is searched. */
const MAX_JSON = 16 * 1024
const MAX_HEAD = 160

/** Finds the level in a line without colours: in JSON, in logfmt, at the start, or after a time; undefined: none. */
export function levelOf(line: string): LineLevel | undefined {
  const first = line.charCodeAt(0)
  if (first === 0x7b) return levelOfJson(line)
  // searches only the beginning of a long line
  const head = line.length > MAX_HEAD ? line.slice(0, MAX_HEAD) : line
  return levelOfLogfmt(head) ?? levelAtStart(head) ?? levelAfterTime(head) ?? levelOfPlace(head)
}

/** Returns the level of a word. Go's slog writes a level between two as `INFO+2`. */
const named = (word = ''): LineLevel | undefined => LEVELS.get(word.toLowerCase().replace(/[+-]\d+$/, ''))

function levelOfJson(line: string): LineLevel | undefined {
  if (line.length > MAX_JSON) return undefined
  const fields = orElse(() => JSON.parse(line) as Readonly<Record<string, unknown>>, {})
  const {log, record} = fields as Readonly<Record<string, {level?: unknown} | null | undefined>>
  // Elastic's `"log": {"level": …}`, and Loguru's `"record": {"level": {"name": …}}`
  const inner = log?.level ?? (record?.level as {name?: unknown} | null | undefined)?.name
  for (const [key, value] of [...Object.entries(fields), ['level', inner] as const]) {
    if (!KEYS.includes(key.toLowerCase())) continue
    if (typeof value === 'number') return levelOfNumber(value)
    if (typeof value !== 'string') continue
    const level = key === 's' ? ofInitial(/^(?:[FEWI]|D\d?)$/.exec(value)?.[0][0]) : named(value)
    if (level !== undefined) return level
  }
  // Serilog's compact form leaves out "Information"
  return '@t' in fields && ('@m' in fields || '@mt' in fields) && !('@l' in fields) ? 'info' : undefined
}

/** Returns the level of a number of Bunyan and Pino: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal. */
function levelOfNumber(value: number): LineLevel | undefined {
  if (value < 10 || value > 60) return undefined
  return value < 30 ? 'debug' : value < 40 ? 'info' : value < 50 ? 'warn' : 'error'
}

/** Returns the level of an initial: `E0131 …` of klog, `E, [2026…` of Ruby. */
const ofInitial = (initial: string | undefined): LineLevel | undefined =>
  ({F: 'error', E: 'error', W: 'warn', I: 'info', D: 'debug'} as const)[initial ?? '']

/** Reads logfmt: `time=… level=info msg=…`. Requires several fields, since one may be part of a sentence. */
function levelOfLogfmt(head: string): LineLevel | undefined {
  const found = /(?:^|\s)(?:level|lvl|severity)=("?)([\w+-]+)\1(?:\s|$)/i.exec(head)
  return found !== null && /(?:^|\s)(?:time|ts|t|msg|message|caller|logger|source|app_id)=/.test(head)
    ? named(found[2])
    : undefined
}

/**
 * Reads a level at the start, or an uncaught error of a runtime: `INFO:     …`, `INFO[0007] …`, `[ERROR] …`, `warn: Microsoft…`, `npm
 * error …`, `WARN  …`, `<3>…`.
 */
function levelAtStart(head: string): LineLevel | undefined {
  const [, bracket, word] =
    /^(?:\[GIN-debug\] |nginx: |[✘▲] )?(?:\[\s*(\w+)\s*\]|(\w+)(?=:|\s*\||\s+-\s|\[(?:[\dT:|.+Z-]{4,}\]|E\d+\]:)))/.exec(
      head
    ) ?? []
  const level = named(bracket ?? (isLevelWord(word) ? word : undefined))
  if (level !== undefined) return level
  const [, capitals] = /^(?:\s*|[\w.]+ - )([A-Z]{3,11})\s/.exec(head) ?? []
  // other words in capitals, such as `LOG` or `NOTE`, may begin a sentence
  if (capitals !== undefined && /^(?:ERROR?|FATAL?|WARN|WARNING|INFO|DEBUG?|TRACE|SEVERE|CRITICAL)$/.test(capitals))
    return named(capitals)
  const [, tool] = /^(?:npm|PHP) ([^\s!:]+)/.exec(head) ?? []
  const [, mark] = /^(?:<(?=.>)| (?=[⨯⚠] ))([0-7ewi⨯⚠])/.exec(head) ?? []
  const [, initial] = /^\[?([EWIDF])(?:, \[| )?\d{4}[\d-]*[ T]\d\d:\d\d/.exec(head) ?? []
  if (mark !== undefined) return ofMark(mark)
  return named(tool) ?? ofInitial(initial) ?? (UNCAUGHT.test(head) ? 'error' : undefined)
}

/** Returns the level of a mark: of syslog (`<3>`, as .NET writes for systemd), webpack or Next. */
const ofMark = (mark: string): LineLevel =>
  '0123e⨯'.includes(mark) ? 'error' : '4w⚠'.includes(mark) ? 'warn' : mark === '7' ? 'debug' : 'info'

/** Whether a word before a colon is a level: in capitals, as in Python, or one of .NET's four-character words. */
const isLevelWord = (word: string | undefined): boolean =>
  word !== undefined && /^(?:[A-Z]{3,13}|fail|warn|info|dbug|trce|crit|error|warning|debug|verbose|silly)$/.test(word)

const UNCAUGHT =
  /^(?:Traceback \(most recent call last\):|panic: |(?:PHP )?(?:[Ff]atal|Parse) error: |Unhandled exception|Uncaught |Caused by: |Exception in thread |thread '.*'(?: \(\d+\))? panicked at |(?:[\w$]+\.)*(?:[A-Z]\w*)?(?:Error|Exception)(?: \[\w+\])?(?::?$|: ))/

/** Reads a level after times, numbers, threads and names: `2026-01-31 14:46:45,977 - shop - INFO - …`, `[14:46:45 INF] …`, `[14:46:45] shop.INFO: …`. */
function levelAfterTime(head: string): LineLevel | undefined {
  if (!/^[[(]?\s*(?:[A-Z][a-z]{2} ){0,2}\S*\d/.test(head) && !head.startsWith('[Nest]')) return undefined
  const redis = /^\d+:[MSCX] \d\d \w{3} (?:\d{4} )?\d\d:\d\d:\d\d\.\d{3} ([.*#-]) /.exec(head)
  if (redis !== null) return ({'.': 'debug', '-': 'debug', '*': 'info', '#': 'warn'} as const)[redis[1] ?? '']
  const word = named(AFTER_TIME.exec(head)?.[1])
  if (word !== undefined || !TIME.test(head)) return word
  for (const [, bracket, capitals] of head.matchAll(
    /[[(<]\s*(?:\w+:)?(\w+)\s*[\])>]|(?<=^|[\s|[-]|\.(?=[A-Z]+: )|:(?=[A-Z]+:))([A-Z]{3,11})(?=[\s|\]:/]|$)/g
  )) {
    const level = named(bracket ?? capitals)
    if (level !== undefined) return level
  }
  return undefined
}

/** A time of day. Without one in its head, a line may have a word in capitals or brackets that is not a level. */
const TIME = /\d{1,2}:\d\d/

/** `2026-01-31T14:46:45Z [shop] error: …`, `14:46:45 info: Shop[0]`, and the columns of zap. */
const AFTER_TIME =
  /^(?:[\d\s/.,:+|[\]()TZAPMUC-]{5,}|[\d.]+e\+\d+\t)(?:\[[^\]]*\] )?(?<![A-Za-z])([A-Za-z][a-z]{2,10})(?=:\s|\t| +\| | - )/

/** Reads a level after a place: `a.ts(3,1): error TS2304: …`, `a.py:3: UserWarning: …`, `tool: error: …`, `(node:12) Warning: …`. */
function levelOfPlace(head: string): LineLevel | undefined {
  const found =
    /^\(node:\d+\) |^\S[^"{}]*?(?::| -(?=[\w ]+\d:)) (?:(?:fatal )?(error)|warning|[A-Z]\w+Warning)(?: [A-Z]+\d+)?: /.exec(
      head
    )
  if (found === null) return undefined
  return found[1] === undefined ? 'warn' : 'error'
}
