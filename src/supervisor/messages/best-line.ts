import {stripVTControlCharacters} from 'node:util'

/** What stands around the line that says it: stack frames, brackets, carets, and what runners add at the end. */
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

/** Marks of lines that tell a failure, the best ones first. */
const MARKS = [
  /^(?:panic|fatal(?: error)?|thread '.*' panicked|Unhandled exception|Caused by|Exception in thread|(?:\w+[.$])*\w*(?:Error|Exception)(?: \[\w+\])?)\b/,
  /\b(?:\w*Error|\w*Exception|panic|fatal)\b/i,
  /\b(?:errors?|failed|failure|cannot|critical|refused|denied)\b/i
]

const MAX_LENGTH = 300

/** The line of an app's last words that says most about its end, without colours; '' where it has said nothing. */
export function bestLine(lines: readonly string[]): string {
  const plain = lines.map(line => stripVTControlCharacters(line).trimEnd())
  const telling = plain.filter(line => line !== '' && !NOISE.some(noise => noise.test(line)))
  for (const mark of MARKS) {
    const found = telling.findLastIndex(line => mark.test(line))
    if (found >= 0) return short(continued(telling, found))
  }
  return short(telling.at(-1) ?? plain.findLast(line => line !== '') ?? '')
}

/** Rust says where it panicked, and on the next line why. */
function continued(lines: readonly string[], at: number): string {
  const line = lines[at] ?? ''
  return /^thread '.*' panicked at .*:$/.test(line) && lines[at + 1] !== undefined ? `${line} ${lines[at + 1]}` : line
}

const short = (line: string): string => {
  const text = line.trim()
  return text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH - 1)}…`
}
