import {stripVTControlCharacters} from 'node:util'
import {orElse} from './or-else.ts'
import {LIBRARIES, RUNTIME_CALL} from './thrown-at.ts'

/** How runtimes write the place of a call in the code: Node and Bun, Python, Go, Java and .NET. */
const FRAMES = [
  /^\s*at (?:.*\()?(?:file:\/\/)?(?<file>(?:\/[^():]+|[^()\s:]+)\.\w+):(?<line>\d+)(?::\d+)?\)?$/,
  /^\d+: (?:.*\()?(?:file:\/\/)?(?<file>(?:\/[^():]+|[^()\s:]+)\.\w+):(?<line>\d+):\d+\)?$/, // Node's text when it aborts
  /^\s*File "(?<file>[^"<]+)", line (?<line>\d+)/,
  /^\t(?<file>\/[^\t:]+\.go):(?<line>\d+)/,
  /^\s*at .* in (?<file>\/.+):line (?<line>\d+)$/,
  /^(?:file:\/\/)?(?<file>\/(?:\S+|[^:]+\.\w+)):(?<line>\d+)$/
]
const PYTHON = FRAMES[2]
/** Code that the app has not written itself. */
const FOREIGN = new RegExp(`${LIBRARIES.source}|^/usr/|^internal/`)

/**
 * Finds the line of code at which an app failed, in its last lines: `svc.mjs:10`, relative to its folder; empty if unknown. In a stack, the
 * innermost frame of the app's own code counts.
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

/** Lines of Node's native stack at an abort. */
const NATIVE_STACK = /^-{5} Native stack trace -{5}$|^\s*\d+: 0x[\da-f]+\b/

/** Removes Node's native frames, which say nothing about the app, and the empty lines after them. */
export const withoutNativeStack = (lines: readonly string[]): readonly string[] =>
  lines.filter(
    (line, at) => !NATIVE_STACK.test(line) && (line !== '' || at === 0 || !NATIVE_STACK.test(lines[at - 1] ?? ''))
  )
