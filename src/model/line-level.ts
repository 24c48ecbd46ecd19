/** How serious a line says that it is. */
export type LineLevel = 'error' | 'warn' | 'info' | 'debug'

/** The words that frameworks and servers write, in lower case. */
const WORDS: Readonly<Record<LineLevel, string>> = {
  error: 'error err erro eror fatal ftl critical crit panic severe emerg emergency alert fail dpanic',
  warn: 'warn warning wrn wrng',
  info: 'info inf information informational notice note log',
  debug: 'debug dbg debu trace trc trac verbose vrb fine finer finest dbug trce silly'
}

const LEVELS: ReadonlyMap<string, LineLevel> = new Map(
  (Object.keys(WORDS) as LineLevel[]).flatMap(level => WORDS[level].split(' ').map(word => [word, level] as const))
)

/** The fields in which loggers that write JSON have it: most; Elastic, Serilog, GCP, Python, OpenTelemetry, MongoDB. */
const KEYS = 'level log.level @l severity levelname lvl loglevel severitytext severity_text s'.split(' ')
/** Longer lines are looked at up to here. */
const MAX_JSON = 16 * 1024
const MAX_HEAD = 160

/**
 * The level that a line of an app names, without its colours; undefined: it names none. By the forms of JSON, logfmt, and lines that begin with
 * a level, or with a time and one.
 */
export function levelOf(line: string): LineLevel | undefined {
  const first = line.charCodeAt(0)
  if (first === 0x7b) return levelOfJson(line)
  // most lines of text do not begin with a level
  const head = line.length > MAX_HEAD ? line.slice(0, MAX_HEAD) : line
  return levelOfLogfmt(head) ?? levelAtStart(head) ?? levelAfterTime(head)
}

const named = (word: string | undefined): LineLevel | undefined => LEVELS.get(word?.toLowerCase() ?? '')

function levelOfJson(line: string): LineLevel | undefined {
  if (line.length > MAX_JSON) return undefined
  let fields: Readonly<Record<string, unknown>>
  try {
    fields = JSON.parse(line) as typeof fields
  } catch {
    return undefined
  }
  for (const [key, value] of Object.entries(fields)) {
    if (!KEYS.includes(key.toLowerCase())) continue
    if (typeof value === 'number') return levelOfNumber(value)
    if (typeof value !== 'string') continue
    const level = key === 's' ? ofMongo(value) : named(value)
    if (level !== undefined) return level
  }
  // Serilog's compact form leaves out "Information"
  return '@t' in fields && ('@m' in fields || '@mt' in fields) && !('@l' in fields) ? 'info' : undefined
}

/** The level of a number of Bunyan and Pino: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal. */
function levelOfNumber(value: number): LineLevel | undefined {
  if (value < 10 || value > 60) return undefined
  return value < 30 ? 'debug' : value < 40 ? 'info' : value < 50 ? 'warn' : 'error'
}

const ofMongo = (initial: string): LineLevel | undefined => ofInitial(initial[0])

/** `E0131 …` of klog, `E, [2026…` of Ruby. */
const ofInitial = (initial: string | undefined): LineLevel | undefined =>
  ({F: 'error', E: 'error', W: 'warn', I: 'info', D: 'debug'} as const)[initial ?? '']

/** `time=… level=info msg=…`: one field alone may be part of a sentence. */
function levelOfLogfmt(head: string): LineLevel | undefined {
  const found = /(?:^|\s)(?:level|lvl|severity)=("?)(\w+)\1(?:\s|$)/i.exec(head)
  return found !== null && /(?:^|\s)(?:time|ts|t|msg|message|caller|logger|source|app_id)=/.test(head)
    ? named(found[2])
    : undefined
}

/** `INFO:     …`, `INFO[0007] …`, `[ERROR] …`, `warn: Microsoft…`, `npm error …`, `WARN  …`, and what runtimes write of an uncaught error. */
function levelAtStart(head: string): LineLevel | undefined {
  const [, bracket, word] = /^(?:\[\s*(\w+)\s*\]|(\w+)(?=:|\s*\||\s+-\s|\[\d{4}\]))/.exec(head) ?? []
  const level = named(bracket ?? (isLevelWord(word) ? word : undefined))
  if (level !== undefined) return level
  const [, capitals] = /^([A-Z]{3,11})\s/.exec(head) ?? []
  // `LOG`, `NOTE`, `FINE` and others begin sentences in capitals, too
  if (capitals !== undefined && /^(?:ERROR|FATAL|WARN|WARNING|INFO|DEBUG|TRACE|SEVERE)$/.test(capitals))
    return named(capitals)
  const [, npm] = /^npm (\S+)/.exec(head) ?? []
  if (npm !== undefined) return named(npm.replace('!', '').replace('ERR', 'error'))
  const [, initial] = /^([EWIDF])(?:\d{4} \d\d:\d\d:\d\d|, \[\d{4}-)/.exec(head) ?? []
  if (initial !== undefined) return ofInitial(initial)
  return UNCAUGHT.test(head) ? 'error' : undefined
}

/** Before a colon: in capitals, as Python has it, or in .NET's four characters. */
const isLevelWord = (word: string | undefined): boolean =>
  word !== undefined && /^(?:[A-Z]{3,13}|fail|warn|info|dbug|trce|crit|error|warning|debug)$/.test(word)

const UNCAUGHT =
  /^(?:Traceback \(most recent call last\):|panic: |fatal error: |Unhandled exception|Uncaught |Exception in thread |thread '.*'(?: \(\d+\))? panicked at |(?:[A-Z]\w*)?(?:Error|Exception): )/

/** Up to the level there are times, numbers, threads and names: `2026-01-31 14:46:45,977 - shop - INFO - …`, `[14:46:45 INF] …`, `[14:46:45] shop.INFO: …`. */
function levelAfterTime(head: string): LineLevel | undefined {
  if (!/^[[(]?\s*\S*\d/.test(head) && !head.startsWith('[Nest]')) return undefined
  const redis = /^\d+:[MSCX] \d\d \w{3} (?:\d{4} )?\d\d:\d\d:\d\d\.\d{3} ([.*#-]) /.exec(head)
  if (redis !== null) return ({'.': 'debug', '-': 'debug', '*': 'info', '#': 'warn'} as const)[redis[1] ?? '']
  if (!TIME.test(head)) return undefined
  for (const [, bracket, word] of head.matchAll(
    /[[(]\s*(\w+)\s*[\])]|(?<=^|[\s|[-]|\.(?=[A-Z]+: ))([A-Z]{3,11})(?=[\s|\]:/]|$)/g
  )) {
    const level = named(bracket ?? word)
    if (level !== undefined) return level
  }
  return undefined
}

/** A time of day; in brackets and without one, a level would be any word in capitals. */
const TIME = /\d{1,2}:\d\d/
