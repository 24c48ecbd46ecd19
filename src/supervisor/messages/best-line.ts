import {stripVTControlCharacters} from 'node:util'

/** Lines that do not explain a failure: stack frames, brackets, carets, and what package runners append. */
const NOISE = [
  /^\s*at\s/, // Node, Java, .NET
  /^\s*(?:from\s|File "|\.{3} \d+ more|\^|~)/, // Ruby, Python, Java
  /^\s*[[\](){},;^~]*\s*$/,
  /^Node\.js v\d/,
  /^(?:npm (?:ERR!|error|warn)|error Command failed|info Visit |exit status \d+$|Traceback |goroutine \d+|\[signal )/i,
  /^\s*(?:note: |stack backtrace:|\d+: )/, // Rust
  /^\S+\(.*\)$/, // a function of Go's trace
  /^\s+\S+\.go:\d+/,
  /^(?:file:\/\/|\/)\S+:\d+$/, // where Node quotes a source from
  /^\s*(?:errno|code|syscall|address|port|path|hostname): .*,?$/ // properties of Node's errors
]

/** Patterns of lines that explain a failure, the best ones first. */
const MARKS = [
  /^(?:panic|fatal(?: error)?|thread '.*' panicked|Unhandled exception|Caused by|Exception in thread|(?:\w+[.$])*\w*(?:Error|Exception)(?: \[\w+\])?)\b/,
  /\b(?:\w*Error|\w*Exception|panic|fatal)\b/i,
  /\b(?:errors?|failed|failure|cannot|critical|refused|denied)\b/i
]

const MAX_LENGTH = 300
/** What is looked at of a line: Node quotes whole files that were minified, and patterns backtrack on them. */
const MAX_LOOKED_AT = 1000

/** The line of an app's last output that best explains its exit, without colours; '' if there is no output. */
export function bestLine(lines: readonly string[]): string {
  const plain = lines.map(line => stripVTControlCharacters(line.slice(0, MAX_LOOKED_AT)).trimEnd())
  const telling = plain.filter(line => line !== '' && !NOISE.some(noise => noise.test(line)))
  for (const mark of MARKS) {
    const found = telling.findLastIndex(line => mark.test(line))
    if (found >= 0) return short(continued(telling, found))
  }
  return short(telling.at(-1) ?? plain.findLast(line => line !== '') ?? '')
}

/** Rust prints the place of a panic, and the reason on the next line. */
function continued(lines: readonly string[], at: number): string {
  const line = lines[at] ?? ''
  return /^thread '.*' panicked at .*:$/.test(line) && lines[at + 1] !== undefined ? `${line} ${lines[at + 1]}` : line
}

const short = (line: string): string => {
  const text = line.trim()
  return text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH - 1)}…`
}
