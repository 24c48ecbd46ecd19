/** An exception of an app, as its OpenTelemetry SDK reports it. */
interface Exception {
  readonly type: string
  readonly message: string
  readonly stack: string
}

/** Returns `ValueError: no such order`; empty without an exception. */
export const exceptionText = (exception: Pick<Exception, 'type' | 'message'> | null): string =>
  exception === null ? '' : [exception.type, exception.message].filter(word => word !== '').join(': ')

/** Files of a runtime, and those that a package manager has installed. */
export const LIBRARIES =
  /(?:^|[/\\])(?:node_modules|(?:site|dist)-packages|pkg[/\\]mod|libexec[/\\]src)[/\\]|\bnode:|[/\\]lib[/\\]python3/

/** Calls in the runtime of Java and .NET, and in Spring: these have no files, or only their names. */
export const RUNTIME_CALL =
  /^\s*at (?:java\.base\/)?(?:java|javax|jakarta|jdk|sun|kotlin|scala|org\.(?:springframework|apache|hibernate)|com\.zaxxer|System|Microsoft)\.[^\s(]*\(/

/** Whether a line is a stack frame in a library or runtime, or a count of such frames. */
export const isLibraryFrame = (line: string): boolean =>
  /^\s*\.{3} \d+ (?:more|common frames)/.test(line) ||
  (/^\s*at /.test(line) && (RUNTIME_CALL.test(line) || LIBRARIES.test(line)))

/** Returns the place of the throw: the innermost frame of the app, else of a library; empty if unknown. */
export function thrownAt({stack}: Pick<Exception, 'stack'>): string {
  const lines = stack.split('\n').map(line => line.trim())
  const found = lines.filter(line => /^at .|^File ".*", line \d+/.test(line))
  // Python writes the innermost call last
  const places = found[0]?.startsWith('File') === true ? found.toReversed() : found
  const place = places.find(each => !LIBRARIES.test(each) && !RUNTIME_CALL.test(each)) ?? places[0] ?? ''
  return place.replace(/^at /, '')
}
