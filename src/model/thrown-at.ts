/** An exception of an app, as its OpenTelemetry SDK tells it. */
interface Exception {
  readonly type: string
  readonly message: string
  readonly stack: string
}

/** `ValueError: no such order`; '' = there is none. */
export const exceptionText = (exception: Pick<Exception, 'type' | 'message'> | null): string =>
  exception === null ? '' : [exception.type, exception.message].filter(word => word !== '').join(': ')

/** The place in the code where it was thrown: the first line of a stack that names one; '' = none does. */
export function thrownAt({stack}: Pick<Exception, 'stack'>): string {
  const lines = stack.split('\n').map(line => line.trim())
  const places = lines.filter(line => /^at .|^File ".*", line \d+/.test(line))
  // Python writes the innermost call last
  const place = (places[0]?.startsWith('File') === true ? places.at(-1) : places[0]) ?? ''
  return place.replace(/^at /, '')
}
