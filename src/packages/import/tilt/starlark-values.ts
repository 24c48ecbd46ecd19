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

/** `a + b` of two values. */
export function added(a: StarValue, b: StarValue): StarValue {
  if (typeof a === 'string' && typeof b === 'string') return a + b
  if (typeof a === 'number' && typeof b === 'number') return a + b
  return isStarList(a) && isStarList(b) ? [...a, ...b] : undefined
}

/** `text % values`; undefined where one is not known. */
export function formatted(text: StarValue, values: StarValue): StarValue {
  const all = isStarList(values) ? values : [values]
  if (typeof text !== 'string' || all.some(each => each === undefined || isCall(each))) return undefined
  let index = 0
  return text.replaceAll(/%[sd]/g, () => scalarOf(all[index++]))
}

/** `text.format(…)`, `map.items()`, `os.path.join(…)`: the value of a call of a member; undefined: of any other one nothing is known. */
export function memberValue(of: StarValue, name: string, {args, named}: StarCall): StarValue {
  if (name === 'format' && typeof of === 'string' && args.every(each => each !== undefined && !isCall(each))) {
    let index = 0
    return of.replaceAll(/\{(\w*)\}/g, (_, key: string) =>
      scalarOf(named.get(key) ?? args[key === '' ? index++ : Number(key)])
    )
  }
  if (name === 'items' && isStarMap(of)) return [...of.map]
  if (name === 'keys' && isStarMap(of)) return [...of.map.keys()]
  if (name === 'get' && isStarMap(of)) return of.map.get(scalarOf(args[0])) ?? args[1]
  if (name === 'join' && typeof of === 'string' && isStarList(args[0])) return args[0].map(scalarOf).join(of)
  if (name === 'join' && args.every(each => typeof each === 'string')) return args.join('/')
  return undefined
}
