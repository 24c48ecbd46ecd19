import {stripVTControlCharacters} from 'node:util'
import {orElse} from './or-else.ts'
import {LIBRARIES, RUNTIME_CALL} from './thrown-at.ts'

/** Match the stack frames of runtimes: Node and Bun, Python, Go, Java and .NET. */
const FRAMES = [
  /^\s*at (?:.*\()?(?:file:\/\/)?(?<file>(?:\/[^():]+|[^()\s:]+)\.\w+):(?<line>\d+)(?::\d+)?\)?$/,
  /^\d+: (?:.*\()?(?:file:\/\/)?(?<file>(?:\/[^():]+|[^()\s:]+)\.\w+):(?<line>\d+):\d+\)?$/, // Node's text when it aborts
  /^\s*File "(?<file>[^"<]+)", line (?<line>\d+)/,
  /^\t(?<file>\/[^\t:]+\.go):(?<line>\d+)/,
  /^\s*at .* in (?<file>\/.+):line (?<line>\d+)$/,
  /^(?:file:\/\/)?(?<file>\/(?:\S+|[^:]+\.\w+)):(?<line>\d+)$/
]
const PYTHON = FRAMES[2]
/** Matches files of libraries and runtimes. */
const FOREIGN = new RegExp(`${LIBRARIES.source}|^/usr/|^internal/`)

/**
 * Finds the place in the code at which an app failed, in its last log lines: `svc.mjs:10`, relative to its folder; '': unknown. In a stack,
 * the innermost frame of the app's own code counts.
 */
export function codePlace(lines: readonly string[], folder: string): string {
  const own = lines.filter(line => !RUNTIME_CALL.test(line))
  for (const frame of FRAMES) {
    const found = own
      .map(line => frame.exec(stripVTControlCharacters(line))?.groups)
      .filter(groups => groups !== undefined)
      .map(({file = '', line = ''}) => ({file: decoded(file), line}))
      .filter(({file}) => !FOREIGN.test(file))
    // Python writes the innermost call last
    const place = frame === PYTHON ? found.at(-1) : found[0]
    if (place !== undefined)
      return `${place.file.startsWith(`${folder}/`) ? place.file.slice(folder.length + 1) : place.file}:${place.line}`
  }
  return ''
}

const decoded = (file: string): string => orElse(() => decodeURI(file), file)

/** Matches lines of the native stack that Node prints at an abort. */
const NATIVE_STACK = /^-{5} Native stack trace -{5}$|^\s*\d+: 0x[\da-f]+\b/

/** Removes the native stack of Node, which does not concern the app, and the empty lines after it. */
export const withoutNativeStack = (lines: readonly string[]): readonly string[] =>
  lines.filter(
    (line, at) => !NATIVE_STACK.test(line) && (line !== '' || at === 0 || !NATIVE_STACK.test(lines[at - 1] ?? ''))
  )
