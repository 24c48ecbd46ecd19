/** By what an event is known. */
export interface EventNames {
  /** `id` of CloudEvents 1.0. */
  readonly event: string
  /** `source`: who has published it. */
  readonly publisher: string
}

/** So much of its end is looked at: its data stand at the beginning. */
const END_BYTES = 4096
/** The envelope that sidecars write has its keys in order. */
const NAMES = /,"id":("(?:[^"\\]|\\.)*"),"pubsubname":"(?:[^"\\]|\\.)*","source":("(?:[^"\\]|\\.)*"),"specversion":/g

/** The names in an envelope in JSON, as sidecars write it; undefined: it is another one, or cut off. */
export function eventNames(envelope: Buffer): EventNames | undefined {
  const text = envelope.toString('utf8', Math.max(0, envelope.length - END_BYTES))
  // what its data say comes before
  const [, id, source] = [...text.matchAll(NAMES)].at(-1) ?? []
  if (id === undefined || source === undefined) return undefined
  return {event: JSON.parse(id) as string, publisher: JSON.parse(source) as string}
}
