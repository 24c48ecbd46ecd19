// Values of a Tiltfile.

/** A value that is known, or a call of a function that this reader does not run; undefined: not known. */
export type StarValue = string | number | boolean | null | readonly StarValue[] | StarMap | StarCall | undefined

/** A dict. */
export interface StarMap {
  readonly map: ReadonlyMap<string, StarValue>
}

/** A call by its name, with its arguments. */
export interface StarCall {
  readonly call: string
  readonly line: number
  readonly args: readonly StarValue[]
  readonly named: ReadonlyMap<string, StarValue>
}

export const isCall = (value: StarValue): value is StarCall =>
  typeof value === 'object' && value !== null && 'call' in value

export const isStarMap = (value: StarValue): value is StarMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && 'map' in value

export const isStarList = (value: StarValue): value is readonly StarValue[] => Array.isArray(value)

/** The text of a text or a number; '' for any other value. */
export const scalarOf = (value: StarValue): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : ''

/** Texts and lists that are longer were doubled over and over: they count as not known. */
const MAX_LENGTH = 100_000

/** `a + b` of two values. */
export function added(a: StarValue, b: StarValue): StarValue {
  if (typeof a === 'number' && typeof b === 'number') return a + b
  if (typeof a === 'string' && typeof b === 'string') return a.length + b.length > MAX_LENGTH ? undefined : a + b
  return isStarList(a) && isStarList(b) && a.length + b.length <= MAX_LENGTH ? [...a, ...b] : undefined
}

const bounded = (text: string): string | undefined => (text.length > MAX_LENGTH ? undefined : text)

/** `text % values`; undefined where one is not known. */
export function formatted(text: StarValue, values: StarValue): StarValue {
  const all = isStarList(values) ? values : [values]
  if (typeof text !== 'string' || all.some(each => each === undefined || isCall(each))) return undefined
  let index = 0
  return bounded(text.replaceAll(/%[sd]/g, () => scalarOf(all[index++])))
}

/** `text.format(…)`, `map.items()`, `os.path.join(…)`: the value of a call of a member; undefined: of any other one nothing is known. */
export function memberValue(of: StarValue, name: string, {args, named}: StarCall): StarValue {
  if (name === 'format' && typeof of === 'string' && args.every(each => each !== undefined && !isCall(each))) {
    let index = 0
    const value = (key: string): StarValue => named.get(key) ?? args[key === '' ? index++ : Number(key)]
    return bounded(of.replaceAll(/\{(\w*)\}/g, (_, key: string) => scalarOf(value(key))))
  }
  if (name === 'items' && isStarMap(of)) return [...of.map]
  if (name === 'keys' && isStarMap(of)) return [...of.map.keys()]
  if (name === 'get' && isStarMap(of)) return of.map.get(scalarOf(args[0])) ?? args[1]
  if (name === 'join' && typeof of === 'string' && isStarList(args[0])) return bounded(args[0].map(scalarOf).join(of))
  if (name === 'join' && args.every(each => typeof each === 'string')) return bounded(args.join('/'))
  return undefined
}
