/** What Node prints of itself as it aborts. */
const NATIVE_STACK = /^-{5} Native stack trace -{5}$|^\s*\d+: 0x[\da-f]+\b/

/** Lines without Node's frames of C++, which say nothing of the app, and the empty lines after them. */
export const withoutNativeStack = (lines: readonly string[]): readonly string[] =>
  lines.filter(
    (line, at) => !NATIVE_STACK.test(line) && (line !== '' || at === 0 || !NATIVE_STACK.test(lines[at - 1] ?? ''))
  )
