import {stripVTControlCharacters} from 'node:util'
import type {Exit} from '../../model/app-state.ts'

/** Matches lines that do not explain a failure: stack frames, brackets, carets, hints, and lines of package runners. */
const NOISE = [
  /^\s*at\s/, // Node, Java, .NET
  /^\s*(?:from\s|File "|\.{3} \d+ (?:more|common frames)|\^|~)/, // Ruby, Python, Java
  /^\s*[[\](){},;^~*]*\s*$/,
  /^\s*\[errors\]: \[$/, // Node's AggregateError
  /^Node\.js v\d/,
  /^\(node:\d+\) |^\(Use `node --trace-/, // Node's warnings, and its hint about more of them
  /^\s*(?:npm (?:ERR!|error|warn)|error Command failed|info Visit |ELIFECYCLE |exit status \d+$|Traceback |goroutine \d+|\[signal )/i,
  /^\[ERROR\] ?(?:-> )?(?:\[Help |To see |Re-run |For more |After |COMPILATION ERROR|$)/, // Maven
  /^make(?:\[\d+\])?: \*\*\* /,
  /^(?:\d+ errors?|error: compilation failed)$/, // Java
  /^\s*(?:note: |stack backtrace:|\d+: )/, // Rust
  /^\S+\(.*\)$/, // a function of Go's trace
  /^\s+\S+\.go:\d+/,
  /^(?:file:\/\/|\/|node:)\S+:\d+$/, // the place of a source line that Node quotes
  /^\s*(?:errno|code|syscall|address|port|path|hostname): .*,?$/, // properties of Node's errors
  /^usage: /i
]

/** Matches carets below a quoted source line, whose words are not about the failure. */
const CARETS = /^\s*[\^~]+\s*$/
/** Patterns of log lines that report no failure despite their words. */
const CALM = [
  /^[^a-z]*\b(?:TRACE|DEBUG|INFO|WARN|WARNING|INF|DBG|WRN|LOG(?=:))\b/, // also Serilog, PostgreSQL
  /^\[?(?:trace|debug|info|warn|warning)(?:\]|:)/,
  /\blevel"?[=:]\s?"?(?:(?:trace|debug|info|warn)|[1-4]0\b)/i, // logfmt, JSON, pino
  /^[IW]\d{4} \d\d:/ // klog
]
/** Matches parser errors without a place, which Python and Node print some lines before. */
const OF_PARSER = /^(?:SyntaxError|IndentationError|TabError)\b/
/** Matches the place that esbuild prints below its error. */
const PLACE_BELOW = /^\s+(\S+:\d+:\d+):$/
const PLACE = /^\s*(File ".*", line \d+)$|^((?:file:\/\/)?\/\S+:\d+)$/
/** Number of lines before an error in which its place is searched: source line and caret are in between. */
const PLACE_WITHIN = 5
/** Matches errors of npm itself, before it runs a script. */
const OF_NPM = /^npm (?:ERR!|error) (?!code|syscall|path|errno)\S/

/** Matches compiler errors with a place. The first one counts, since later ones often follow from it. */
const COMPILERS = new RegExp(
  [
    String.raw`^error\[\w+\]`, // Rust
    String.raw`^\S+[:(]\d+(?:[:,]\d+)?\)?: (?:fatal )?error\b`, // javac, Gradle, tsc, .NET, esbuild, C
    String.raw`^\S+:\d+:\d+ - error\b`, // tsc on a terminal
    String.raw`^\S+\.go:\d+:\d+: `,
    String.raw`^\[ERROR\] \S+:\[\d+,\d+\] `, // Maven
    String.raw`^e: \S+:\d+:\d+ `, // Kotlin
    String.raw`^✘ \[ERROR\] ` // esbuild
  ].join('|'),
  'i'
)

/** Patterns of lines that explain a failure, the best ones first. */
const MARKS: readonly RegExp[] = [
  /\bConnection to \S+:\d+ refused\b/, // PostgreSQL's driver of Java, far above the exception of Spring
  /^\s*(?:panic|\[cause\]):|^Description:$|^(?:fatal(?: error)?|thread '.*' (?:\(\d+\) )?panicked|Unhandled exception|Caused by|Exception in thread|(?:\w+[.$])*\w*(?:Error|Exception)(?: \[\w+\])?)\b/,
  COMPILERS,
  /\b(?:\w*Error|\w*Exception|panic|fatal)\b/i,
  /\b(?:errors?|failed|failure|cannot|critical|refused|denied)\b/i
]

/** Matches the native and JavaScript stacks that Node prints at an abort. */
const OF_ABORT = /^-{5} .* -{5}$|^\s*\d+: (?:0x|.*:\d+:\d+\)?$)/

const MAX_LENGTH = 300
/** Maximum length of a searched line: on whole minified files, which Node quotes, the patterns would backtrack. */
const MAX_LOOKED_AT = 1000

/** Returns the line of an app's last output that explains its exit best, without colours; '': none. On stdout, only lines count that report a failure. */
export function bestLine(stderr: readonly string[], stdout: readonly string[] = []): string {
  const errors = plain(stderr).filter(line => !OF_ABORT.test(line))
  const telling = withoutNoise(errors)
  const found = tellingLine(telling) ?? tellingLine(withoutNoise(plain(stdout)))
  if (found !== undefined) return short(found) + placeOf(found, errors)
  return short(lastOf(telling) ?? errors.find(line => OF_NPM.test(line)) ?? lastOf(errors) ?? '')
}

const isCalm = (line: string): boolean => CALM.some(calm => calm.test(line))

const lastOf = (lines: readonly string[]): string | undefined => lines.findLast(line => !isCalm(line))

/** Returns the place in the source of a parser's error, as in ` (File "/app/main.py", line 7)`; '': another error. */
function placeOf(error: string, lines: readonly string[]): string {
  const at = lines.lastIndexOf(error)
  const [, below] = error.startsWith('✘') ? (PLACE_BELOW.exec(lines[at + 1] ?? '') ?? []) : []
  if (below !== undefined) return ` (${below})`
  if (!OF_PARSER.test(error)) return ''
  for (const line of lines.slice(Math.max(0, at - PLACE_WITHIN), at).toReversed()) {
    const [, python, node] = PLACE.exec(line) ?? []
    if (python !== undefined || node !== undefined) return ` (${python ?? node})`
  }
  return ''
}

const plain = (lines: readonly string[]): readonly string[] =>
  lines.map(line => stripVTControlCharacters(line.slice(0, MAX_LOOKED_AT)).trimEnd()).filter(line => line !== '')

const withoutNoise = (lines: readonly string[]): readonly string[] =>
  lines.filter((line, at) => !CARETS.test(lines[at + 1] ?? '') && !NOISE.some(noise => noise.test(line)))

function tellingLine(lines: readonly string[]): string | undefined {
  for (const mark of MARKS) {
    const isMeant = (line: string): boolean => mark.test(line) && !isCalm(line)
    const found = mark === COMPILERS ? lines.findIndex(isMeant) : lines.findLastIndex(isMeant)
    if (found >= 0) return continued(lines, found)
  }
  return undefined
}

/** Appends the next line to a line that ends with a colon, as Rust, esbuild and Spring Boot print it. */
function continued(lines: readonly string[], at: number): string {
  const [line = '', next = ''] = lines.slice(at, at + 2)
  return line.endsWith(':') && next !== '' ? `${line} ${next.trim()}` : line
}

/** Shortens a line, and removes the bars that Python draws before a group of errors. */
const short = (line: string): string => {
  const text = line.replace(/^[\s|]+/, '')
  return text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH - 1)}…`
}

/** Returns the cause of an exit that output cannot explain (SIGKILL, a failed spawn); '': unknown cause; undefined: output may explain it. */
export function knownCause(exit: Exit | undefined, memoryBytes = 0): string | undefined {
  const isSudden = exit?.kind === 'signal' && exit.signal === 'SIGKILL'
  if (isSudden && memoryBytes > 0)
    return `it may have reached its limit of memory, ${Math.round(memoryBytes / 2 ** 20)}Mi`
  return isSudden || exit?.kind === 'spawn-error' ? '' : undefined
}
